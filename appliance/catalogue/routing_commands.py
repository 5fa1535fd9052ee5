"""The commands about routing, and the fields of their results."""

from __future__ import annotations

from typing import Final

from appliance.catalogue.command_declaration import Command, Field, Parameter, Shape, act, show
from appliance.catalogue.results import CLEARED
from appliance.catalogue.value_types import Integer, Name

TEXT, INTEGER, NUMBER, TEXTS, ROWS = Shape.TEXT, Shape.INTEGER, Shape.NUMBER, Shape.TEXTS, Shape.ROWS
LIMIT: Final = Parameter("limit", Integer(1, 1000), "Maximum number of rows (default 100).", "limit", is_optional=True)

# fmt: off
LOOKUPS: Final = (
    Field("lookups", ROWS, "One row per lookup, of all workers together.", fields=(
        Field("name", TEXT, "The lookup.", "lookup"),
        Field("protocol", TEXT, "`sql`, `http`, `ldap` or `whois++`.", "protocol"),
        Field("asked", INTEGER, "Questions to it.", "asked"),
        Field("found", INTEGER, "Answers with a route.", "found"),
        Field("empty", INTEGER, "Answers that there is none.", "empty"),
        Field("failed", INTEGER, "Questions without an answer that can be used.", "failed"),
        Field("refused", INTEGER, "Of these, questions not asked because too many waited.", "refused"),
        Field("mean_ms", NUMBER, "Mean time of an answer in milliseconds.", "mean ms"),
        Field("cached", INTEGER, "Answers kept.", "cached"),
        Field("hits", INTEGER, "Calls that found their answer among these.", "hits"),
        Field("since", NUMBER, "When the last failure was (unix time); empty for none.", "last failure"),
        Field("fault", TEXT, "Why.", "reason"),
    )),
)
ROUTING_FAILURES: Final = (
    Field("total", INTEGER, "Total number of rows."),
    Field("shown", INTEGER, "Number of rows in `rows`."),
    Field("rows", ROWS, "Calls to numbers that found no way, the latest first.", fields=(
        Field("wall_time", NUMBER, "When it was (unix time).", "time"),
        Field("worker", INTEGER, "The worker."),
        Field("called", TEXT, "The Request-URI.", "called"),
        Field("caller", TEXT, "The URI in From.", "caller"),
        Field("source", TEXT, "The address that it came from.", "source"),
        Field("status", INTEGER, "The status of the answer.", "status"),
        Field("reason", TEXT, "The reason of the answer.", "reason"),
        Field("steps", TEXTS, "The rules that were passed.", "rules"),
        Field("call_id", TEXT, "The Call-ID."),
    )),
)
ROUTING_COUNTERS: Final = (
    Field("total", INTEGER, "Number of entries counted."),
    Field("shown", INTEGER, "Number of rows in `rows`."),
    Field("uncounted", INTEGER, "Calls by entries beyond `limits routing counters`."),
    Field("rows", ROWS, "Entries of route tables, those that most calls have followed first.", fields=(
        Field("table", TEXT, "The table.", "table"),
        Field("prefix", TEXT, "The prefix.", "prefix"),
        Field("action", TEXT, "The action.", "action"),
        Field("calls", INTEGER, "Calls that have followed it.", "calls"),
    )),
)
ROUTE_SOURCES: Final = (
    Field("tables", ROWS, "One row per route table that is read from a database.", fields=(
        Field("table", TEXT, "The table.", "table"),
        Field("state", TEXT, "`waiting`, `reading` or `failed`; `not read` without server or statement.", "state"),
        Field("rows", INTEGER, "Rows that the last read found.", "rows"),
        Field("read_at", NUMBER, "When it was read last, without a fault (unix time); empty for never.", "last read"),
        Field("changed_at", NUMBER, "When its rows were other ones than before (unix time).", "last change"),
        Field("took_s", NUMBER, "Seconds that the last read took.", "took s"),
        Field("every_s", INTEGER, "Seconds from read to read.", "every s"),
        Field("reads", INTEGER, "Reads since the lookup server was started.", "reads"),
        Field("failures", INTEGER, "Of these, reads that failed, or whose rows were refused.", "failed"),
        Field("changes", INTEGER, "Of these, reads that changed the table.", "changed"),
        Field("fault", TEXT, "Why the last read failed.", "reason"),
    )),
)
ROUTING_COMMANDS: Final[tuple[Command, ...]] = (
    show("show lookups", "Lookups: answers, failures, time, and what is kept.", "show lookups", (), LOOKUPS, True),
    show("show routing failures", "The last calls to telephone numbers that found no way, and why.",
         "show routing failures", (LIMIT,), ROUTING_FAILURES, True),
    show("show routing counters", "Calls by entry of the route tables, as far as `limits routing counters` says.",
         "show routing counters", (
             Parameter("table", Name(), "Only this table.", "table", is_optional=True), LIMIT), ROUTING_COUNTERS, True),
    show("show route-sources", "Route tables that are read from databases: the last read, and its fault.",
         "show route-sources", (), ROUTE_SOURCES, True),
    act("refresh route-table", "Read a route table from its database now, or all of them.", "refresh route-table",
        (Parameter("table", Name(), "Only this table.", is_optional=True),),
        (Field("text", TEXT, "The result."),)),
    act("clear routing counters", "Count the calls by entry anew.", "clear routing counters", (), CLEARED),
)
# fmt: on
