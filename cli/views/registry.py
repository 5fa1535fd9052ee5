"""The view of each result. A result without a view is drawn by the declaration of its fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from appliance.catalogue.command_declaration import Command
from cli.output import Item
from cli.views.cluster import draw_cluster
from cli.views.configuration import draw_commit, draw_confirmed, draw_rollback, draw_text
from cli.views.diagnostics import (
    draw_ladder,
    draw_logging,
    draw_monitor,
    draw_octets,
    draw_ping,
    draw_route,
    draw_traceroute,
)
from cli.views.dns import draw_resolved
from cli.views.events import draw_events
from cli.views.node_status import draw_status
from cli.views.status import (
    cleared,
    draw_acknowledged,
    draw_alarms,
    draw_archive,
    draw_calls,
    draw_counters,
    draw_drops,
    draw_memory,
    draw_rate_limits,
    draw_sentence,
    draw_worker_state,
)
from cli.views.tables import draw_result

View = Callable[[Mapping[str, Any], Mapping[str, Any]], Iterator[str]]
StreamView = Callable[[Iterable[Item], Mapping[str, Any]], Iterator[str]]

VIEWS: Final[Mapping[str, View]] = {
    "show status": draw_status,
    "show cluster": draw_cluster,
    "show running-config": draw_text,
    "show startup-config": draw_text,
    "show commit": draw_commit,
    "show counters": draw_counters,
    "show drops": draw_drops,
    "show alarms": draw_alarms,
    "acknowledge alarm": draw_acknowledged,
    "show logging": draw_logging,
    "show tech-support": draw_archive,
    "show memory": draw_memory,
    "show rate-limits": draw_rate_limits,
    "show calls": draw_calls,
    "test route": draw_route,
    "resolve": draw_resolved,
    "clear counters": cleared("counter"),
    "clear registration": cleared("contact"),
    "clear dns cache": cleared("answer"),
    "clear authentication failures": cleared("record"),
    "drain worker": draw_worker_state,
    "undrain worker": draw_worker_state,
    "restart worker": draw_worker_state,
    "reload": draw_sentence,
    "reload cancel": draw_sentence,
    "system reboot": draw_sentence,
    "system shutdown": draw_sentence,
    "system shell": draw_sentence,
    "system upgrade": draw_sentence,
    "clear logging": draw_sentence,
    "cluster switchover": draw_sentence,
    "cluster drain": draw_sentence,
    "cluster undrain": draw_sentence,
    "cluster maintenance": draw_sentence,
    "cluster rotate-key": draw_sentence,
    "snmp test-notification": draw_sentence,
    "import routes": draw_sentence,
    "refresh route-table": draw_sentence,
    "subscriber add": draw_sentence,
    "subscriber password": draw_sentence,
    "subscriber remove": draw_sentence,
    "confirm": draw_confirmed,
    "rollback": draw_rollback,
}
STREAM_VIEWS: Final[Mapping[str, StreamView]] = {
    "ping": draw_ping,
    "traceroute": draw_traceroute,
    "debug sip": draw_ladder,
    "monitor events": draw_events,
    "terminal monitor": draw_monitor,
    "copy tech-support": draw_octets,
    "system backup": draw_octets,
}


def draw(command: Command, result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a result."""
    if command.do in VIEWS:
        return VIEWS[command.do](result, arguments)
    return draw_result(command.result, result)


def draw_stream(
    command: Command, items: Iterable[Item], arguments: Mapping[str, Any], columns: int = 0
) -> Iterator[str]:
    """The lines of a command that goes on, as they come; `columns` of the terminal, 0 for any number."""
    if command.do == "debug sip":
        return draw_ladder(items, arguments, columns)
    return STREAM_VIEWS[command.do](items, arguments)
