"""What a tree of processes costs, also when a thread of it has ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.processes import BenchmarkFailed, CpuMeter

# Counts in a thread, which then ends, and goes on counting in the main one when it is told to.
COUNTING = """
import sys, threading, time
def count(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until: pass
thread = threading.Thread(target=lambda: (sys.stdin.readline(), count(0.2)))
thread.start(); print("begun", flush=True)
thread.join(); print("ended", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def counting() -> Iterator[subprocess.Popen[str]]:
    argv = [sys.executable, "-c", COUNTING]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


LEAVING = """
import os, sys, time
from pathlib import Path
from benchmarks.processes import running
with running(Path(sys.argv[1])) as processes:
    print(processes.start("sleep", ["sleep", "60"], os.sched_getaffinity(0)).pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_process_that_is_told_to_end_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    argv = [sys.executable, "-c", LEAVING, str(tmp_path)]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONSAFEPATH": ""}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=env) as process:
        started = Path("/proc", hear(process))
        time.sleep(0.2)
        assert started.exists()
        process.send_signal(number)
        assert process.wait(60) == 128 + number
    assert not started.exists()


def say(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go on\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_the_time_of_a_thread_that_has_ended_counts(counting: subprocess.Popen[str]) -> None:
    assert hear(counting) == "begun"
    meter = CpuMeter(counting.pid)
    say(counting)
    assert hear(counting) == "ended"
    # Clock ticks: 10 ms.
    assert meter.seconds() >= 0.17


def test_without_a_process_there_is_no_figure(counting: subprocess.Popen[str]) -> None:
    assert hear(counting) == "begun"
    meter = CpuMeter(os.getpid())
    counting.kill()
    counting.wait()
    with pytest.raises(BenchmarkFailed):
        meter.seconds()
