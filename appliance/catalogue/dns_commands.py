"""The commands about DNS, and the fields of their results."""

from __future__ import annotations

from typing import Final

from appliance.catalogue.command_declaration import Command, Field, Mode, Parameter, Right, Shape, act, show
from appliance.catalogue.results import CLEARED
from appliance.catalogue.transports import TRANSPORT_NAMES
from appliance.catalogue.value_types import Choice, Integer, Text

TEXT, INTEGER, TEXTS, ROWS = Shape.TEXT, Shape.INTEGER, Shape.TEXTS, Shape.ROWS
LIMIT: Final = Parameter("limit", Integer(1, 1000), "Maximum number of rows (default 100).", "limit", is_optional=True)

# fmt: off
CACHE: Final = (
    Field("total", INTEGER, "Total number of rows."),
    Field("shown", INTEGER, "Number of rows in `rows`."),
    Field("rows", ROWS, "Answers of DNS that workers keep.", fields=(
        Field("worker", INTEGER, "The worker that keeps it.", "worker"),
        Field("kind", TEXT, "`host` (A, AAAA), `servers` (NAPTR, SRV) or `enum`.", "kind"),
        Field("name", TEXT, "The name that was asked for.", "name"),
        Field("values", TEXTS, "What it has; nothing where there is no such name or record.", "records"),
        Field("expires_s", INTEGER, "Seconds until it expires.", "expires"),
        Field("state", TEXT, "`valid`, `expired`, or `stale`: in use because DNS does not respond.", "state"),
    )),
)
HOSTS: Final = (
    Field("total", INTEGER, "Total number of rows."),
    Field("shown", INTEGER, "Number of rows in `rows`."),
    Field("rows", ROWS, "Next hops that are left alone for a while.", fields=(
        Field("worker", INTEGER, "The worker that leaves it alone.", "worker"),
        Field("transport", TEXT, "The transport.", "transport"),
        Field("address", TEXT, "The address.", "address"),
        Field("port", INTEGER, "The port.", "port"),
        Field("state", TEXT, "The reason.", "reason"),
        Field("seconds", INTEGER, "Seconds left.", "seconds"),
    )),
)
RESOLVED: Final = (
    Field("steps", ROWS, "The queries, in order.", fields=(
        Field("query", TEXT, "Type and name.", "query"),
        Field("records", TEXTS, "The records.", "records"),
        Field("ttl_s", INTEGER, "How long they are valid.", "ttl"),
        Field("result", TEXT, "`found`, `none` or `no response`.", "result"),
    )),
    Field("targets", ROWS, "Where a request would be sent, in the order tried.", fields=(
        Field("transport", TEXT, "The transport.", "transport"),
        Field("address", TEXT, "The address.", "address"),
        Field("port", INTEGER, "The port.", "port"),
        Field("listener", TEXT, "The listener that sends it.", "listener"),
    )),
    Field("outcome", TEXT, "The result."),
)
DNS_COMMANDS: Final[tuple[Command, ...]] = (
    show("show dns cache", "Answers of DNS that workers keep.", "show dns cache", (LIMIT,), CACHE, True),
    show("show dns hosts", "Next hops that failed, or asked for a pause.", "show dns hosts", (LIMIT,), HOSTS, True),
    act("clear dns cache", "Forget answers of DNS; they are requested again when they are needed.", "clear dns cache",
        (Parameter("name", Text(253, "NAME"), "Only answers about this name.", is_optional=True),), CLEARED),
    Command(("resolve",), "Find the servers of a host name or URI by DNS, step by step; nothing is sent to them.",
            "resolve", (
                Parameter("name", Text(2048, "NAME"), "A host name such as example.com, or a SIP URI."),
                Parameter("transport", Choice(TRANSPORT_NAMES, tuple(f"{name.upper()}." for name in TRANSPORT_NAMES)),
                          "The transport of the URI.", "transport", is_optional=True),
            ), RESOLVED, Right.VIEW, Mode.EXEC),
)
# fmt: on
