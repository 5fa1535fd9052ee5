"""Load by SIPp, at a fixed rate: callers and phones on the processor of the load, and the callee they reach."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import LOOPBACK, BenchmarkFailed, Process, Processes, find_program, wait_until
from benchmarks.route_rules import called_number
from benchmarks.servers import DOMAIN, PASSWORD

SCENARIOS = Path(__file__).with_name("scenarios")
MODES = {"udp": "u1", "tcp": "t1"}
ONE_SOCKET_AN_ADDRESS = "ui"
SOCKETS_MAX = 1000
GRACE_S = 40.0
BUFFER_OCTETS = 4 << 20
# So many users take turns; where more are registered these are spread over them.
USERS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Load:
    """One scenario at a fixed rate; units are calls, registrations or questions.

    `contact_port` is where the phones are registered, `bindings` how many of them there are, `sources` the number of
    addresses that the load comes from. With `rules`, numbers are called in place of users.
    """

    scenario: str
    rate: int
    seconds: float
    contact_port: int
    transport: str = "udp"
    bindings: int = 1000
    sources: int = 1
    rules: int = 0

    @property
    def units(self) -> int:
        return round(self.rate * self.seconds)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a load."""

    completed: int
    failed: int
    retransmissions: int


class SippLoad:
    """A load that is running, against a port of 127.0.0.1."""

    def __init__(self, processes: Processes, cpu: int, load: Load, port: int) -> None:
        self._load = load
        self._statistics = processes.folder / f"sipp-{port}-{processes.free_port()}.csv"
        argv = [*_load_argv(processes, load), "-trace_stat", "-stf", str(self._statistics), "-fd", "1"]
        self._process = processes.start("sipp", [*argv, f"{LOOPBACK}:{port}"], [cpu], {"TERM": "dumb"})

    def finish(self) -> Outcome:
        """Wait for its end. Raises BenchmarkFailed when a unit failed."""
        status = self._process.wait(self._load.seconds + GRACE_S + 10)
        outcome = read_outcome(self._statistics)
        if outcome.failed or outcome.completed != self._load.units:
            said = f"SIPp ended with status {status}:\n{self._process.head()}\n...\n{self._process.tail()}"
            raise BenchmarkFailed(f"{self._load.scenario}: {outcome} of {self._load.units} units; {said}")
        return outcome


def start_callee(processes: Processes, cpu: int, scenario: str, transport: str) -> tuple[Process, int]:
    """A callee that answers every call until it is ended, and its port."""
    port = processes.free_port()
    argv = [*_argv(processes, scenario, MODES[transport]), "-p", str(port)]
    process = processes.start("callee", argv, [cpu], {"TERM": "dumb"})
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


def user_lines(bindings: int, sources: int, rules: int = 0) -> list[str]:
    """Of each user that takes a turn: name, source address, and what SIPp makes an Authorization header field of.

    With `rules`, the names are numbers that these route.
    """
    if rules:
        return [_user_line(called_number(turn, rules), turn % sources) for turn in range(min(rules, USERS_MAX))]
    users = min(bindings, USERS_MAX)
    return [_user_line(f"u{turn * bindings // users}", turn % sources) for turn in range(users)]


def _user_line(name: str, source: int) -> str:
    address = f"127.0.1.{source + 1}"
    return f"{name};{address};[authentication username={name} password={PASSWORD}]"


def _argv(processes: Processes, scenario: str, mode: str) -> list[str]:
    argv = [find_program("sipp", "sip-tester"), "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", LOOPBACK]
    argv += ["-t", mode, "-nostdin", "-key", "domain", DOMAIN, "-buff_size", str(BUFFER_OCTETS)]
    argv += ["-cp", str(processes.free_port()), "-mp", str(processes.free_port())]
    return argv


def _load_argv(processes: Processes, load: Load) -> list[str]:
    # From many addresses SIPp's own keyword for its port says 0 in most calls.
    source_port = str(processes.free_port())
    argv = _argv(processes, load.scenario, ONE_SOCKET_AN_ADDRESS if load.sources > 1 else MODES[load.transport])
    if load.sources > 1:
        argv += ["-ip_field", "1", "-max_socket", str(SOCKETS_MAX)]
    argv += ["-r", str(load.rate), "-m", str(load.units), "-inf", str(_users_file(processes.folder, load))]
    argv += ["-p", source_port, "-key", "source_port", source_port, "-key", "contact_port", str(load.contact_port)]
    return [*argv, "-timeout", f"{load.seconds + GRACE_S:.0f}s"]


def _users_file(folder: Path, load: Load) -> Path:
    path = folder / f"users-{load.bindings}-{load.sources}-{load.rules}.csv"
    if not path.exists():
        path.write_text("\n".join(["SEQUENTIAL", *user_lines(load.bindings, load.sources, load.rules), ""]))
    return path
