"""The rounds of an experiment: its contestants in turn, A B A B, under the same load.

All contestants of an experiment run from the first round to the last, each with its bindings; only one has load at a
time. What a turn gave is kept by case, contestant and quantity, one value a round.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.cases import Case
from benchmarks.experiments import Comparison, Contestant, Experiment
from benchmarks.figures import Row, per_unit_us
from benchmarks.latency import measure_latency
from benchmarks.machine import Processors
from benchmarks.phones import register_phones
from benchmarks.processes import Processes
from benchmarks.secure_phones import take_secure_turn
from benchmarks.servers import SERVERS, Job, Server, Signalbox
from benchmarks.sipp import Load, SippLoad, start_callee

WARM_UP_S = 0.5
# The counters of a worker reach the supervisor with its next heartbeat.
PAUSE_S = 0.3
TOLD_WITHIN_S = 1.2
MEMORY = "memory"

# By case, contestant and quantity.
Measured = dict[tuple[str, str, str], list[float]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many rounds, and how many seconds of load they take together."""

    rounds: int
    load_s: float
    turn_s_max: float
    say: Callable[[str], None] = print

    def turn_s(self, turns: int) -> float:
        """How long each of so many turns in a round is."""
        return min(self.turn_s_max, self.load_s / (self.rounds * turns))


@dataclass(frozen=True, slots=True)
class Turn:
    """One contestant under one case."""

    case: Case
    contestant: Contestant
    server: Server
    contact_port: int


def run_experiment(processes: Processes, cpus: Processors, experiment: Experiment, plan: Plan) -> list[Row]:
    """The rows of an experiment. Raises BenchmarkFailed when a unit failed or a server ended."""
    measured: Measured = defaultdict(list)
    seconds = plan.turn_s(len(experiment.turns()))
    with contest(processes, cpus, experiment, measured) as turns:
        for turn in turns:
            take_turn(processes, cpus, turn, WARM_UP_S)
        for number in range(1, plan.rounds + 1):
            for turn in turns:
                quantities = take_turn(processes, cpus, turn, seconds)
                for quantity, value in quantities.items():
                    measured[turn.case.name, turn.contestant.name, quantity].append(value)
                plan.say(f"{turn.case.name}, round {number}: {turn.contestant.name}: {_in_words(quantities)}")
    return [_row(comparison, measured) for comparison in experiment.comparisons]


@contextmanager
def contest(
    processes: Processes, cpus: Processors, experiment: Experiment, measured: Measured
) -> Iterator[Sequence[Turn]]:
    """All servers of an experiment, started, with their bindings; ended with the block."""
    listener_drain: list[Callable[[], None]] = []
    servers: dict[Contestant, Server] = {}
    try:
        port = processes.free_port()
        callees = [case for case in experiment.cases if case.callee]
        if callees:
            callee, port = start_callee(processes, cpus.load, callees[0].callee, callees[0].transport)
            listener_drain.append(callee.end)
        for contestant in experiment.contestants:
            server = start_server(processes, cpus, experiment, contestant, port)
            listener_drain.append(server.end)
            servers[contestant] = server
            if contestant.peer != "null" and not server.job.is_digest and not server.job.is_secure:
                empty = server.memory()
                register_phones(server.port, port, contestant.bindings, experiment.cases[0].transport)
                octets = (server.memory() - empty) / contestant.bindings
                measured[MEMORY, contestant.name, "binding_bytes"] = [octets]
        yield [Turn(case, contestant, servers[contestant], port) for case, contestant in experiment.turns()]
    finally:
        for end in reversed(listener_drain):
            end()


def start_server(
    processes: Processes, cpus: Processors, experiment: Experiment, contestant: Contestant, callee_port: int
) -> Server:
    """A contestant, ready for load."""
    job = Job(
        is_digest=any(case.is_digest for case in experiment.cases),
        bindings=contestant.bindings,
        callee_port=callee_port if any(case.is_call for case in experiment.cases) else 0,
        is_steering=contestant.is_steered,
        is_secure=any(case.is_secure for case in experiment.cases),
        rules=contestant.rules,
    )
    return SERVERS[contestant.peer](processes, cpus.of_server(contestant.workers), contestant.workers, job)


def take_turn(processes: Processes, cpus: Processors, turn: Turn, seconds: float) -> dict[str, float]:
    """What one turn gave, by quantity. Raises BenchmarkFailed."""
    if turn.case.is_secure:
        quantities = take_secure_turn(turn.case, turn.server, seconds)
    elif turn.case.is_timed:
        quantities = measure_latency(turn.case, turn.server.port, turn.contact_port, seconds)
    else:
        quantities = _take_loaded_turn(processes, cpus, turn, seconds)
    turn.server.check()
    return quantities


def _take_loaded_turn(processes: Processes, cpus: Processors, turn: Turn, seconds: float) -> dict[str, float]:
    server, case, contestant = turn.server, turn.case, turn.contestant
    load = Load(
        case.scenario,
        case.rate,
        seconds,
        turn.contact_port,
        case.transport,
        contestant.bindings,
        contestant.sources,
        contestant.rules,
    )
    shared = server if isinstance(server, Signalbox) and server.workers > 1 else None
    counters = shared.counters() if shared else {}
    meter = server.meter()
    outcome = SippLoad(processes, cpus.load, load, server.port).finish()
    cpu_s = meter.seconds_by_process()
    # Workers tell their counters once a second.
    time.sleep(TOLD_WITHIN_S if shared else PAUSE_S)
    quantities = {"cpu_us": per_unit_us(sum(cpu_s.values()), outcome.completed)}
    quantities["retransmissions"] = outcome.retransmissions
    if shared:
        quantities |= _shares([cpu_s[pid] for pid in shared.worker_pids], outcome.completed)
        quantities |= _hops(counters, shared.counters())
    return quantities


def _shares(workers_s: Sequence[float], units: int) -> dict[str, float]:
    return {"busiest_us": per_unit_us(max(workers_s), units), "idlest_us": per_unit_us(min(workers_s), units)}


def _hops(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, float]:
    grown = {name: after[name] - before[name] for name in after}
    messages = grown["udp-messages-received"] + grown["tcp-messages-received"]
    return {"handed_over": grown["handed-over"], "messages": messages}


def _in_words(quantities: Mapping[str, float]) -> str:
    return ", ".join(f"{quantity} {value:.0f}" for quantity, value in quantities.items())


def _row(comparison: Comparison, measured: Measured) -> Row:
    ours = measured[comparison.case, comparison.ours.name, comparison.quantity]
    quantity = comparison.their_quantity or comparison.quantity
    theirs = measured[comparison.case, comparison.theirs.name, quantity]
    return Row(comparison.label, comparison.quantity, comparison.peer, ours, theirs, comparison.target)
