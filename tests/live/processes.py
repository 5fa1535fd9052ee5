"""Processes of a live test: started with their output in a file, ended by their own process group, never by name."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle, islice
from pathlib import Path

import pytest

IS_REQUIRED = os.environ.get("SIGNALBOX_LIVE_REQUIRED") == "1"
LOG_TAIL_LEN = 4000
LOOPBACK = "127.0.0.1"
# Each process of pytest-xdist has a share of the ports below those that the kernel picks (32768 and more).
SHARES = 4
SHARE = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % SHARES
_SHARE_LEN = 5000
_FIRST_PORT = 10000 + _SHARE_LEN * SHARE
_PORTS = cycle(range(_FIRST_PORT, _FIRST_PORT + _SHARE_LEN, 4))


def find_program(name: str, package: str) -> str:
    """The path of a peer's program; skips the test where it is not installed, fails it where it has to be."""
    for folder in (os.environ.get("PATH", ""), "/usr/sbin:/sbin"):
        path = shutil.which(name, path=folder)
        if path:
            return path
    reason = f"{name} is not installed; type: apt-get install {package}"
    if IS_REQUIRED:
        pytest.fail(reason)
    pytest.skip(reason)


def free_port(address: str = LOOPBACK, candidates: Iterable[int] = _PORTS) -> int:
    """A port that is free for UDP and TCP just now, and no other test takes the three after it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for candidate in islice(candidates, _SHARE_LEN):
        with socket.socket(family, socket.SOCK_DGRAM) as datagrams, socket.socket(family) as streams:
            try:
                datagrams.bind((address, candidate))
                streams.bind((address, candidate))
                return candidate
            except OSError:
                continue
    raise AssertionError("no port is free for UDP and TCP")


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = 180.0, pause_s: float = 0.05) -> float:
    """Wait for something to become true; returns the seconds it took. Fails the test when it never does."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > timeout_s:
            pytest.fail(f"after {timeout_s:g} s still not: {what}")
        time.sleep(pause_s)
    return time.monotonic() - begun


def freeze(*pids: int) -> None:
    """SIGSTOP to each, in this order, and wait until it holds: other threads run on until one of them has taken the
    signal. One that has ended meanwhile is passed over."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    for pid in pids:
        wait_until(lambda pid=pid: _thread_states(pid) <= {"T", "Z"}, "each thread has stopped", pause_s=0.001)  # type: ignore[misc]


def _thread_states(pid: int) -> set[str]:
    states = set()
    for path in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):
            # proc(5): the name before the state is in parentheses, and may contain them.
            states.add(path.read_text().rpartition(")")[2].split()[0])
    return states


class Process:
    """One program, and what it printed."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        folder: Path,
        env: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._output = self.log.open("ab")
        self.popen = subprocess.Popen(
            list(argv),
            cwd=folder,
            env={**os.environ, **(env or {})},
            stdin=stdin,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def is_running(self) -> bool:
        return self.popen.poll() is None

    def type(self, line: str) -> None:
        """Write a line to its standard input, which has to be a pipe."""
        assert self.popen.stdin is not None
        self.popen.stdin.write(f"{line}\n".encode())
        self.popen.stdin.flush()

    def text(self) -> str:
        """Everything it printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait(self, timeout_s: float) -> int:
        """Its exit status. Fails the test when it does not end by itself."""
        try:
            return self.popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.end()
            pytest.fail(f"{self.name} did not end within {timeout_s:g} s:\n{self.text()[-LOG_TAIL_LEN:]}")

    def end(self, grace_s: float = 5.0) -> None:
        """SIGTERM to the process, and SIGKILL to its group after the time of grace."""
        if self.is_running:
            self.popen.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.popen.wait(grace_s)
        # Children that outlived it, such as workers of a supervisor that was killed.
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.popen.wait()
        self._output.close()


class Processes:
    """All the programs of one test, ended in the order opposite to their start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._all: list[Process] = []

    def start(
        self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None, stdin: int = subprocess.DEVNULL
    ) -> Process:
        """Start a program in the test's folder; `name` becomes the name of its log and is numbered if taken."""
        taken = {process.name for process in self._all}
        number = 1
        while (unique := name if number == 1 else f"{name}-{number}") in taken:
            number += 1
        process = Process(unique, argv, self.folder, env, stdin)
        self._all.append(process)
        return process

    def end(self) -> None:
        """End whatever still runs."""
        for process in reversed(self._all):
            process.end()


@contextmanager
def running(folder: Path) -> Iterator[Processes]:
    """Processes that end with the block."""
    processes = Processes(folder)
    try:
        yield processes
    finally:
        processes.end()
