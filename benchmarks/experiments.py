"""The experiments: who is compared with whom, under which loads, and what the ratio must be.

Everything that an experiment compares runs from its first round to its last, and has load in turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.cases import (
    CALL,
    CALL_BY_NUMBER,
    CALL_TCP,
    CALL_TLS,
    CALL_WSS,
    HANDSHAKE_TLS,
    INVITE_CANCEL,
    INVITE_LATENCY,
    OPTIONS,
    REGISTER,
    REGISTER_DIGEST,
    REGISTER_LATENCY,
    REGISTER_TLS,
    Case,
)
from benchmarks.figures import Target

BINDINGS = 1000
SOURCES = 200
RULES = 100_000
RULES_MIN = 1000
SCALE = (1, 2, 4, 8)
PER_CALL = Target(0.50, 0.33)
PER_REGISTER = Target(0.40, 0.25)
PER_DIGEST = Target(1.4, 1.0)
PER_SECURE_CALL = Target(1.0, 0.8)
PER_HANDSHAKE = Target(1.2, 1.0)
LATENCY = Target(1.0, 0.7)
GROWTH = Target(1.3, 1.1)
# Of a call by number to one to a registered phone.
ROUTED = Target(1.1, 1.05)
# Under one in a hundred: one in a hundred is not.
HOPS = Target(0.0099, 0.001)


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server as it is set up for an experiment; its name is unique there.

    `bindings` phones are registered before the first round; `sources` is how many addresses the load comes from. With
    `rules`, so many prefixes route numbers, and numbers are called.
    """

    peer: str = "signalbox"
    workers: int = 1
    bindings: int = BINDINGS
    sources: int = 1
    is_steered: bool = True
    rules: int = 0

    @property
    def name(self) -> str:
        return f"{self.peer}, {self.setup}" if self.setup else self.peer

    @property
    def setup(self) -> str:
        """What is not usual about it."""
        parts = [f"{self.workers} workers"] * (self.workers > 1)
        parts += [f"{self.sources} sources"] * (self.sources > 1)
        parts += [f"{self.rules} rules"] * bool(self.rules)
        parts += ["not steered"] * (not self.is_steered)
        parts += [f"{self.bindings} bindings"] * (self.bindings != BINDINGS)
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of a case: a quantity of ours to one of theirs (the same, when `their_quantity` is not given)."""

    case: str
    quantity: str
    ours: Contestant
    theirs: Contestant
    target: Target | None = None
    their_quantity: str = ""

    @property
    def label(self) -> str:
        """The case, and how ours is set up."""
        return f"{self.case} ({self.ours.setup})" if self.ours.setup else self.case

    @property
    def peer(self) -> str:
        """What the ratio is to."""
        return self.their_quantity.replace("_", " ") or self.theirs.name

    def shrunk(self, divisor: int) -> Comparison:
        """The same with so many times fewer bindings; without a target then, for that is for the full number."""
        ours, theirs = _shrunk(self.ours, divisor), _shrunk(self.theirs, divisor)
        target = self.target if (ours, theirs) == (self.ours, self.theirs) else None
        return replace(self, ours=ours, theirs=theirs, target=target)


@dataclass(frozen=True, slots=True)
class Experiment:
    """Contestants that run side by side, the cases they go through, and what is compared."""

    name: str
    cases: Sequence[Case]
    contestants: Sequence[Contestant]
    comparisons: Sequence[Comparison]

    def turns(self) -> list[tuple[Case, Contestant]]:
        """Who has which load in a round: what is not compared is not measured."""
        needed = {(row.case, contestant) for row in self.comparisons for contestant in (row.ours, row.theirs)}
        return [
            (case, contestant)
            for case in self.cases
            for contestant in self.contestants
            if (case.name, contestant) in needed
        ]

    def shrunk(self, divisor: int) -> Experiment:
        """The same with so many times fewer bindings, where there are many: for a quick look, which proves nothing."""
        return replace(
            self,
            contestants=[_shrunk(contestant, divisor) for contestant in self.contestants],
            comparisons=[row.shrunk(divisor) for row in self.comparisons],
        )


def _shrunk(contestant: Contestant, divisor: int) -> Contestant:
    rules = max(RULES_MIN, contestant.rules // divisor) if contestant.rules else 0
    return replace(contestant, bindings=max(BINDINGS, contestant.bindings // divisor), rules=rules)


SIGNALBOX = Contestant()
KAMAILIO = Contestant("kamailio")
KAMAILIO_ON_DISK = Contestant("kamailio-sqlite")
NULL = Contestant("null")


def beside_peers(case: Case, target: Target | None, peers: Sequence[Contestant]) -> Experiment:
    """Processor time of a unit, ours to each peer's."""
    rows = [Comparison(case.name, "cpu_us", SIGNALBOX, peer, target if peer == KAMAILIO else None) for peer in peers]
    return Experiment(case.name, [case], [SIGNALBOX, *peers], rows)


