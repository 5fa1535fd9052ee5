"""The dry run of a request (`test route`): the stages of any listener and role, and nothing is changed by it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from appliance.catalogue.condition_settings import ConditionSettings
from appliance.catalogue.limit_settings import RateLimitSettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.messages.worker_requests import DryRun, LookupNeeded, LookupResult, RateLimitRow, Route
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.request_context import RequestContext
from appliance.proxy.roles import ROLES
from appliance.proxy.stage_chain import Role
from appliance.proxy.stage_results import CONTINUE, FORWARD, Drop, StageResult
from appliance.proxy.stages.locate import locate
from appliance.proxy.stages.throttle import throttle
from appliance.routing.route_csv import read_csv
from appliance.routing.route_tables import RouteTables
from appliance.sip.uri import parse_uri
from appliance.stack import Stack
from tests.stack_bench import ALICE, NOW, SETTINGS, register, request, sent, stack
from tests.test_stack_operated import MAIN, ask, limit_of, with_listeners

FROM_ALICE = {"caller": "sip:alice@example.com"}
CLOSED = ListenerSettings(name="closed", address="192.0.2.2", relay="none", authenticate=False)
GUARDED = replace(MAIN, authenticate=True)


def tried(one: Stack, uri: str, **args: Any) -> Any:
    return ask(one, DryRun(uri=uri, **args))


def decisions(route: Route) -> dict[str, str]:
    return {stage.stage: stage.answer for stage in route.stages}


def notes(route: Route) -> dict[str, str]:
    return {stage.stage: stage.note for stage in route.stages if stage.note}


def guarded(settings: Settings = SETTINGS) -> Stack:
    return stack(settings=with_listeners(settings, GUARDED))


def test_every_stage_of_the_role_decides_and_nothing_is_sent_or_counted() -> None:
    one = stack()
    one.receive_datagrams([(register(), ALICE)], NOW)
    sent(one)
    before = list(one.counters)
    route = tried(one, "sip:alice@example.com", caller="sip:bob@example.com")
    assert decisions(route) == dict.fromkeys(ROLES["user"].names, "continue")
    assert notes(route) == {"locate": "1 target", "record_route": "Record-Route is added"}
    assert route.targets[0].hops == ["udp 192.0.2.101:5060"]
    assert route.outcome == "It is forwarded to 1 target."
    assert (sent(one), one.questions_to_ask(), one.counters) == ([], [], before)


def test_it_stops_where_the_request_would() -> None:
    one = stack(settings=with_listeners(SETTINGS, replace(MAIN, relay="none")))
    assert tried(one, "sip:x@foreign.test").outcome == "`relay` answers 403 Relaying Denied."
    asks = tried(one, "sip:nobody@example.com")
    assert asks.outcome == "It waits at `locate`: the database would be asked for nobody@example.com."
    assert tried(one, "tel:4711").outcome == "`validate` answers 416 Unsupported URI Scheme."


@pytest.mark.parametrize(
    ("typed", "uri"),
    [
        ("4711", "sip:4711@example.com"),
        ("+49-30-4711", "sip:+49-30-4711@example.com"),
        ("bob@192.0.2.60", "sip:bob@192.0.2.60"),
        ("192.0.2.60:5070", "sip:192.0.2.60:5070"),
    ],
)
def test_a_number_is_a_user_of_the_first_domain(typed: str, uri: str) -> None:
    route = tried(stack(), typed, known=[LookupResult("subscriber", uri[4:], [])])
    if "example.com" in uri:
        assert uri[4:] in route.outcome
    else:
        assert route.targets[0].uri == uri


def test_what_is_no_uri_and_no_listener_is_an_error() -> None:
    assert "invalid URI" in tried(stack(), "\r\n").sentence
    assert "no listener `x` is open" in tried(stack(), "sip:x@192.0.2.9", listener="x").sentence


# -- listeners and roles -----------------------------------------------------------------------------


def test_the_request_arrives_at_the_listener_that_is_named() -> None:
    one = stack(settings=with_listeners(SETTINGS, MAIN, CLOSED))
    assert tried(one, "sip:x@192.0.2.9").outcome == "It is forwarded to 1 target."
    assert tried(one, "sip:x@192.0.2.9", listener="main").outcome == "It is forwarded to 1 target."
    assert tried(one, "sip:x@192.0.2.9", listener="closed").outcome == "`relay` answers 403 Relaying Denied."


def test_a_peer_of_the_listener_is_known_by_the_source() -> None:
    one = stack(settings=with_listeners(SETTINGS, replace(CLOSED, relay="authenticated", peers=("192.0.2.70",))))
    assert tried(one, "sip:x@192.0.2.9", source="192.0.2.71").outcome.startswith("`relay` answers 403")
    assert tried(one, "sip:x@192.0.2.9", source="192.0.2.70").outcome == "It is forwarded to 1 target."


def test_the_stages_are_those_of_the_role_of_the_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    def redirect_number(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
        context.request.set_uri(parse_uri(b"sip:bob@192.0.2.60"))
        context.targets = (context.named_target(),)
        return CONTINUE

    def send(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
        return FORWARD

    def discard(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
        return Drop(0)

    monkeypatch.setitem(ROLES, "user", Role((redirect_number, send, locate)))
    route = tried(stack(), "4711")
    assert decisions(route) == {"redirect_number": "continue", "send": "forward"}
    assert notes(route) == {"redirect_number": "the Request-URI becomes sip:bob@192.0.2.60, 1 target"}
    assert [target.hops for target in route.targets] == [["udp 192.0.2.60:5060"]]
    monkeypatch.setitem(ROLES, "user", Role((throttle, discard)))
    assert tried(stack(), "4711").outcome == "`discard` drops it without a response."


# -- authentication ----------------------------------------------------------------------------------


def test_a_user_of_ours_is_taken_for_authenticated() -> None:
    one = guarded()
    route = tried(one, "sip:x@192.0.2.9", **FROM_ALICE)
    assert notes(route)["authenticate"] == "digest authentication assumed successful"
    assert route.outcome == "It is forwarded to 1 target."


def test_the_challenge_is_shown_of_a_caller_who_does_not_answer_it() -> None:
    route = tried(guarded(), "sip:x@192.0.2.9", is_unauthenticated=True, **FROM_ALICE)
    assert route.outcome == "`authenticate` answers 407 Proxy Authentication Required."


def test_a_caller_of_another_domain_is_refused() -> None:
    strange = tried(guarded(), "sip:x@192.0.2.9", caller="sip:alice@elsewhere.test")
    assert strange.outcome == "`authenticate` answers 403 Address In Another Domain."


def test_a_caller_is_not_authenticated_where_the_listener_asks_for_nothing() -> None:
    one = stack(settings=with_listeners(SETTINGS, replace(CLOSED, relay="authenticated")))
    assert tried(one, "sip:x@192.0.2.9", **FROM_ALICE).outcome == "`relay` answers 403 Relaying Denied."


# -- rate limits -------------------------------------------------------------------------------------


def test_a_rate_limit_is_seen_and_no_token_is_taken() -> None:
    limit = RateLimitSettings(name="calls", of="requests", per="source", rate_per_s=1, burst=1)
    one = stack(settings=replace(SETTINGS, rate_limits=(limit,)))
    for _ in range(3):
        assert tried(one, "sip:x@192.0.2.9", source="192.0.2.101").outcome == "It is forwarded to 1 target."
    one.receive_datagrams([(request("OPTIONS", "sip:example.com"), ALICE)], NOW)
    assert sent(one)[0].start == "SIP/2.0 200 OK"
    refused = tried(one, "sip:x@192.0.2.9", source="192.0.2.101")
    assert refused.outcome == "`throttle` answers 503 Rate Limit Exceeded."
    assert limit_of(one, "calls") == RateLimitRow("calls", passed=1, exceeded=0, keys=1, hit=[])


# -- look-ups ----------------------------------------------------------------------------------------


def test_it_continues_with_what_the_database_says() -> None:
    one = stack()
    (question,) = tried(one, "sip:nobody@example.com").lookups
    fields = {"username": "nobody", "realm": "example.com"}
    assert question == LookupNeeded("subscriber", "nobody@example.com", fields)
    for found, outcome in (
        (["nobody"], "`locate` answers 480 Temporarily Unavailable, as the database says of nobody@example.com."),
        ([], "`locate` answers 404 Not Found, as the database says of nobody@example.com."),
        (None, "`locate` answers 480 Temporarily Unavailable, because the database does not answer."),
    ):
        known = [LookupResult("subscriber", "nobody@example.com", found)]
        assert tried(one, "sip:nobody@example.com", known=known).outcome == outcome
    assert tried(one, "sip:nobody@example.com").lookups, "nothing of it is remembered"


def test_it_continues_with_what_dns_says() -> None:
    one = stack()
    uri = "sip:x@gw.example.net:5070;transport=tcp"
    assert tried(one, uri).lookups == [LookupNeeded("host", "gw.example.net", {"host": "gw.example.net"})]
    for addresses, hops in (
        (["192.0.2.9"], ["tcp 192.0.2.9:5070"]),
        ([], ["DNS has no address for gw.example.net"]),
        (None, ["no response from DNS for gw.example.net"]),
    ):
        route = tried(one, uri, known=[LookupResult("host", "gw.example.net", addresses)])
        assert (route.targets[0].hops, route.lookups) == (hops, [])


def test_a_record_of_an_enum_tree_that_leads_to_a_gateway_is_shown_as_not_followed() -> None:
    """RFC 6116; docs/routing.md: whether it has the address of the gateway, or a name that DNS gives that address."""
    one = stack(settings=with_listeners(SETTINGS, replace(MAIN, role="core", relay="any")))
    lines = ["table,prefix,action,priority", "default,+44,enum e164.arpa,1", "default,+44,sip:192.0.2.201,2"]
    one.use_routes(RouteTables(memoryview(read_csv(lines).octets())))
    rule = "1\t{}\tu\tE2U+sip\t!^.*$!sip:x@{}!"
    records = [rule.format(1, "192.0.2.201"), rule.format(2, "stranger.example"), rule.format(3, "192.0.2.9")]
    known = [LookupResult("enum", "0.2.4.4.e164.arpa", records)]
    known.append(LookupResult("servers", "NAPTR stranger.example", []))
    known.append(LookupResult("servers", "SRV _sip._udp.stranger.example", ["1 1 5060 x.stranger.example"]))
    known.append(LookupResult("servers", "SRV _sip._tcp.stranger.example", []))
    known.append(LookupResult("host", "x.stranger.example", ["192.0.2.201"]))
    barred = "not followed: this appliance, a peer or a gateway"
    hops = [target.hops for target in tried(one, "+4420", known=known).targets]
    assert hops == [[barred], [barred], ["udp 192.0.2.9:5060"], ["udp 192.0.2.201:5060"]]


def test_another_method_than_invite_may_be_tried() -> None:
    """docs/routing.md: a condition may name methods."""
    settings = replace(SETTINGS, conditions=(ConditionSettings("texts", methods=("MESSAGE",)),))
    one = stack(settings=with_listeners(settings, replace(MAIN, role="core", relay="any")))
    head = "table,prefix,action,priority,condition"
    lines = [head, "default,+1,sip:192.0.2.201,1,texts", "default,any,sip:192.0.2.202,1,"]
    one.use_routes(RouteTables(memoryview(read_csv(lines).octets())))
    hosts = [tried(one, "+1973", **named).targets[0].uri.partition("@")[2] for named in ({"method": "MESSAGE"}, {})]
    assert hosts == ["192.0.2.201;user=phone", "192.0.2.202;user=phone"]


def test_rules_of_route_tables_are_shown_with_all_next_hops() -> None:
    """RFC 3261 16.5: `test route NUMBER` says which rules decide."""
    one = stack(settings=with_listeners(SETTINGS, replace(MAIN, role="core", relay="any")))
    lines = [
        "table,prefix,action,priority",
        "default,any,table carriers,0",
        "carriers,+1,sip:192.0.2.201,1",
        "carriers,+1,sip:192.0.2.202,2",
        "carriers,+1900,reject 403 Barred,0",
    ]
    one.use_routes(RouteTables(memoryview(read_csv(lines).octets())))
    route = tried(one, "+1973")
    assert notes(route)["route"] == (
        "any in table default: table carriers, +1 in table carriers: sip:192.0.2.201, "
        "+1 in table carriers: sip:192.0.2.202, 1 target"
    )
    assert [target.uri for target in route.targets] == [
        "sip:+1973@192.0.2.201;user=phone",
        "sip:+1973@192.0.2.202;user=phone",
    ]
    route = tried(one, "+1900")
    assert route.outcome.startswith("`route` answers 403 Barred, any in table default: table carriers")
