"""The document by which a worker is started."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from appliance.ipc.launch import WorkerLaunch
from appliance.ipc.launch_document import LaunchError

SOCKETS = ((0, 0, 5), (0, 1, 6), (1, 1, 7))
LAUNCH = WorkerLaunch(1, SOCKETS, "domain example.com\n" * 20000, "/var/lib/signalbox", "00ff" * 8)


def test_a_worker_reads_what_the_supervisor_wrote() -> None:
    with LAUNCH.to_stdin() as document:
        assert WorkerLaunch.from_stdin(document) == LAUNCH


def test_the_document_crosses_to_another_process() -> None:
    program = (
        "import sys; from appliance.ipc.launch import WorkerLaunch; "
        "print(len(WorkerLaunch.from_stdin(sys.stdin.buffer).config_text))"
    )
    with LAUNCH.to_stdin() as document:
        answer = subprocess.run([sys.executable, "-c", program], stdin=document, capture_output=True, check=True)
    assert int(answer.stdout) == len(LAUNCH.config_text)


def test_the_key_stands_on_no_command_line() -> None:
    assert LAUNCH.key_hex not in " ".join(LAUNCH.argv())


def test_only_sockets_that_exist_are_inherited() -> None:
    assert LAUNCH.fds() == (5, 6, 7)


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b"\xff", b'{"number": 1}', b"null"])
def test_anything_else_is_no_launch(text: bytes) -> None:
    with pytest.raises(LaunchError):
        WorkerLaunch.from_stdin(io.BytesIO(text))
