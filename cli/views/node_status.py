"""The appliance on one page: `show status`, and `signalbox status` with slots and counters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from appliance.catalogue.counters import COUNTERS
from appliance.catalogue.node_status import NodeStatus, read_status
from appliance.catalogue.results import SLOTS, WORKERS
from cli.views.tables import columns, draw_rows, duration


def draw_status(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """The result of `show status`."""
    return draw_node_status(read_status(result))


def draw_node_status(status: NodeStatus) -> Iterator[str]:
    """The node in words, its alarms, its workers, and what it holds."""
    yield f"{status.hostname or 'Signalbox'}, up {duration(status.supervisor.uptime_s)}"
    yield from filter(None, (status.supervisor.sentence, status.reload))
    yield from (f"ALARM: {alarm}" for alarm in status.alarms)
    yield ""
    yield from draw_rows(WORKERS[0].fields, status.workers)
    yield ""
    yield f"registrations  {status.registrations}"
    yield f"transactions   {status.transactions}"


def draw_node_report(status: NodeStatus, is_all: bool) -> Iterator[str]:
    """The status, then slots and counters; those that are 0 only with `is_all`."""
    yield from draw_node_status(status)
    yield ""
    yield from draw_rows(SLOTS[0].fields, status.slots)
    counts = status.counters
    shown = [counter for counter in COUNTERS if counter.name in counts and (is_all or counts[counter.name])]
    for group in dict.fromkeys(counter.group for counter in shown):
        rows = [[row.name, str(counts[row.name]), row.help] for row in shown if row.group == group]
        yield from ("", group.upper(), *columns(rows, has_headings=False))