def secure(case: Case, target: Target | None) -> Experiment:
    """Processor time of a unit by TLS, and the memory of a connection."""
    rows = [Comparison(case.name, "cpu_us", SIGNALBOX, KAMAILIO, target)]
    if not case.is_handshake:
        rows.append(Comparison(case.name, "connection_bytes", SIGNALBOX, KAMAILIO))
    return Experiment(case.name, [case], [SIGNALBOX, KAMAILIO], rows)


def on_disk() -> Experiment:
    """A REGISTER where both keep contacts over a restart."""
    rows = [Comparison(REGISTER.name, "cpu_us", SIGNALBOX, KAMAILIO_ON_DISK, Target(0.9, 0.6))]
    return Experiment("on-disk", [REGISTER], [SIGNALBOX, KAMAILIO_ON_DISK], rows)


def latency(case: Case, target: Target | None) -> Experiment:
    """From request to reply, by our own client."""
    rows = [
        Comparison(case.name, quantity, SIGNALBOX, peer, target if (quantity, peer) == ("p99_us", KAMAILIO) else None)
        for peer in (KAMAILIO, NULL)
        for quantity in ("p99_us", "p50_us")
    ]
    return Experiment(case.name, [case], [SIGNALBOX, KAMAILIO, NULL], rows)


def rates() -> Experiment:
    """The same units at other rates: batches get longer, and what a server does by the clock weighs less."""
    cases = [REGISTER.at(500), REGISTER.at(4000), REGISTER.at(8000), CALL.at(500)]
    rows = [Comparison(case.name, "cpu_us", SIGNALBOX, KAMAILIO) for case in cases]
    return Experiment("rates", cases, [SIGNALBOX, KAMAILIO], rows)


def workers() -> Experiment:
    """Two workers to one: what sharing costs, how even it is, how much has to hop."""
    two = Contestant(workers=2)
    many = Contestant(workers=2, sources=SOURCES)
    unsteered = Contestant(workers=2, is_steered=False)
    kamailio = Contestant("kamailio", workers=2)
    rows = [Comparison(CALL.name, "cpu_us", two, SIGNALBOX, Target(1.25, 1.10))]
    rows += [Comparison(CALL.name, "busiest_us", two, two, Target(1.3, 1.1), "idlest_us")]
    rows += [Comparison(CALL.name, "handed_over", two, two, HOPS, "messages")]
    rows += [Comparison(CALL.name, "cpu_us", many, SIGNALBOX), Comparison(CALL.name, "cpu_us", many, two)]
    rows += [Comparison(CALL.name, "busiest_us", many, many, None, "idlest_us")]
    rows += [Comparison(CALL.name, "cpu_us", unsteered, two)]
    rows += [Comparison(CALL.name, "handed_over", unsteered, unsteered, None, "messages")]
    rows += [Comparison(CALL.name, "cpu_us", two, kamailio)]
    rows += [Comparison(REGISTER.name, "cpu_us", two, SIGNALBOX), Comparison(REGISTER.name, "cpu_us", two, kamailio)]
    rows += [Comparison(REGISTER.name, "busiest_us", two, two, None, "idlest_us")]
    return Experiment("workers", [CALL, REGISTER], [SIGNALBOX, two, many, unsteered, kamailio], rows)


