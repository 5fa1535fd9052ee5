"""The pure door in the hands of an operator: settings that change under way, questions, a ping, rate limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from appliance.catalogue import counters
from appliance.catalogue.authentication_settings import DigestSettings
from appliance.catalogue.limit_settings import LimitSettings, RateLimitSettings
from appliance.catalogue.listener_ids import let_go, place, with_places
from appliance.catalogue.overload_settings import OverloadSettings
from appliance.catalogue.proxy_settings import TimerSettings
from appliance.catalogue.registrar_settings import RegistrarSettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.messages.bus_messages import BusReply, BusRequest, Refusal, reply_class
from appliance.messages.worker_requests import (
    Cleared,
    ClearRegistration,
    ListCalls,
    ListConnections,
    ListRateLimits,
    ListRegistrations,
    ListTransactions,
    Ping,
    RateLimitRow,
)
from appliance.routing.lookup_questions import SubscriberAnswer
from appliance.stack import Stack
from appliance.transport.flow import UDP, Flow
from tests.flows.wire import read
from tests.stack_bench import ALICE, NOW, SETTINGS, register, request, sent, stack

MAIN = SETTINGS.listeners[0]
OTHER = ListenerSettings(name="other", address="192.0.2.2", relay="any", authenticate=False)


def with_listeners(settings: Settings, *wanted: ListenerSettings) -> Settings:
    return with_places(settings, place(settings.listeners, wanted))


def ask(one: Stack, request: BusRequest[Any]) -> Any:
    """The reply, checked to be of the class that the request names, or a Refusal."""
    request.id = 7
    one.receive_messages([(-2, request)], NOW)
    ((destination, reply),) = [
        (to, message) for to, message in one.messages_to_send(NOW) if isinstance(message, BusReply)
    ]
    assert (destination, reply.id) == (-2, 7)
    assert isinstance(reply, (reply_class(request), Refusal))
    return reply


# -- settings change ---------------------------------------------------------------------------------


def test_a_call_goes_on_under_new_settings() -> None:
    """RFC 3261 16.7: the response finds its transaction and goes up, whatever has changed meanwhile."""
    one = stack()
    one.receive_datagrams([(register(), ALICE)], NOW)
    one.receive_datagrams([(request("INVITE", "sip:alice@example.com"), ALICE)], NOW)
    trying = [message for message in one.datagrams_to_send(NOW) if message.data.startswith(b"INVITE")]
    changed = replace(
        with_listeners(SETTINGS, MAIN, OTHER),
        timers=TimerSettings(t1_ms=100, t2_ms=1000),
        limits=LimitSettings(transactions_max=2, nonces_max=1, hosts_cached_max=1, subscribers_cached_max=1),
    )
    one.reconfigure(changed, NOW)
    forwarded = read(trying[0].data)
    answer = (
        b"SIP/2.0 200 OK\r\n"
        + b"".join(
            line + b"\r\n"
            for line in trying[0].data.split(b"\r\n")
            if line.startswith((b"Via", b"From", b"Call-ID", b"CSeq", b"Record-Route"))
        )
        + f"To: {forwarded.first('To')};tag=b\r\nContent-Length: 0\r\n\r\n".encode()
    )
    one.receive_datagrams([(answer, ALICE)], NOW)
    assert [message.start.split()[1] for message in sent(one) if message.start.startswith("SIP/2.0")] == ["200"]


def test_the_registrar_goes_by_new_bounds_at_once() -> None:
    one = stack()
    one.reconfigure(replace(SETTINGS, registrar=RegistrarSettings(expires_default_s=900, expires_max_s=900)), NOW)
    one.receive_datagrams([(register(), ALICE)], NOW)
    assert "expires=900" in sent(one)[0].first("Contact")


def test_a_domain_comes_and_goes() -> None:
    one = stack()
    options = request("OPTIONS", "sip:new.test", "options")
    one.receive_datagrams([(request("OPTIONS", "sip:new.test", "before"), ALICE)], NOW)
    sent(one)
    one.reconfigure(replace(SETTINGS, domains=("example.com", "new.test")), NOW)
    one.receive_datagrams([(options, ALICE)], NOW)
    assert sent(one)[0].start == "SIP/2.0 200 OK"


def test_challenges_begin_when_the_listener_authenticates() -> None:
    one = stack()
    one.reconfigure(with_listeners(SETTINGS, replace(MAIN, authenticate=True)), NOW)
    one.receive_datagrams([(register(), ALICE)], NOW)
    assert sent(one)[0].start.startswith("SIP/2.0 401")
    guarded = with_listeners(SETTINGS, replace(MAIN, authenticate=True))
    one.reconfigure(replace(guarded, digest=DigestSettings(algorithms=("md5",))), NOW)
    one.receive_datagrams([(register("again"), ALICE)], NOW)
    assert "MD5" in sent(one)[0].first("WWW-Authenticate")


def test_a_listener_that_ends_still_answers_and_is_chosen_no_more() -> None:
    one = stack(settings=with_listeners(SETTINGS, MAIN, OTHER))
    ending = with_listeners(with_listeners(SETTINGS, MAIN, OTHER), OTHER)
    one.reconfigure(ending, NOW)
    one.receive_datagrams([(request("OPTIONS", "sip:192.0.2.1", "late"), ALICE)], NOW)
    assert sent(one)[0].start == "SIP/2.0 200 OK", "its name is still ours"
    one.receive_datagrams([(request("OPTIONS", "sip:bob@192.0.2.77", "on"), ALICE)], NOW)
    forwarded = [message for message in one.datagrams_to_send(NOW) if message.data.startswith(b"OPTIONS")]
    assert [message.flow.listener for message in forwarded] == [1], "the other one is the way out"
    one.reconfigure(with_places(ending, let_go(ending.listeners, [0])), NOW)
    one.receive_datagrams([(request("OPTIONS", "sip:192.0.2.1", "gone"), Flow(UDP, 1, ALICE.remote))], NOW)
    assert not any(message.start == "SIP/2.0 200 OK" for message in sent(one)), "its name is not ours any more"


# -- questions ---------------------------------------------------------------------------------------


def test_registrations_are_listed_and_ended() -> None:
    one = stack()
    one.receive_datagrams([(register(), ALICE)], NOW)
    sent(one)
    listed = ask(one, ListRegistrations(limit=10))
    assert (listed.total, listed.rows[0].address) == (1, "alice@example.com")
    assert ask(one, ListRegistrations(address="alice@example.com")).rows[0].contact == "sip:alice@192.0.2.101:5060"
    assert ask(one, ListRegistrations(address="bob")).rows == []
    assert ask(one, ClearRegistration(address="alice@example.com")) == Cleared(1, id=7)
    assert ask(one, ListRegistrations()).total == 0
    assert "no registration" in ask(one, ClearRegistration(address="alice@example.com")).sentence


def test_the_registrations_of_a_removed_subscriber_end() -> None:
    one = stack()
    one.receive_datagrams([(register(), ALICE)], NOW)
    assert ask(one, ListRegistrations()).total == 1
    one.end_registrations(b"bob", b"example.com", NOW)
    assert ask(one, ListRegistrations()).total == 1
    one.end_registrations(b"alice", b"example.com", NOW)
    assert ask(one, ListRegistrations()).total == 0


def test_a_phone_that_was_cleared_registers_again() -> None:
    """RFC 3261 10.2.4: its refresh has the Call-ID of before and a higher CSeq."""
    one = stack()
    one.receive_datagrams([(register(), ALICE)], NOW)
    ask(one, ClearRegistration(address="alice@example.com"))
    refresh = register().replace(b"CSeq: 1 ", b"CSeq: 2 ").replace(b"z9hG4bK", b"z9hG4bKsecond")
    one.receive_datagrams([(refresh, ALICE)], NOW + 5)
    assert ask(one, ListRegistrations()).total == 1


def test_registrations_are_listed_in_order_and_read_in_parts() -> None:
    one = stack()
    for user in ("dan", "ann", "cat", "bob", "eve"):
        line = register(user).replace(b"alice", user.encode())
        one.receive_datagrams([(line, ALICE)], NOW)
    sent(one)
    every = [f"{user}@example.com" for user in ("ann", "bob", "cat", "dan", "eve")]
    assert [row.address for row in ask(one, ListRegistrations(limit=3)).rows] == every[:3]
    assert ask(one, ListRegistrations(address="ann@example.com")).total == 1
    found, place, parts = [], "", 0
    while parts == 0 or place:
        part = ask(one, ListRegistrations(limit=2, after=place))
        found += [row.address for row in part.rows]
        place, parts = part.next, parts + 1
    assert sorted(found) == every and parts == 3
    assert [row.address for row in ask(one, ListRegistrations(address="ca", limit=9, after="")).rows] == every[2:3]


def test_addresses_whose_contacts_are_gone_take_no_row() -> None:
    one = stack()
    for user in ("aa", "bb", "cc"):
        one.receive_datagrams([(registered(user, 600), ALICE)], NOW)
    for user in ("aa", "bb"):
        one.receive_datagrams([(registered(user, 0), ALICE)], NOW)
    sent(one)
    assert [row.address for row in ask(one, ListRegistrations(limit=1)).rows] == ["cc@example.com"]


def test_an_answered_transaction_is_listed_with_its_method() -> None:
    """RFC 3261 8.2.6.2: the response has the CSeq of the request."""
    one = stack()
    one.receive_datagrams([(register(), ALICE)], NOW)
    assert [row.method for row in ask(one, ListTransactions()).rows] == ["REGISTER"]


def registered(user: str, expires_s: int) -> bytes:
    text = request(
        "REGISTER", "sip:example.com", f"{user}-{expires_s}", f"Contact: <sip:{user}@192.0.2.101:5060>"
    ).decode()
    return text.replace("sip:alice@", f"sip:{user}@").replace("\r\n\r\n", f"\r\nExpires: {expires_s}\r\n\r\n").encode()


def test_transactions_and_calls_are_listed() -> None:
    one = stack()
    one.receive_datagrams([(register(), ALICE)], NOW)
    one.receive_datagrams([(request("INVITE", "sip:alice@example.com"), ALICE)], NOW)
    sides = {(row.side, row.method) for row in ask(one, ListTransactions(limit=10)).rows}
    assert {("server", "INVITE"), ("client", "INVITE")} <= sides
    (call,) = ask(one, ListCalls()).rows
    assert (call.call_id, call.state) == ("call-1", "proceeding")
    assert len(ask(one, ListTransactions(limit=1)).rows) == 1


def test_a_question_that_is_none_is_an_error() -> None:
    assert "does not answer" in ask(stack(), ListConnections()).sentence
    assert "not an address" in ask(stack(), ListRegistrations(address="@@")).sentence


# -- a ping ------------------------------------------------------------------------------------------


def test_a_ping_is_sent_although_the_listener_authenticates() -> None:
    closed = with_listeners(SETTINGS, replace(MAIN, authenticate=True, relay="none"))
    one = stack(settings=closed)
    answer_at = ("192.0.2.1", 7777, 0, "feed")
    assert ask(one, Ping("sip:phone@192.0.2.101:5060", *answer_at)).own_tag
    (outgoing,) = one.datagrams_to_send(NOW)
    assert outgoing.data.startswith(b"OPTIONS sip:phone@192.0.2.101:5060")
    assert outgoing.flow.remote == ("192.0.2.101", 5060)
    answer = (
        b"SIP/2.0 200 OK\r\n"
        + b"".join(
            line + b"\r\n"
            for line in outgoing.data.split(b"\r\n")
            if line.startswith((b"Via", b"From", b"To", b"Call", b"CS"))
        )
        + b"Content-Length: 0\r\n\r\n"
    )
    one.receive_datagrams([(answer, ALICE)], NOW)
    (back,) = one.datagrams_to_send(NOW)
    assert (back.data[:14], back.flow.remote) == (b"SIP/2.0 200 OK", ("192.0.2.1", 7777))
    assert "Invalid URI" in ask(one, Ping("sip:a b", *answer_at)).sentence


def test_our_own_refusal_of_a_ping_can_be_told_from_an_answer() -> None:
    """No phone is registered: the 404 is ours, and no answer of a phone."""
    one = stack()
    told = ask(one, Ping("sip:nobody@example.com", "192.0.2.1", 7777, 0, "feed"))
    (question,) = one.questions_to_ask()
    one.receive_answers([SubscriberAnswer(question.id, False, False)], NOW)
    (refusal,) = sent(one)
    assert refusal.status == 404
    assert f";tag={told.own_tag}" in dict(refusal.headers)["To"]


# -- rate limits -------------------------------------------------------------------------------------


def limited(action: str, **more: Any) -> Stack:
    limit = RateLimitSettings(name="few", rate_per_s=1, burst=1, action=action, **more)
    return stack(settings=replace(SETTINGS, rate_limits=(limit,)))


def limit_of(one: Stack, name: str) -> RateLimitRow:
    (found,) = [row for row in ask(one, ListRateLimits()).limits if row.name == name]
    return found


def offer(one: Stack, count: int, method: str = "OPTIONS") -> list[str]:
    """The start lines of what comes back."""
    for number in range(count):
        one.receive_datagrams([(request(method, "sip:example.com", f"{method}-{number}"), ALICE)], NOW)
    return [message.start for message in sent(one)]


def test_what_is_beyond_a_limit_is_refused_and_told_when_to_come_again() -> None:
    one = limited("refuse")
    assert offer(one, 3) == ["SIP/2.0 200 OK"] + ["SIP/2.0 503 Rate Limit Exceeded"] * 2
    assert one.counters[counters.RATE_LIMITED_REFUSED] == 2
    assert limit_of(one, "few").exceeded == 2
    assert one.take_rate_demand()["few"] == {"192.0.2.101": [3, 2]}


def test_it_may_be_dropped_or_only_counted() -> None:
    dropping, counting = limited("drop"), limited("count")
    assert offer(dropping, 3) == ["SIP/2.0 200 OK"]
    assert dropping.counters[counters.DROPPED_RATE_LIMIT] == 2
    assert offer(counting, 3) == ["SIP/2.0 200 OK"] * 3
    assert counting.counters[counters.RATE_LIMITED_COUNTED] == 2


def test_a_to_tag_is_counted_unless_our_token_proves_the_dialog() -> None:
    """RFC 3261 12.2.2: any sender can invent a To tag."""
    one = limited("refuse")
    invite = request("INVITE", "sip:bob@192.0.2.60", "call", "Contact: <sip:alice@192.0.2.101:5060>")
    one.receive_datagrams([(invite, ALICE)], NOW)
    (route,) = sent(one)[-1].values("Record-Route")
    invented = request("INFO", "sip:alice@192.0.2.101:5060", "other").replace(b"\r\nCall-ID", b";tag=there\r\nCall-ID")
    bye = request("BYE", "sip:alice@192.0.2.101:5060", "call", f"Route: {route}")
    bye = bye.replace(b"alice@example.com>;tag=a", b"bob@192.0.2.60>;tag=b")
    bye = bye.replace(b"To: <sip:alice@192.0.2.101:5060>", b"To: <sip:alice@example.com>;tag=a")
    one.receive_datagrams([(invented, ALICE), (bye, ALICE)], NOW)
    assert [message.start for message in sent(one)] == [
        "SIP/2.0 503 Rate Limit Exceeded",
        "BYE sip:alice@192.0.2.101:5060 SIP/2.0",
    ]


def test_registrations_have_limits_of_their_own() -> None:
    one = limited("refuse", of="registrations")
    assert offer(one, 3) == ["SIP/2.0 200 OK"] * 3
    for number in range(2):
        one.receive_datagrams([(register(f"reg-{number}"), ALICE)], NOW)
    assert {message.start for message in sent(one)} == {"SIP/2.0 200 OK", "SIP/2.0 503 Rate Limit Exceeded"}


def test_the_addresses_of_one_ipv6_prefix_have_one_bucket() -> None:
    one = limited("refuse")
    for number in range(2):
        flow = Flow(UDP, 0, (f"2001:db8::{number}", 5060))
        one.receive_datagrams([(request("OPTIONS", "sip:example.com", f"v6-{number}"), flow)], NOW)
    assert [message.start for message in sent(one)] == ["SIP/2.0 200 OK", "SIP/2.0 503 Rate Limit Exceeded"]
    assert [hit.key for hit in limit_of(one, "few").hit] == ["2001:db8::/64"]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "192.0.2.77"])
def test_the_built_in_limits_spare_this_machine_and_peers(address: str) -> None:
    listener = replace(SETTINGS.listeners[0], peers=("192.0.2.77",))
    one = stack(settings=replace(SETTINGS, listeners=(listener,), overload=OverloadSettings(requests_per_source=1)))
    flow = Flow(UDP, 0, (address, 5060))
    for number in range(5):
        one.receive_datagrams([(request("OPTIONS", "sip:example.com", f"s-{number}"), flow)], NOW)
    assert [message.start for message in sent(one)] == ["SIP/2.0 200 OK"] * 5
    assert limit_of(one, "default-requests").keys == 0


def test_the_built_in_limits_hold_for_other_sources() -> None:
    one = stack(settings=replace(SETTINGS, overload=OverloadSettings(requests_per_source=1)))
    assert offer(one, 4) == ["SIP/2.0 200 OK"] * 2 + ["SIP/2.0 503 Rate Limit Exceeded"] * 2
