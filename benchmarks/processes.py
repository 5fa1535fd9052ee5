"""Processes of a benchmark: bound to processors, and what processor time and memory a whole tree of them took.

Processor time is what the scheduler counted for each thread (/proc/PID/task/TID/schedstat: user + system,
nanoseconds), summed over a process and all its descendants. /proc/PID/stat tells the same in steps of 10 ms, too
coarse for rounds of a few seconds, but good enough for a process that does little and ends a thread.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

LOOPBACK = "127.0.0.1"
PROC = Path("/proc")
NS_PER_S = 1e9
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
EXCERPT_LEN = 2000
# Below the ports that sockets get which name none (ip_local_port_range).
# Every fourth: SIPp takes its port for media and the next ones.
PORTS = range(20_000, 30_000, 4)
PROGRAM_FOLDERS = "/usr/sbin:/sbin:/usr/local/sbin"


class BenchmarkFailed(Exception):
    """What was measured is worth nothing: a call failed, a program died, or something is not installed."""


def find_program(name: str, package: str) -> str:
    """The path of a program. Raises BenchmarkFailed with what to type when it is not installed."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{PROGRAM_FOLDERS}")
    if path is None:
        raise BenchmarkFailed(f"{name} is not installed; type: apt-get install {package}")
    return path


def _is_free(port: int) -> bool:
    with socket.socket(type=socket.SOCK_DGRAM) as datagrams, socket.socket() as streams:
        try:
            datagrams.bind((LOOPBACK, port))
            streams.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = 30.0) -> None:
    """Wait for something to become true. Raises BenchmarkFailed when it does not."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise BenchmarkFailed(f"after {timeout_s:g} s still not: {what}")
        time.sleep(0.05)


class Process:
    """One program on given processors, its output in a file."""

    def __init__(
        self, name: str, argv: Sequence[str], folder: Path, cpus: Collection[int], env: Mapping[str, str]
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        pinned = ["taskset", "-c", ",".join(map(str, sorted(cpus))), *argv]
        with self.log.open("ab") as output:
            self._popen = subprocess.Popen(
                pinned,
                cwd=folder,
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def is_running(self) -> bool:
        return self._popen.poll() is None

    def head(self) -> str:
        """The beginning of what it printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")[:EXCERPT_LEN]

    def tail(self) -> str:
        """The end of what it printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-EXCERPT_LEN:]

    def wait(self, timeout_s: float) -> int:
        """Its exit status. Raises BenchmarkFailed when it does not end by itself; it is ended then."""
        try:
            return self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.end()
            raise BenchmarkFailed(f"{self.name} did not end within {timeout_s:g} s:\n{self.tail()}") from None

    def end(self, grace_s: float = 5.0) -> None:
        """SIGTERM to the process, and SIGKILL to its own group after the time of grace."""
        if self.is_running:
            self._popen.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(grace_s)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()


class Processes:
    """All the programs of one benchmark, ended in the order opposite to their start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._all: list[Process] = []
        self._ports = iter(random.sample(PORTS, len(PORTS)))

    def free_port(self) -> int:
        """A port of 127.0.0.1, free for UDP and TCP, outside of the kernel's range, and given out only once."""
        for port in self._ports:
            if _is_free(port):
                return port
        raise BenchmarkFailed("no port of 127.0.0.1 is free for UDP and TCP")

    def start(
        self, name: str, argv: Sequence[str], cpus: Collection[int], env: Mapping[str, str] | None = None
    ) -> Process:
        """Start a program; its log is named after it and its number."""
        process = Process(f"{name}-{len(self._all)}", argv, self.folder, cpus, env or {})
        self._all.append(process)
        return process

    def end(self) -> None:
        for process in reversed(self._all):
            process.end()


@contextmanager
def running(folder: Path) -> Iterator[Processes]:
    """Processes that end with the block, also where a signal ends it."""
    processes = Processes(folder)
    before = {number: signal.signal(number, _leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield processes
    finally:
        processes.end()
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


# -- what they cost ------------------------------------------------------------------------------------------


def process_tree(root: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for path in PROC.glob("[0-9]*/stat"):
        try:
            # The name in parentheses may hold anything; the parent stands second after it.
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    tree = [root]
    for pid in tree:
        tree += children.get(pid, [])
    return tree


def thread_times(root: int) -> dict[tuple[int, int], int]:
    """Nanoseconds on a processor, user and system, of every thread of a process tree, by (process, thread)."""
    times: dict[tuple[int, int], int] = {}
    for pid in process_tree(root):
        for path in (PROC / str(pid) / "task").glob("*/schedstat"):
            try:
                times[pid, int(path.parent.name)] = int(path.read_text().split()[0])
            except OSError:
                continue
    return times


def process_ticks(pid: int) -> int:
    """User and system time of a process, threads that have ended included, in clock ticks (10 ms)."""
    fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


class CpuMeter:
    """Processor time of a process tree since this was made."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._begun = thread_times(root)
        self._ticks = {pid: process_ticks(pid) for pid, _ in self._begun}

    def seconds_by_process(self) -> dict[int, float]:
        """Seconds of each process; of one that has lost a thread, to 10 ms. Raises BenchmarkFailed when one is gone."""
        now = thread_times(self._root)
        seconds: dict[int, float] = {}
        for (pid, thread), ns in now.items():
            seconds[pid] = seconds.get(pid, 0.0) + (ns - self._begun.get((pid, thread), 0)) / NS_PER_S
        for pid in {pid for pid, thread in self._begun if (pid, thread) not in now}:
            if pid not in seconds:
                raise BenchmarkFailed("a process of the server ended while it was measured")
            seconds[pid] = (process_ticks(pid) - self._ticks[pid]) / TICKS_PER_S
        return seconds

    def seconds(self) -> float:
        """Seconds of all of them."""
        return sum(self.seconds_by_process().values())


PRIVATE_PAGES = ("Pss_Anon:",)
OWN_PAGES = (*PRIVATE_PAGES, "Pss_Shmem:")


def resident_bytes(pid: int, kinds: tuple[str, ...] = OWN_PAGES) -> int:
    """Resident memory of one process that is its own or shared memory, pages that several share counted in parts (PSS);
    0 when it is gone. Pages of files on disk are not counted: the kernel takes them back when memory is short.
    """
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(kinds))


def allocated_bytes(folder: Path) -> int:
    """What the files below a folder take up."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def count_files(pid: int) -> int:
    """Open file descriptors of one process; 0 when it is gone."""
    try:
        return len(list((PROC / str(pid) / "fd").iterdir()))
    except OSError:
        return 0