def scale() -> Experiment:
    """What a unit costs with more workers: it must not grow with them."""
    ours = [Contestant(workers=number) for number in SCALE]
    theirs = [Contestant("kamailio", workers=number) for number in SCALE[1:]]
    calls = CALL.at(500)
    rows = [Comparison(REGISTER.name, "cpu_us", ours[-1], SIGNALBOX, Target(1.5, 1.2))]
    rows += [Comparison(REGISTER.name, "cpu_us", ours[-1], theirs[-1], Target(1.4, 1.0))]
    rows += [Comparison(calls.name, "cpu_us", ours[-1], SIGNALBOX, Target(1.6, 1.3))]
    rows += [Comparison(calls.name, "cpu_us", ours[-1], theirs[-1])]
    rows += [Comparison(REGISTER.name, "cpu_us", ours[2], SIGNALBOX)]
    rows += [Comparison(REGISTER.name, "cpu_us", ours[2], theirs[1])]
    rows += [Comparison(calls.name, "cpu_us", contestant, SIGNALBOX) for contestant in ours[1:3]]
    rows += [Comparison(calls.name, "cpu_us", ours[number], theirs[number - 1]) for number in (1, 2)]
    return Experiment("scale", [REGISTER, calls], [*ours, *theirs], rows)


def routing() -> Experiment:
    """A call by number to one to a registered phone, and to Kamailio's by the same rules."""
    ours = Contestant(rules=RULES)
    theirs = [Contestant(f"kamailio-{module}", rules=RULES) for module in ("drouting", "dispatcher")]
    case = CALL_BY_NUMBER
    rows = [Comparison(case.name, "cpu_us", ours, SIGNALBOX, ROUTED)]
    rows += [Comparison(case.name, "cpu_us", ours, peer, PER_CALL if peer is theirs[0] else None) for peer in theirs]
    return Experiment("routing", [case], [SIGNALBOX, ours, *theirs], rows)


def growth() -> Experiment:
    """What more bindings cost: processor time, and memory."""
    some, most = Contestant(bindings=100_000), Contestant(bindings=1_000_000)
    kamailio = Contestant("kamailio", bindings=1_000_000)
    rows = [
        Comparison(case.name, "cpu_us", full, SIGNALBOX, GROWTH if case is REGISTER and full is most else None)
        for case in (REGISTER, CALL)
        for full in (some, most)
    ]
    rows += [Comparison(case.name, "cpu_us", most, kamailio) for case in (REGISTER, CALL)]
    rows += [Comparison("memory", "binding_bytes", most, kamailio, Target(0.5, 0.3))]
    return Experiment("growth", [REGISTER, CALL], [SIGNALBOX, some, most, kamailio], rows)


EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        beside_peers(REGISTER, PER_REGISTER, (KAMAILIO, NULL)),
        on_disk(),
        beside_peers(REGISTER_DIGEST, PER_DIGEST, (KAMAILIO,)),
        beside_peers(OPTIONS, PER_CALL, (KAMAILIO, NULL)),
        beside_peers(CALL, PER_CALL, (KAMAILIO, NULL)),
        beside_peers(CALL_TCP, None, (KAMAILIO,)),
        beside_peers(INVITE_CANCEL, None, (KAMAILIO,)),
        secure(REGISTER_TLS, None),
        secure(CALL_TLS, PER_SECURE_CALL),
        secure(CALL_WSS, None),
        secure(HANDSHAKE_TLS, PER_HANDSHAKE),
        latency(INVITE_LATENCY, LATENCY),
        latency(REGISTER_LATENCY, None),
        rates(),
        workers(),
        scale(),
        growth(),
        routing(),
    )
}
