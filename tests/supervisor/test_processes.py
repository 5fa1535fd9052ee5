"""Processes of a node as the kernel sees them."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from typing import BinaryIO

import pytest

from appliance.ipc.launch_document import anonymous_file
from appliance.supervisor.processes import NodeProcess

COUNTING = (sys.executable, "-c", "while True: pass")


class Nothing:
    """A launch that says nothing."""

    def fds(self) -> tuple[int, ...]:
        return ()

    def to_stdin(self) -> BinaryIO:
        return anonymous_file({})


def test_it_is_known_for_how_long_a_process_has_waited_for_a_processor() -> None:
    process = NodeProcess(Nothing(), COUNTING)
    rival = subprocess.Popen(COUNTING)
    try:
        for pid in (process.pid, rival.pid):
            os.sched_setaffinity(pid, {min(os.sched_getaffinity(0))})
        deadline = time.monotonic() + 20.0
        while process.waited_s() < 0.1 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert process.waited_s() >= 0.1
    finally:
        rival.kill()
        rival.wait()
        process.kill()
        while not process.ending():
            time.sleep(0.01)
    assert process.waited_s() == 0.0
    process.close()


@pytest.mark.parametrize(("number", "ending"), [(9, "killed by SIGKILL"), (40, "killed by signal 40")])
def test_how_a_process_ended_is_told_whatever_signal_it_was(number: int, ending: str) -> None:
    process = NodeProcess(Nothing(), COUNTING)
    os.kill(process.pid, number)
    assert select.select([process], [], [], 20.0)[0]
    assert process.ending() == ending
    process.close()
