"""Load by SIPp, at a fixed rate: callers and phones on the processor of the load, and the callee they reach.

Knows nothing of the server but its port.
"""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import LOOPBACK, BenchmarkFailed, Process, Processes, find_program, free_port, wait_until
from benchmarks.servers import DOMAIN, PASSWORD

SCENARIOS = Path(__file__).with_name("scenarios")
MODES = {"udp": "u1", "tcp": "t1", "addresses": "ui"}
ADDRESSES = 200
GRACE_S = 40.0


@dataclass(frozen=True, slots=True)
class Load:
    """One scenario at a fixed rate; units are calls, registrations or questions."""

    scenario: str
    rate: int
    seconds: float
    transport: str = "udp"
    users: int = 1000
    local_port: int = 0

    @property
    def units(self) -> int:
        return round(self.rate * self.seconds)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a load."""

    completed: int
    failed: int
    retransmissions: int


def run_load(processes: Processes, cpus: Collection[int], load: Load, port: int) -> Outcome:
    """Run the load against a port of 127.0.0.1, and wait for its end. Raises BenchmarkFailed when a unit failed."""
    statistics = processes.folder / f"sipp-{free_port()}.csv"
    argv = _argv(load.scenario, load.transport)
    argv += ["-r", str(load.rate), "-m", str(load.units), "-inf", str(_users_file(processes.folder, load))]
    argv += ["-trace_stat", "-stf", str(statistics), "-fd", "1", "-timeout", f"{load.seconds + GRACE_S:.0f}s"]
    if load.local_port:
        # The same contacts in each round: registrations are refreshed, not added.
        argv += ["-p", str(load.local_port)]
    if load.transport == "addresses":
        argv += ["-ip_field", "1"]
    process = processes.start("sipp", [*argv, f"{LOOPBACK}:{port}"], cpus, {"TERM": "dumb"})
    process.wait(load.seconds + GRACE_S + 10)
    outcome = read_outcome(statistics)
    if outcome.failed or outcome.completed != load.units:
        raise BenchmarkFailed(f"{load.scenario}: {outcome} of {load.units} units:\n{process.tail()}")
    return outcome


def start_callee(processes: Processes, cpus: Collection[int], scenario: str, transport: str) -> tuple[Process, int]:
    """A callee that answers every call until it is ended, and its port."""
    port = free_port()
    argv = [*_argv(scenario, transport), "-p", str(port)]
    process = processes.start("callee", argv, cpus, {"TERM": "dumb"})
    table, state = ("tcp", "0A") if transport == "tcp" else ("udp", "07")
    wait_until(
        lambda: any(
            line.split()[1].endswith(f":{port:04X}") and line.split()[3] == state
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        ),
        "the callee has its port open",
    )
    return process, port


def read_outcome(statistics: Path) -> Outcome:
    """The totals at the end of a statistics file of SIPp's. Raises BenchmarkFailed when there are none."""
    try:
        with statistics.open(newline="", encoding="ascii", errors="replace") as lines:
            last = list(csv.DictReader(lines, delimiter=";"))[-1]
    except (OSError, IndexError):
        raise BenchmarkFailed("SIPp has not said what became of the load") from None
    return Outcome(int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"]), int(last["Retransmissions(C)"]))


def _argv(scenario: str, transport: str) -> list[str]:
    argv = [find_program("sipp", "sip-tester"), "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", LOOPBACK]
    argv += ["-t", MODES[transport], "-nostdin", "-key", "domain", DOMAIN]
    argv += ["-cp", str(free_port()), "-mp", str(free_port() & ~1), "-buff_size", str(4 << 20)]
    return argv


def _users_file(folder: Path, load: Load) -> Path:
    """The users in turn, each with one of the source addresses of the loopback network."""
    path = folder / f"users-{load.users}.csv"
    if not path.exists():
        lines = (_user_line(n) for n in range(load.users))
        path.write_text("SEQUENTIAL\n" + "".join(lines))
    return path


def _user_line(number: int) -> str:
    """User, source address, and what SIPp makes an Authorization header field of."""
    authentication = f"[authentication username=u{number} password={PASSWORD}]"
    return f"u{number};127.0.1.{number % ADDRESSES + 1};{authentication}\n"
