"""Which requests a token in our Record-Route admits (RFC 3261 12.2, 16.6 step 4, 16.7 step 8)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.catalogue.proxy_settings import ProxySettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.proxy.dialogs import (
    MOVED,
    NEW,
    PAIR,
    admission_of,
    begins_nothing,
    bind_to_answer,
    is_expected,
    route_uri,
    token_to_sender,
)
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.fast_settings import ListenerRules
from appliance.proxy.request_context import RequestContext
from appliance.security.dialog_token import AT_SOURCE, RELAYS
from appliance.security.nonce_counts import NonceCounts
from appliance.security.nonces import Nonces
from appliance.sip.message import Request, Response
from appliance.sip.names import CONTACT, RECORD_ROUTE, ROUTE
from appliance.sip.parser import SyntaxLimits, parse
from appliance.transaction.table import Transactions
from appliance.transport.flow import UDP, Flow
from appliance.worker_group.connection_directory import ConnectionDirectory
from tests.tables import new_table

SETTINGS = Settings(domains=("example.com",), listeners=(ListenerSettings(name="v4", address="192.0.2.1"),))
NOW = 100.0
US = "<sip:192.0.2.1:5060;lr;tk={}>"
ALICE = "sip:alice@192.0.2.101"
BOB = "sip:bob@192.0.2.102"
ALICES = "<sip:alice@example.com>"
BOBS = "<sip:bob@example.com>"
CALLER = Flow(UDP, 0, ("192.0.2.101", 5060))
CALLEE = Flow(UDP, 0, ("192.0.2.102", 5060))
EDGE = Flow(UDP, 0, ("192.0.2.50", 5060))
STRANGER = Flow(UDP, 0, ("203.0.113.9", 5060))


def node(lifetime_s: int = 86400, key: bytes = b"0123456789abcdef") -> ProxyEnvironment:
    settings = replace(SETTINGS, proxy=ProxySettings(dialog_lifetime_s=lifetime_s))
    counters = [0] * 200
    transactions = Transactions(settings.timers, 100, counters)
    nonces = Nonces(key, b"", 0, 300.0, NonceCounts(bytearray(64)))
    bindings, connections = new_table(), ConnectionDirectory(0)
    node = ProxyEnvironment(settings, 0, key, counters, transactions, bindings, connections, nonces)
    node.wall_offset_s = 1_700_000_000.0
    return node


def message(start: str, caller: str, callee: str, *lines: str, parties: str = "") -> Request | Response:
    from_party, to_party = (parties or f"{ALICES} {BOBS}").split()
    method = "INVITE" if start.startswith("SIP/") else start.partition(" ")[0]
    head = [
        start,
        "Via: SIP/2.0/UDP 192.0.2.101;branch=z9hG4bKa",
        f"From: {from_party}{caller and ';tag=' + caller}",
        f"To: {to_party}{callee and ';tag=' + callee}",
        "Call-ID: call",
        f"CSeq: 1 {method}",
        *lines,
        "",
        "",
    ]
    return parse("\r\n".join(head).encode(), SyntaxLimits())


def invite(*lines: str) -> Request:
    made = message("INVITE sip:bob@example.com SIP/2.0", "a", "", f"Contact: <{ALICE}>", *lines)
    assert isinstance(made, Request)
    return made


def in_dialog(uri: str, from_tag: str, to_tag: str, *routes: str, method: str = "INVITE", parties: str = "") -> Request:
    lines = [f"Route: {route}" for route in routes]
    if not parties:
        # Alice's tag begins with an "a".
        parties = f"{ALICES} {BOBS}" if to_tag[:1] != "a" else f"{BOBS} {ALICES}"
    made = message(f"{method} {uri} SIP/2.0", from_tag, to_tag, *lines, parties=parties)
    assert isinstance(made, Request)
    return made


def answer(*lines: str, status: int = 200) -> Response:
    made = message(f"SIP/2.0 {status} Answer", "a", "b", *lines)
    assert isinstance(made, Response)
    return made


def token_of(request: Request, node: ProxyEnvironment, source: Flow = CALLER, hop: Flow = CALLEE) -> str:
    context = RequestContext(request, source, ListenerRules(node.settings.listeners[0]))
    return token_to_sender(request, context, hop, node, NOW).decode()


def callees_entry(*record_routes: str, source: Flow = CALLER, hop: Flow = CALLEE) -> str:
    lines = [f"Record-Route: {value}" for value in record_routes]
    return US.format(token_of(invite(*lines), node(), source, hop))


def admission(request: Request, node: ProxyEnvironment, now: float, flow: Flow = CALLEE) -> int:
    values = request.values(ROUTE)
    first = route_uri(values[0])
    is_pair = PAIR in first.parameters and len(values) > 1 and PAIR in route_uri(values[1]).parameters
    return admission_of(first, request, values[2 if is_pair else 1 :], flow, node, now)


def is_of_dialog(request: Request, node: ProxyEnvironment, now: float, flow: Flow = CALLEE) -> bool:
    return admission(request, node, now, flow) != NEW


def callers_entry(*above: str, entry: str, below: tuple[str, ...] = ()) -> str:
    response = answer(f"Contact: <{BOB}>", *[f"Record-Route: {value}" for value in (*above, entry, *below)])
    bind_to_answer(response, None, node())
    return response.values(RECORD_ROUTE)[len(above)].decode()


def test_the_callee_reaches_the_contact_of_the_caller_by_his_tag() -> None:
    """RFC 3261 12.1.1: whichever tag the callee has, for there may be several of them."""
    entry = callees_entry()
    assert is_of_dialog(in_dialog(ALICE, "b", "a", entry), node(), NOW)
    assert is_of_dialog(in_dialog(ALICE, "c", "a", entry, method="BYE"), node(), NOW)


def test_after_a_restart_a_token_is_good_and_with_another_key_it_is_not() -> None:
    entry = callees_entry()
    assert not is_of_dialog(in_dialog(ALICE, "b", "a", entry), node(key=b"another-appliance"), NOW)
    assert is_of_dialog(in_dialog(ALICE, "b", "a", entry), node(), NOW + 3600.0)


@pytest.mark.parametrize(
    "uri",
    [
        "sip:+19005550100@192.0.2.101",
        "sip:alice@192.0.2.70",
        "sip:alice@192.0.2.101:5070",
        "sip:alice@192.0.2.101;transport=tcp",
        "sip:alice@192.0.2.101;maddr=192.0.2.70",
        "sips:alice@192.0.2.101",
        "tel:+19005550100",
    ],
)
def test_another_target_is_none_of_the_dialog(uri: str) -> None:
    assert not is_of_dialog(in_dialog(uri, "b", "a", callees_entry()), node(), NOW)


def test_what_does_not_decide_the_way_may_be_spelled_in_another_way() -> None:
    """RFC 3261 19.1.4."""
    assert is_of_dialog(in_dialog("sip:%61lice@192.0.2.101;ob", "b", "a", callees_entry()), node(), NOW)


def test_a_request_without_tag_or_with_another_one_is_new() -> None:
    """RFC 3261 12.2.2."""
    entry = callees_entry()
    assert not is_of_dialog(in_dialog(ALICE, "b", "", entry), node(), NOW)
    assert not is_of_dialog(in_dialog(ALICE, "b", "x", entry), node(), NOW)
    assert not is_of_dialog(in_dialog(ALICE, "a", "b", entry), node(), NOW)


def test_a_register_is_in_no_dialog() -> None:
    """RFC 3261 10.2."""
    assert not is_of_dialog(in_dialog(ALICE, "b", "a", callees_entry(), method="REGISTER"), node(), NOW)


def test_the_routes_after_ours_are_those_of_the_dialog() -> None:
    """RFC 3261 12.1.1."""
    entry = callees_entry("<sip:192.0.2.50;lr;x=1>", source=EDGE)
    assert is_of_dialog(in_dialog(ALICE, "b", "a", entry, "<sip:192.0.2.50;lr>"), node(), NOW)
    assert not is_of_dialog(in_dialog(ALICE, "b", "a", entry), node(), NOW)
    assert not is_of_dialog(in_dialog(ALICE, "b", "a", entry, "<sip:192.0.2.70;lr>"), node(), NOW)
    extra = ("<sip:192.0.2.50;lr>", "<sip:192.0.2.70;lr>")
    assert not is_of_dialog(in_dialog(ALICE, "b", "a", entry, *extra), node(), NOW)


def test_a_token_ends() -> None:
    entry = US.format(token_of(invite(), node(lifetime_s=600)))
    assert is_of_dialog(in_dialog(ALICE, "b", "a", entry), node(), NOW + 590.0)
    assert not is_of_dialog(in_dialog(ALICE, "b", "a", entry), node(), NOW + 661.0)


def test_the_caller_reaches_the_contact_of_the_answer_by_both_tags() -> None:
    """RFC 3261 12.1.2, 16.7 step 8."""
    entry = callers_entry(entry=callees_entry())
    assert is_of_dialog(in_dialog(BOB, "a", "b", entry), node(), NOW)
    assert not is_of_dialog(in_dialog(BOB, "x", "b", entry), node(), NOW)
    assert not is_of_dialog(in_dialog(BOB, "a", "x", entry), node(), NOW)
    assert not is_of_dialog(in_dialog(ALICE, "b", "a", entry), node(), NOW)
    assert not is_of_dialog(in_dialog(BOB, "a", "b", callees_entry()), node(), NOW)


def test_the_caller_s_way_is_by_the_proxies_behind_us() -> None:
    """RFC 3261 12.1.2: in reverse order."""
    behind = ("<sip:192.0.2.52;lr>", "<sip:192.0.2.50;lr>")
    before = "<sip:192.0.2.51;lr>"
    entry = callers_entry(*behind, entry=callees_entry(before, hop=EDGE), below=(before,))
    assert is_of_dialog(in_dialog(BOB, "a", "b", entry, *reversed(behind)), node(), NOW)
    assert not is_of_dialog(in_dialog(BOB, "a", "b", entry, *behind), node(), NOW)
    assert not is_of_dialog(in_dialog(BOB, "a", "b", entry), node(), NOW)


def test_the_entries_of_a_pair_have_one_token() -> None:
    """RFC 5658 3.1."""
    old = token_of(invite(), node())
    pair = [f"<sip:192.0.2.1:5060;transport=tcp;lr;tk={old};pair>", f"<sip:192.0.2.1:5060;lr;tk={old};pair>"]
    response = answer(f"Contact: <{BOB}>", "Record-Route: " + ", ".join(pair))
    bind_to_answer(response, None, node())
    routes = [value.decode() for value in reversed(response.values(RECORD_ROUTE))]
    assert is_of_dialog(in_dialog(BOB, "a", "b", *routes), node(), NOW)
    assert is_of_dialog(in_dialog(ALICE, "b", "a", *pair), node(), NOW)
    # A stranger's second entry is no part of a pair.
    for routes, is_part in ((pair, True), ((pair[0], "<sip:192.0.2.70;lr;pair>"), False)):
        bye = in_dialog(ALICE, "b", "a", *routes, method="BYE")
        assert is_expected(bye, CALLEE, node(), NOW) == is_part


def test_on_a_spiral_each_of_our_entries_has_its_way() -> None:
    """RFC 3261 16.7 step 8: another proxy stands between."""
    first = callees_entry(hop=EDGE)
    between = "<sip:192.0.2.50;lr>"
    second = callees_entry(between, first, source=EDGE)
    response = answer(f"Contact: <{BOB}>", f"Record-Route: {second}, {between}, {first}")
    bind_to_answer(response, None, node())
    # It comes by us twice.
    bind_to_answer(response, None, node())
    inner, _, outer = (value.decode() for value in response.values(RECORD_ROUTE))
    assert is_of_dialog(in_dialog(BOB, "a", "b", outer, between, inner), node(), NOW)
    assert is_of_dialog(in_dialog(BOB, "a", "b", inner), node(), NOW)
    assert not is_of_dialog(in_dialog(BOB, "a", "b", outer), node(), NOW)


@pytest.mark.parametrize("entry", [US.format("0" * 40), US.format("0"), "<sip:192.0.2.1;lr>", "<sip:192.0.2.70;lr>"])
def test_an_entry_that_is_not_ours_stays_as_it_is(entry: str) -> None:
    response = answer(f"Contact: <{BOB}>", f"Record-Route: {entry}")
    bind_to_answer(response, None, node())
    assert response.values(RECORD_ROUTE) == [entry.encode()]
    assert not is_of_dialog(in_dialog(BOB, "a", "b", entry), node(), NOW)


def test_an_answer_that_makes_no_dialog_stays_as_it_is() -> None:
    """RFC 3261 12.1."""
    entry = callees_entry()
    redirect = answer(f"Contact: <{BOB}>", f"Record-Route: {entry}", status=302)
    for response in (answer(f"Record-Route: {entry}"), redirect):
        bind_to_answer(response, None, node())
        assert response.values(RECORD_ROUTE) == [entry.encode()]


# -- what a token grants -----------------------------------------------------------------------------------


def test_a_contact_at_another_address_than_its_source_grants_nothing() -> None:
    """RFC 3261 12.1.1: the Contact is what its sender wrote."""
    entry = callees_entry(source=STRANGER)
    assert admission(in_dialog(ALICE, "b", "a", entry, method="BYE"), node(), NOW) == NEW
    assert admission(in_dialog(ALICE, "b", "a", callees_entry(), method="BYE"), node(), NOW) & AT_SOURCE


def test_a_contact_in_a_domain_of_ours_proves_the_dialog_and_grants_nothing() -> None:
    made = invite()
    made.replace(CONTACT, b"<sip:alice@example.com;gr=1>")
    entry = US.format(token_of(made, node()))
    found = admission(in_dialog("sip:alice@example.com;gr=1", "b", "a", entry), node(), NOW)
    assert found != NEW
    assert not found & (AT_SOURCE | RELAYS)


def test_who_may_relay_is_reached_where_its_contact_says() -> None:
    listener = replace(SETTINGS.listeners[0], relay="any")
    made = invite()
    context = RequestContext(made, STRANGER, ListenerRules(listener))
    entry = US.format(token_to_sender(made, context, CALLEE, node(), NOW).decode())
    assert admission(in_dialog(ALICE, "b", "a", entry), node(), NOW) & RELAYS
    moved = admission(in_dialog("sip:alice@192.0.2.111", "b", "a", entry, method="BYE"), node(), NOW)
    assert moved & MOVED
    # RFC 3261 12.2.1.2: it is let through, and counts as a new one.
    assert not begins_nothing(moved, b"BYE")
    assert admission(in_dialog("sip:alice@192.0.2.111", "b", "a", entry), node(), NOW) == NEW


def test_an_answer_from_another_address_than_the_one_that_was_called_grants_nothing() -> None:
    """RFC 3261 12.1.2."""
    entry = callers_entry(entry=callees_entry(hop=STRANGER))
    assert admission(in_dialog(BOB, "a", "b", entry, method="BYE"), node(), NOW) == NEW


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE", "OPTIONS", "NOTIFY", "UPDATE"])
def test_what_begins_something_comes_from_the_address_that_was_called(method: str) -> None:
    request = in_dialog(ALICE, "b", "a", callees_entry(), method=method)
    assert is_of_dialog(request, node(), NOW, CALLEE)
    assert not is_of_dialog(request, node(), NOW, STRANGER)
    assert not is_expected(request, CALLEE, node(), NOW)


@pytest.mark.parametrize("method", ["BYE", "ACK", "PRACK", "CANCEL"])
def test_what_ends_something_may_come_from_another_address(method: str) -> None:
    request = in_dialog(ALICE, "b", "a", callees_entry(), method=method)
    assert is_expected(request, STRANGER, node(), NOW)


@pytest.mark.parametrize(
    "parties",
    [
        "<sip:ceo@example.com> <sip:alice@example.com>",
        "<sip:bob@example.org> <sip:alice@example.com>",
        '"<sip:bob@example.com>"<sip:ceo@example.com> <sip:alice@example.com>',
        "<sip:bob@example.com> <sip:ceo@example.com>",
    ],
)
def test_from_and_to_are_those_of_the_dialog(parties: str) -> None:
    """RFC 3261 12.2.1.1."""
    request = in_dialog(ALICE, "b", "a", callees_entry(), method="BYE", parties=parties)
    assert not is_of_dialog(request, node(), NOW)


@pytest.mark.parametrize(
    "parties",
    [
        "sip:bob@EXAMPLE.com sip:alice@example.com",
        "Bob<sip:bob@example.com:5060;x=1> <sip:%61lice@example.com.>",
        '"B"<sip:bob@example.com> <sip:alice@example.com;user=phone>',
    ],
)
def test_from_and_to_may_be_spelled_in_another_way(parties: str) -> None:
    """RFC 3261 19.1.4."""
    request = in_dialog(ALICE, "b", "a", callees_entry(), method="BYE", parties=parties)
    assert is_of_dialog(request, node(), NOW)


@pytest.mark.parametrize("uri", ["sip:alice@192.0.2.101:5060", f"{ALICE};transport=UDP", f"{ALICE}:5060;ob"])
def test_defaults_may_be_written_or_not(uri: str) -> None:
    """RFC 3261 19.1.2."""
    assert is_of_dialog(in_dialog(uri, "b", "a", callees_entry()), node(), NOW)
