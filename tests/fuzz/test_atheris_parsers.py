"""A short, bounded run of each coverage-guided fuzzer of parsers, where atheris is installed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
# The runs are bounded by themselves; a busy machine takes its time to instrument the modules.
PATIENCE_S = 900


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
@pytest.mark.parametrize("target", ["atheris_syntax.py", "atheris_answers.py"])
def test_nothing_but_what_is_promised_comes_out(target: str) -> None:
    command = [sys.executable, str(FOLDER / target), "1500"]
    run = subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False)
    assert run.returncode == 0, run.stderr.decode(errors="replace")[-3000:]
