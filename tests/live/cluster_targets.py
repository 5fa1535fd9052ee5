"""What a cluster must reach, and what is aimed at: the rows of the table of `make test-cluster`.

A test gives a figure by `record_property(name, value)`, with a name of TARGETS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Target:
    """One row. `figure`: what is measured, with its unit; a value is good that is not above `must`."""

    figure: str
    must: float
    aim: float


def _pair(name: str, figure: str, must: tuple[float, float], aim: tuple[float, float]) -> dict[str, Target]:
    """Median and worst, in seconds."""
    return {
        f"{name}_median_s": Target(f"{figure}: median, s", must[0], aim[0]),
        f"{name}_worst_s": Target(f"{figure}: worst, s", must[1], aim[1]),
    }


TARGETS: Final[Mapping[str, Target]] = {
    **_pair("crash", "all processes of the owner killed, to the first answer", (0.75, 1.0), (0.5, 0.75)),
    **_pair("supervisor", "its supervisor alone killed", (0.1, 0.3), (0.02, 0.2)),
    **_pair("lease", "its lease process alone killed", (0.1, 0.3), (0.02, 0.2)),
    **_pair("frozen", "all its processes frozen", (0.8, 1.2), (0.65, 0.8)),
    **_pair("link", "its link down", (0.8, 1.2), (0.65, 0.8)),
    **_pair("leader", "killed together with the leader of etcd", (0.8, 1.2), (0.65, 0.8)),
    "other_gap_ms": Target("longest gap of another node's address meanwhile, ms", 50, 20),
    "switchover_ms": Target("planned switchover: worst, ms", 50, 10),
    "two_owners": Target("moments at which two nodes answer for one address", 0, 0),
    "failed_established": Target("calls that failed once established, nodes killed", 0, 0),
    "failed_ringing_share": Target("share of ringing calls that failed, nodes killed", 1e-3, 1e-4),
    "registrations_lost": Target("registrations answered and lost, node killed", 0, 0),
    "register_cpu_ratio": Target("processor time of a REGISTER, two nodes to one", 1.8, 1.5),
    "call_cpu_ratio": Target("processor time of a call with copies, two nodes to one", 1.3, 1.15),
    "join_s_per_million": Target("a million registrations to a node that joins, s", 60, 20),
    "join_p99_ratio": Target("p99 of INVITE to 180 meanwhile, to that before", 2.0, 1.3),
    "etcd_gone_failed_calls": Target("calls that failed while etcd was gone", 0, 0),
    "etcd_gone_take_overs": Target("take-overs while etcd was gone", 0, 0),
}


def judged(name: str, value: float) -> str:
    """What a figure is worth."""
    target = TARGETS[name]
    if value > target.must:
        return "missed"
    return "aim reached" if value <= target.aim else "must reached"


def worst_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Of figures that several tests gave, the worst."""
    found: dict[str, float] = {}
    for row in rows:
        for name, value in row.items():
            if name in TARGETS:
                found[name] = max(value, found.get(name, value))
    return found


def table_of(figures: Mapping[str, float]) -> list[str]:
    """The rows of these figures, as Markdown; none where there are none. One that was not measured is left out."""
    if not figures:
        return []
    lines = ["| figure | must | aim | measured | |", "|---|---|---|---|---|"]
    for name, target in TARGETS.items():
        if name in figures:
            value = figures[name]
            lines.append(
                f"| {target.figure} | {target.must:g} | {target.aim:g} | {value:g} | {judged(name, value)} |"
            )
    return lines
