"""A short, bounded run of the coverage-guided fuzzer, where it is installed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

TARGET = Path(__file__).with_name("atheris_syntax.py")


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
def test_nothing_but_malformed_message_comes_out() -> None:
    run = subprocess.run([sys.executable, str(TARGET), "1500"], capture_output=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr.decode(errors="replace")[-3000:]
