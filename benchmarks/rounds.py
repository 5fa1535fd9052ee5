"""Rounds of one case: the servers in turn, A B A B, under the same load, each round a figure.

All servers of a case run from the first round to the last, each with the same bindings; only one has load at a time.

Knows nothing of reports.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.cases import Case
from benchmarks.figures import per_unit_us
from benchmarks.machine import share_processors
from benchmarks.phones import register_phones
from benchmarks.processes import Processes
from benchmarks.servers import SERVERS, Job, Server
from benchmarks.sipp import Load, run_load, start_callee

WARM_UP_S = 0.5
PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class Plan:
    """How often, how long (seconds of load in a round), and at which share of a case's rate."""

    rounds: int = 5
    seconds: float = 8.0
    say: Callable[[str], None] = print


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server and how many workers it has; its name is unique in a case."""

    peer: str
    workers: int = 1

    @property
    def name(self) -> str:
        return self.peer if self.workers == 1 else f"{self.peer}-{self.workers}"


@dataclass(slots=True)
class Measured:
    """What the rounds of one contestant gave: microseconds of processor time per unit, retransmissions."""

    cpu_us: list[float] = field(default_factory=list)
    retransmissions: list[int] = field(default_factory=list)


def measure(processes: Processes, case: Case, contestants: Sequence[Contestant], plan: Plan) -> Mapping[str, Measured]:
    """Run the case; what was measured by the name of the contestant. Raises BenchmarkFailed when a unit failed."""
    measured = {contestant.name: Measured() for contestant in contestants}
    with contest(processes, case, contestants) as servers:
        for number in range(plan.rounds):
            for name, server in servers.items():
                cpu_us, retransmissions = run_round(processes, case, server, plan.seconds)
                measured[name].cpu_us.append(cpu_us)
                measured[name].retransmissions.append(retransmissions)
                plan.say(f"{case.name} round {number + 1}: {name} {cpu_us:.1f} us, {retransmissions} retransmissions")
    return measured


@contextmanager
def contest(processes: Processes, case: Case, contestants: Sequence[Contestant]) -> Iterator[dict[str, Server]]:
    """All servers of a case, started, with their bindings, warmed up; ended with the block."""
    started: list[Callable[[], None]] = []
    servers: dict[str, Server] = {}
    try:
        port = 0
        if case.callee:
            callee, port = start_callee(processes, share_processors().load, case.callee, case.transport)
            started.append(callee.end)
        job = Job(is_digest=case.is_digest, callee_port=port)
        for contestant in contestants:
            cpus = share_processors(contestant.workers).server
            server = SERVERS[contestant.peer](processes, cpus, contestant.workers, job)
            started.append(server.end)
            servers[contestant.name] = server
            if case.callee and contestant.peer != "null":
                register_phones(server.port, port, job.users, case.transport)
            run_round(processes, case, server, WARM_UP_S)
        yield servers
    finally:
        for end in reversed(started):
            end()


def run_round(processes: Processes, case: Case, server: Server, seconds: float) -> tuple[float, int]:
    """Microseconds of processor time per unit, and retransmissions, of one round. Raises BenchmarkFailed."""
    load = Load(case.scenario, case.rate, seconds, case.transport, local_port=server.phone_port)
    meter = server.meter()
    outcome = run_load(processes, share_processors().load, load, server.port)
    cpu_us = per_unit_us(meter.seconds(), outcome.completed)
    server.check()
    time.sleep(PAUSE_S)
    return cpu_us, outcome.retransmissions
