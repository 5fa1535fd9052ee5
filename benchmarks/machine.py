"""The machine: which processors servers and load get, and what it is called in the history."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import BenchmarkFailed

# The lowest of real time, for servers and load alike: what else the machine does would otherwise be most of a 99th
# percentile, for an ordinary process may have to wait for the next tick of the clock, 4 ms.
PRIORITY = 1


@dataclass(frozen=True, slots=True)
class Processors:
    """Processors of the server and of the load, never the same."""

    server: tuple[int, ...]
    load: int

    def of_server(self, workers: int) -> tuple[int, ...]:
        """One a worker, as far as they go."""
        return self.server[:workers]


def share_processors() -> Processors:
    """The last processor of this process is for the load, the others are for servers.

    With two processors two workers share one. That keeps the load off it, and processor time, not speed, is what is
    compared. Raises BenchmarkFailed when there is one processor only.
    """
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        raise BenchmarkFailed("a benchmark needs two processors: one for the server, one for the load")
    return Processors(tuple(available[:-1]), available[-1])


def come_first(cpu: int) -> None:
    """This process on the processor of the load; it and what it starts before other work of the machine, if it may."""
    os.sched_setaffinity(0, [cpu])
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    except PermissionError:
        print("not root: other work on this machine will show in the latencies", file=sys.stderr)


def describe() -> dict[str, str | int]:
    """What this machine is."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cpus": os.cpu_count() or 0,
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def commit(root: Path) -> str:
    """The commit that is measured, `+` when the product in the checkout differs; "unknown" where there is no git."""
    git = ["git", "-C", str(root)]
    try:
        named = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False)
        changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", "appliance"], capture_output=True, check=False)
    except OSError:
        return "unknown"
    return named.stdout.strip() + "+" * (changed.returncode == 1) if named.returncode == 0 else "unknown"
