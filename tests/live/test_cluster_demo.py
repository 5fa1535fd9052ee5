"""`make cluster`: a call that rings when its node dies is answered, before the user's eyes; as root (design 4)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.lease_namespaces import need_namespaces

pytestmark = [pytest.mark.long, pytest.mark.cluster]

ROOT = Path(__file__).parents[2]
PATIENCE_S = 600


def test_the_demonstration_kills_the_node_of_a_call_that_rings() -> None:
    need_namespaces()
    if shutil.which("etcd") is None:
        pytest.skip("etcd is not installed; type: apt-get install etcd-server")
    prefix = f"sbd{os.getpid()}"
    # The user agent is not part of the product: Python has to find it in this folder.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    argv = [sys.executable, "-m", "demo.cluster", "--once", "--prefix", prefix]
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    rung, answered = done.stdout.index("kill -9 while it rings"), done.stdout.index("The call that rang at")
    assert "It gave no answer for" in done.stdout[rung:answered]
    assert "alice ◀── signalbox   200 OK  (INVITE)" in done.stdout[rung:answered]
    namespaces = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    assert prefix not in namespaces
