"""The processes of a node: started, ended, measured.

Each is the Python of the supervisor with another module, in a process group of its own, so that
Ctrl-C reaches the supervisor alone. It ends when the supervisor ends, however that ends (the kernel
kills it): an orphaned worker would hold the port of the appliance that is started next, and its slots
would not move when it ends. Established calls go on without the appliance; registrations are in the table of the node.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from typing import Final

from appliance.catalogue.settings import Settings
from appliance.ipc.launch import WorkerLaunch
from appliance.ipc.launch_document import Launch
from appliance.machine import Figures, ProcessMeter
from appliance.privileges import pass_on

PR_SET_PDEATHSIG: Final = 1

CommandLine = Callable[[WorkerLaunch], Sequence[str]]


class NodeProcess:
    """A running process of the node. `fileno()` becomes readable when it ends."""

    def __init__(self, launch: Launch, argv: Sequence[str], bank: int = 0, rights: Sequence[int] = ()) -> None:
        """Start it; `bank` is where a worker records its calls, `rights` are capabilities that it has in addition.

        Raises OSError when there can be no process.
        """
        with launch.to_stdin() as document:
            self._popen = subprocess.Popen(
                argv,
                stdin=document,
                pass_fds=launch.fds(),
                process_group=0,
                # The other threads of this process are those of ZeroMQ, which hold no lock of Python.
                preexec_fn=_ends_with(os.getpid(), rights),
            )
        self.pid = self._popen.pid
        self.bank = bank
        self._pidfd = os.pidfd_open(self.pid)
        self._meter = ProcessMeter(self.pid)
        # Read with each heartbeat, so it stays open.
        self._schedule_fd = _opened(f"/proc/{self.pid}/schedstat")

    def fileno(self) -> int:
        """A descriptor of the process, readable once it has ended."""
        return self._pidfd

    def ending(self) -> str:
        """How it ended ("exited with status 1", "killed by SIGSEGV"), or "" while it runs."""
        status = self._popen.poll()
        if status is None:
            return ""
        if status < 0:
            return f"killed by {_signal_name(-status)}"
        return f"exited with status {status}"

    def kill(self) -> None:
        """End it now, even if it is stopped or hangs."""
        self._popen.kill()

    def terminate(self) -> None:
        """Ask it to end, when the bus cannot."""
        self._popen.terminate()

    def figures(self) -> Figures:
        """What it costs; nothing once it has ended."""
        return self._meter.figures()

    def waited_s(self) -> float:
        """Seconds for which its main thread has wanted a processor and had none (proc(5), schedstat); 0 if unknown."""
        try:
            return int(os.pread(self._schedule_fd, 100, 0).split()[1]) / 1e9
        except (OSError, IndexError, ValueError):
            return 0.0

    def close(self) -> None:
        """Forget it; it has ended."""
        os.close(self._pidfd)
        if self._schedule_fd >= 0:
            os.close(self._schedule_fd)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        # Most real-time signals have no name.
        return f"signal {number}"


def _opened(path: str) -> int:
    """A descriptor to read by; -1 where there is no such file."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


def own_figures() -> Figures:
    """What this process costs."""
    return ProcessMeter(os.getpid()).figures()


def _ends_with(parent: int, rights: Sequence[int]) -> Callable[[], None]:
    """What the new process does before it becomes what it shall be: keep the rights that it needs, and have the kernel
    kill it when its parent ends."""
    prctl = ctypes.CDLL(None).prctl

    def before_exec() -> None:
        if rights:
            pass_on(rights)
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # The parent may have ended before this call.
        if os.getppid() != parent:
            os._exit(1)

    return before_exec


def worker_count(settings: Settings) -> int:
    """The number of workers by the settings: the configured one, or one for each usable processor."""
    return settings.workers or len(os.sched_getaffinity(0))
