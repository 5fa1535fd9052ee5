"""The request that one branch sends (RFC 3261 16.6, RFC 5658, RFC 3327)."""

from __future__ import annotations

from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.proxy.dialogs import token_to_sender
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.fast_settings import ListenerRules
from appliance.proxy.forwarding import add_record_route, address_to_hop, prepare_request
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stages.loose_route import loose_route
from appliance.routing.targets import Target
from appliance.security.nonce_counts import NonceCounts
from appliance.security.nonces import Nonces
from appliance.sip.message import Request
from appliance.sip.names import FROM, MAX_FORWARDS, RECORD_ROUTE, ROUTE, TO, VIA
from appliance.sip.parser import SyntaxLimits, parse
from appliance.sip.uri import parse_uri
from appliance.transaction.table import Transactions
from appliance.transport.flow import TCP, TLS, UDP, Flow
from appliance.worker_group.connection_directory import ConnectionDirectory
from tests.tables import new_table

LISTENERS = (ListenerSettings(name="v4", address="192.0.2.1"), ListenerSettings(name="v6", address="2001:db8::1"))
SETTINGS = Settings(domains=("example.com",), listeners=LISTENERS)
HERE_UDP = Flow(UDP, 0, ("192.0.2.101", 5060))


def node() -> ProxyEnvironment:
    counters = [0] * 200
    transactions = Transactions(SETTINGS.timers, 100, counters)
    connections = ConnectionDirectory(0)
    bindings = new_table()
    key = b"0123456789abcdef"
    nonces = Nonces(key, b"", 0, 300.0, NonceCounts(bytearray(64)))
    return ProxyEnvironment(SETTINGS, 0, key, counters, transactions, bindings, connections, nonces)


def context(*lines: str, uri: str = "sip:bob@example.com", method: str = "INVITE", to_tag: str = "") -> RequestContext:
    head = [
        f"{method} {uri} SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.101;branch=z9hG4bKa",
        "From: <sip:alice@example.com>;tag=1",
        f"To: <sip:bob@example.com>{to_tag}",
        "Call-ID: call",
        f"CSeq: 1 {method}",
        *lines,
        "",
        "",
    ]
    request = parse("\r\n".join(head).encode(), SyntaxLimits())
    assert isinstance(request, Request)
    return RequestContext(request, HERE_UDP, ListenerRules(LISTENERS[0]))


def target(uri: bytes = b"sip:bob@192.0.2.4", path: tuple[bytes, ...] = ()) -> Target:
    return Target(parse_uri(uri), path=path)


def test_max_forwards_is_counted_down_or_put_in() -> None:
    """RFC 3261 16.6 step 3."""
    assert prepare_request(context("Max-Forwards: 7"), target(), node())[0].first(MAX_FORWARDS) == b"6"
    assert prepare_request(context(), target(), node())[0].first(MAX_FORWARDS) == b"70"


def test_the_received_request_stays_as_it_was() -> None:
    """RFC 3261 16.6 step 1: each branch works on a copy."""
    received = context("Max-Forwards: 7")
    before = received.request.lines.copy()
    prepared, _ = prepare_request(received, target(path=(b"<sip:192.0.2.50;lr>",)), node())
    address_to_hop(prepared, received, Flow(TCP, 0, ("192.0.2.4", 5060)), 0, node())
    assert received.request.lines == before
    assert received.request.uri_text == b"sip:bob@example.com"


def test_the_path_of_a_binding_is_its_route_set() -> None:
    """RFC 3327 5.3."""
    request, hop = prepare_request(context(), target(path=(b"<sip:192.0.2.50;lr>", b"<sip:192.0.2.51;lr>")), node())
    assert request.values(ROUTE) == [b"<sip:192.0.2.50;lr>", b"<sip:192.0.2.51;lr>"]
    assert hop.text == b"sip:192.0.2.50;lr"


def test_a_strict_router_is_the_next_hop_and_the_request_uri() -> None:
    """RFC 3261 16.6 steps 6 and 7, 16.12.1.2."""
    request, hop = prepare_request(context("Route: <sip:192.0.2.60>, <sip:192.0.2.61;lr>"), target(), node())
    assert request.uri_text == hop.text == b"sip:192.0.2.60"
    assert request.values(ROUTE) == [b"<sip:192.0.2.61;lr>", b"<sip:bob@192.0.2.4>"]


