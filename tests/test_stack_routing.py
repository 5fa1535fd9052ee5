"""What operators see of routing in a stack: `show routing failures`, and what lookups have left."""

from __future__ import annotations

from dataclasses import replace

from appliance.catalogue.lookup_settings import LookupSettings
from appliance.messages.routing_messages import ListLookupCaches, ListRoutingFailures, LookupCacheRow
from appliance.messages.worker_requests import DryRun
from appliance.routing.lookup_questions import RoutesAnswer
from appliance.routing.route_csv import RouteReader
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
    one.use_routes(RouteTables(memoryview(RouteReader().read(ROWS).octets())))
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
