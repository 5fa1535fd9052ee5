"""The status of a node on one page, of `show status` and of `signalbox status`."""

from __future__ import annotations

import pytest

from appliance.catalogue.counters import COUNTERS
from appliance.catalogue.node_status import NodeStatus, SlotRange, SupervisorStatus, WorkerStatus
from cli.views.node_status import draw_node_report, draw_node_status

MIB = 1024 * 1024
STATUS = NodeStatus(
    hostname="box",
    reload="Reload scheduled in 5 minutes.",
    supervisor=SupervisorStatus(100, 93784.2, "Worker 0 accepts calls; worker 1 is starting."),
    workers=[
        WorkerStatus(
            0, 101, "live", 93784.1, slots=256, cpu_percent=12.5, rss=51 * MIB, transactions=7, registrations=1000,
            silent_ms=20,
        ),
        WorkerStatus(1, 0, "starting", restarts=3, last_ending="SIGSEGV"),
    ],
    slots=[SlotRange(0, 255, 0)],
    registrations=1000,
    transactions=7,
    counters={counter.name: 0 for counter in COUNTERS}
    | {"requests-received": 12345, "responses-received": 7, "dropped-malformed": 9},
    alarms=["Worker 1 failed 3 times in a row."],
)  # fmt: skip
PAGE = """\
box, up 1d 2h
Worker 0 accepts calls; worker 1 is starting.
Reload scheduled in 5 minutes.
ALARM: Worker 1 failed 3 times in a row.
"""
TABLES = """\
worker  state     pid  uptime  restarts  slots  transactions  registrations  cpu %  memory MiB  heartbeat ms  last exit
     0  live      101  1d 2h          0    256             7           1000   12.5          51            20  -
     1  starting    0  0s             3      0             0              0    0.0           0             0  SIGSEGV

registrations  1000
transactions   7"""
SLOTS = "first  last  worker\n    0   255       0"
COUNTED = """\
TRAFFIC
requests-received   12345  Requests received, retransmissions included.
responses-received      7  Responses received, retransmissions included.

DROPS
dropped-malformed  9  Malformed messages that cannot be answered."""


def test_the_node_is_drawn_on_one_page() -> None:
    assert "\n".join(draw_node_status(STATUS)) == f"{PAGE}\n{TABLES}"


def test_the_report_has_slots_and_what_was_counted_as_well() -> None:
    assert "\n".join(draw_node_report(STATUS, is_all=False)) == f"{PAGE}\n{TABLES}\n\n{SLOTS}\n\n{COUNTED}"


def test_counters_of_nothing_are_shown_on_request() -> None:
    drawn = list(draw_node_report(STATUS, is_all=True))
    for counter in COUNTERS:
        assert any(line.startswith(f"{counter.name} ") for line in drawn)


@pytest.mark.parametrize("is_all", [False, True])
def test_a_status_without_anything_is_drawn(is_all: bool) -> None:
    assert next(draw_node_report(NodeStatus(), is_all)) == "Signalbox, up 0s"