def test_one_record_route_where_both_sides_are_alike_and_two_where_not() -> None:
    """RFC 3261 16.6 step 4, RFC 5658."""
    received = context()
    received.record_routed = True
    same, _ = prepare_request(received, target(), node())
    add_record_route(same, received, Flow(UDP, 0, ("192.0.2.4", 5060)), node(), 0.0)
    assert len(same.values(RECORD_ROUTE)) == 1
    other, _ = prepare_request(received, target(), node())
    add_record_route(other, received, Flow(UDP, 1, ("2001:db8::4", 5060)), node(), 0.0)
    towards, back = other.values(RECORD_ROUTE)
    assert towards.startswith(b"<sip:[2001:db8::1]:5060;lr;") and back.startswith(b"<sip:192.0.2.1:5060;lr;")


def test_a_via_names_the_hop_s_listener_and_transport() -> None:
    """RFC 3261 16.6 step 8, 18.1.1."""
    request, _ = prepare_request(context(), target(), node())
    branch = address_to_hop(request, context(), Flow(TCP, 1, ("2001:db8::4", 5060)), 0, node())
    assert request.values(VIA)[0] == b"SIP/2.0/TCP [2001:db8::1]:5060;branch=" + branch


def test_a_tls_connection_of_ours_may_be_used_both_ways_and_no_other() -> None:
    """RFC 5923 8.1: not TCP, where nothing is proved, and not the connection that a phone has opened."""
    server = Flow(TLS, 0, ("192.0.2.4", 5061), name="carrier.example")
    phone = Flow(TLS, 0, ("192.0.2.102", 40001), 0, 7)
    vias = []
    for hop in (server, phone, Flow(TCP, 0, ("192.0.2.4", 5060))):
        prepared, _ = prepare_request(context(), target(), node())
        address_to_hop(prepared, context(), hop, 0, node())
        vias.append(prepared.values(VIA)[0])
    assert [via.endswith(b";alias") for via in vias] == [True, False, False]


def test_each_attempt_has_a_branch_of_its_own() -> None:
    """RFC 3263 4.3: another hop is another client transaction."""
    branches = set()
    for attempt, address in enumerate(("192.0.2.4", "192.0.2.5", "192.0.2.4")):
        request, _ = prepare_request(context(), target(), node())
        branches.add(address_to_hop(request, context(), Flow(UDP, 0, (address, 5060)), attempt, node()))
    assert len(branches) == 3


# -- loose routing (RFC 3261 16.4) -------------------------------------------------------------------------


def token(target: str = "sip:bob@192.0.2.4") -> str:
    """What the entry of our Record-Route would say to one whose dialog with that target, by tag 2, was let through."""
    made_by = context(f"Contact: <{target}>", to_tag="")
    made_by.flow = Flow(UDP, 0, (parse_uri(target.encode()).host.decode().strip("[]"), 5060))
    made_by.request.replace(FROM, b"<sip:bob@example.com>;tag=2")
    made_by.request.replace(TO, b"<sip:alice@example.com>")
    return token_to_sender(made_by.request, made_by, HERE_UDP, node(), 0.0).decode()


def test_our_own_route_goes_and_a_good_token_marks_the_dialog() -> None:
    received = context(
        f"Route: <sip:192.0.2.1;lr;tk={token()}>", uri="sip:bob@192.0.2.4", method="BYE", to_tag=";tag=2"
    )
    loose_route(received, node(), 0.0)
    assert received.is_in_dialog
    assert not received.request.count(ROUTE)
    assert [one.uri_text for one in received.targets] == [b"sip:bob@192.0.2.4"]


def test_a_token_without_a_to_tag_or_of_another_call_marks_nothing() -> None:
    """RFC 3261 12.2.2."""
    for lines, tag in ((f"Route: <sip:192.0.2.1;lr;tk={token()}>", ""), ("Route: <sip:192.0.2.1;lr;tk=00>", ";tag=2")):
        received = context(lines, method="BYE", to_tag=tag)
        loose_route(received, node(), 0.0)
        assert not received.is_in_dialog


def test_both_routes_of_a_pair_go_and_the_second_names_the_way_out() -> None:
    """RFC 5658."""
    tk = token("sip:bob@[2001:db8::4]")
    routes = f"Route: <sip:192.0.2.1;lr;tk={tk};pair>, <sip:[2001:db8::1]:5060;lr;tk={tk};pair>"
    received = context(routes, uri="sip:bob@[2001:db8::4]", method="BYE", to_tag=";tag=2")
    loose_route(received, node(), 0.0)
    assert received.is_in_dialog
    assert not received.request.count(ROUTE)
    assert received.way_out == 1


def test_another_proxy_s_route_stays() -> None:
    received = context("Route: <sip:192.0.2.1;lr>, <sip:192.0.2.60;lr>")
    loose_route(received, node(), 0.0)
    assert received.request.values(ROUTE) == [b"<sip:192.0.2.60;lr>"]
    assert not received.is_in_dialog
