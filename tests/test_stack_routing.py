"""What operators see of routing in a stack: `show routing failures`, and what lookups have left."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from appliance.catalogue.condition_settings import ConditionSettings
from appliance.catalogue.lookup_settings import LookupSettings
from appliance.messages.routing_messages import (
    ClearRouteCounts,
    ListLookupCaches,
    ListRouteCounts,
    ListRoutingFailures,
    LookupCacheRow,
)
from appliance.messages.worker_requests import DryRun
from appliance.routing.lookup_questions import RoutesAnswer
from appliance.routing.route_csv import read_csv
from appliance.routing.route_tables import RouteTables
from appliance.stack import Stack
from tests.stack_bench import ALICE, NOW, SETTINGS, request, sent, stack
from tests.test_stack_operated import MAIN, ask, with_listeners

LOOKUP = LookupSettings("customers", servers=("http://127.0.0.1/{number}",))
ROWS = ("table,prefix,action", "default,+1,reject 403 Barred", "default,+44,lookup customers")


def core(relay: str = "any") -> Stack:
    """A stack that routes numbers by ROWS."""
    settings = with_listeners(replace(SETTINGS, lookups=(LOOKUP,)), replace(MAIN, role="core", relay=relay))
    one = stack(settings=settings)
    one.use_routes(RouteTables(memoryview(read_csv(ROWS).octets())))
    return one


def call(one: Stack, number: str) -> list[str]:
    """The starts of what is sent when a number is called."""
    invite = request("INVITE", f"sip:{number}@example.com", f"call-{number}")
    one.receive_datagrams([(invite, ALICE)], NOW)
    return [message.start for message in sent(one)]


def test_calls_that_find_no_way_are_noted_with_the_rules_that_they_passed() -> None:
    one = core()
    assert call(one, "+1900") == ["SIP/2.0 403 Barred"]
    reply = ask(one, ListRoutingFailures())
    (row,) = reply.rows
    assert (reply.total, row.called, row.status, row.reason) == (1, "sip:+1900@example.com", 403, "Barred")
    assert row.steps == ["+1 in table default: reject 403 Barred"]


def test_a_lookup_that_fails_is_noted_and_one_that_answers_is_kept() -> None:
    one = core()
    assert call(one, "+4420") == []
    (question,) = one.questions_to_ask()
    one.receive_answers([question.unknown()], NOW)
    assert [message.start for message in sent(one)] == ["SIP/2.0 503 Number Lookup Failed"]
    (row,) = ask(one, ListRoutingFailures()).rows
    assert row.steps[-1] == "lookup customers does not answer"
    assert ask(one, ListLookupCaches()).rows == [LookupCacheRow("customers", 0, 0)]
    assert call(one, "+4421") == []
    (question,) = one.questions_to_ask()
    one.receive_answers([RoutesAnswer(question.id, ("reject 404 Gone",), False)], NOW)
    assert [message.start for message in sent(one)] == ["SIP/2.0 404 Gone"]
    assert ask(one, ListLookupCaches()).rows[0].cached == 1


def test_the_latest_comes_first_and_what_strangers_are_refused_is_not_there() -> None:
    one = core()
    for number in ("+1900", "+1901"):
        call(one, number)
    assert [row.called for row in ask(one, ListRoutingFailures(limit=1)).rows] == ["sip:+1901@example.com"]
    closed = core("none")
    assert call(closed, "+1900") == ["SIP/2.0 403 Barred"]
    assert ask(closed, ListRoutingFailures()).total == 0


def test_a_dry_run_leaves_none() -> None:
    one = core()
    ask(one, DryRun("+1900", "", "", "", False, []))
    assert ask(one, ListRoutingFailures()).total == 0


def test_entries_are_counted_on_demand_and_bounded() -> None:
    rows = (*ROWS[:2], "default,+2,table other", "other,any,reject 404 None")
    one = core()
    one.use_routes(RouteTables(memoryview(read_csv(rows).octets())))
    call(one, "+1900")
    assert ask(one, ListRouteCounts()).rows == []
    settings = with_listeners(SETTINGS, replace(MAIN, role="core", relay="any"))
    one.reconfigure(replace(settings, limits=replace(settings.limits, route_counts_max=2)), NOW)
    for number in ("+1900", "+2001", "+1901"):
        call(one, number)
    reply = ask(one, ListRouteCounts())
    assert [(row.table, row.prefix, row.calls) for row in reply.rows] == [("default", "+1", 2), ("default", "+2", 1)]
    assert (reply.total, reply.uncounted) == (2, 1)
    assert ask(one, ListRouteCounts("other")).rows == []
    # A dry run is no call.
    ask(one, DryRun("+1900"))
    assert ask(one, ListRouteCounts()).rows[0].calls == 2
    assert ask(one, ClearRouteCounts()).count == 2
    assert ask(one, ListRouteCounts()).uncounted == 0


def with_condition(condition: ConditionSettings, *rows: str) -> Stack:
    """A stack that routes numbers by rows of which some have a condition."""
    settings = replace(SETTINGS, conditions=(condition,))
    one = stack(settings=with_listeners(settings, replace(MAIN, role="core", relay="any")))
    head = "table,prefix,action,condition"
    one.use_routes(RouteTables(memoryview(read_csv((head, *rows)).octets())))
    return one


def test_a_dry_run_shows_what_would_be_at_another_time() -> None:
    night = ConditionSettings("night", timezone="UTC", times=("2026-01-01T22:00 06:00 FREQ=DAILY",))
    one = with_condition(night, "default,+1,reject 403 By Night,night", "default,any,reject 404 By Day,")
    moments = {hour: datetime(2026, 6, 1, hour, tzinfo=UTC).timestamp() for hour in (12, 23)}
    routes = {hour: ask(one, DryRun("+1900", date=moment)) for hour, moment in moments.items()}
    assert {hour: route.stages[-1].answer for hour, route in routes.items()} == {12: "404", 23: "403"}
    (note,) = [stage.note for stage in routes[12].stages if stage.stage == "route"]
    assert "+1 in table default: reject 403 By Night is passed over, as condition night does not hold" in note


def test_a_dry_run_may_offer_a_codec() -> None:
    video = ConditionSettings("video", media=("h264",))
    one = with_condition(video, "default,+1,reject 488 No Video Here,video", "default,any,reject 404 None,")
    assert ask(one, DryRun("+1900", media="h264")).stages[-1].answer == "488"
    assert ask(one, DryRun("+1900")).stages[-1].answer == "404"
