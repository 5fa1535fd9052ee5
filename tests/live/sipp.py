"""SIPp as caller, callee and phone that registers. Its scenarios are in scenarios/."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from tests.live.processes import LOOPBACK, Process, Processes, find_program, free_port, wait_until

SCENARIOS = Path(__file__).with_name("scenarios")
MODES = {"udp": "u1", "tcp": "t1"}
CALL_TIMEOUT_S = 90
# Of its sockets, in bytes: what waits while it has no processor is not lost.
BUFFER_LEN = 1 << 20


class Proxy(Protocol):
    """What is called through: a Signalbox, or another proxy in its place."""

    domain: str
    address: str
    port: int


class Sipp:
    """One SIPp process at a port of its own, on loopback unless an address is given."""

    def __init__(
        self,
        processes: Processes,
        scenario: str | Path,
        *options: str,
        user: str = "bob",
        transport: str = "udp",
        proxy: Proxy | None = None,
        calls: int = 1,
        keys: dict[str, str] | None = None,
        timeout_s: int = CALL_TIMEOUT_S,
        address: str = LOOPBACK,
        within: Sequence[str] = (),
    ) -> None:
        """`within`: words before the command line, of what runs it in another network namespace."""
        self.port = free_port()
        self.user = user
        self.transport = transport
        self.timeout_s = timeout_s
        file = scenario if isinstance(scenario, Path) else SCENARIOS / f"{scenario}.xml"
        argv = [find_program("sipp", "sip-tester"), "-sf", str(file), "-s", user]
        argv += ["-i", address, "-p", str(self.port), "-t", MODES[transport], "-m", str(calls), "-nostdin"]
        argv += ["-cp", str(free_port()), "-mp", str(free_port()), "-timeout", f"{timeout_s}s", "-timeout_error"]
        argv += ["-buff_size", str(BUFFER_LEN)]
        argv += ["-trace_err", "-error_file", str(processes.folder / f"{file.stem}-{self.port}-errors.log")]
        for name, value in (keys or {}).items():
            argv += ["-key", name, value]
        argv += options
        if proxy is not None:
            argv.append(f"{proxy.address}:{proxy.port}")
        argv = [*within, *argv]
        self.process: Process = processes.start(f"{file.stem}-{self.port}", argv, {"TERM": "dumb"})

    @property
    def contact(self) -> str:
        """The URI at which this SIPp is reached."""
        return f"sip:{self.user}@{LOOPBACK}:{self.port};transport={self.transport}"

    def succeed(self) -> None:
        """Wait for its end; every call must have gone as the scenario says."""
        status = self.process.wait(self.timeout_s + 10)
        assert status == 0, f"{self.process.name} ended with status {status}: calls did not go as their scenario says"


def start_callee(
    processes: Processes, scenario: str | Path = "callee", *options: str, calls: int = 1, **named: str
) -> Sipp:
    """A SIPp that waits for calls; it has its port open when this returns."""
    callee = Sipp(processes, scenario, *options, calls=calls, **named)  # type: ignore[arg-type]
    wait_until(lambda: callee.port in open_ports(), f"{callee.process.name} has its port open")
    return callee


def call(processes: Processes, proxy: Proxy, scenario: str | Path = "caller", *options: str, **named: object) -> Sipp:
    """Place calls through the proxy, and wait until all went as the scenario says."""
    caller = Sipp(processes, scenario, *options, proxy=proxy, keys={"domain": proxy.domain}, **named)  # type: ignore[arg-type]
    caller.succeed()
    return caller


def register(
    processes: Processes,
    proxy: Proxy,
    user: str,
    contact: str,
    *options: str,
    scenario: str = "register",
    expires_s: int = 600,
    transport: str = "udp",
) -> None:
    """Register a contact, and wait until that went as the scenario says."""
    keys = {"domain": proxy.domain, "contact": contact, "expires": str(expires_s)}
    Sipp(processes, scenario, *options, user=user, transport=transport, proxy=proxy, keys=keys).succeed()


def outcome(figures: Path) -> tuple[int, int]:
    """Calls that succeeded and that failed, by a statistics file of SIPp's (-trace_stat)."""
    with figures.open(encoding="ascii") as rows:
        last = list(csv.DictReader(rows, delimiter=";"))[-1]
    return int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"])


def message_counts(sipp: Sipp) -> dict[str, int]:
    """What SIPp counted itself (-trace_counts), such as `0_INVITE_Sent`: the place in the scenario, what it is of."""
    (file,) = sipp.process.log.parent.glob(f"*_{sipp.process.pid}_counts.csv")
    with file.open(encoding="ascii") as rows:
        last = list(csv.DictReader(rows, delimiter=";"))[-1]
    return {name: int(count) for name, count in last.items() if name and name[0].isdigit()}


def open_ports() -> set[int]:
    """Every local port that is bound for UDP or listens for TCP, IPv4."""
    return set(_bound("/proc/net/udp", "07")) | set(_bound("/proc/net/tcp", "0A"))


def _bound(table: str, state: str) -> Iterator[int]:
    for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[3] == state:
            yield int(fields[1].rpartition(":")[2], 16)
