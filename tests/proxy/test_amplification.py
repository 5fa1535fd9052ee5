"""What a stranger gets sent for one packet of its own: bounded (RFC 3261 26.1.5)."""

from __future__ import annotations

from dataclasses import replace

from appliance.catalogue.settings import ListenerSettings
from appliance.stack import Stack
from appliance.transport.flow import TCP, UDP, Flow
from tests.flows.wire import Message, read
from tests.stack_bench import ALICE, NOW, SETTINGS, register, request, sent, stack

VICTIM = Flow(UDP, 0, ("203.0.113.9", 5060))


def contact(number: int, filling: int = 0) -> str:
    return f"<sip:alice@192.0.2.{60 + number}:5060;x={'y' * filling}>"


def with_contacts(count: int, filling: int = 0, one: Stack | None = None) -> Stack:
    one = one or stack()
    for number in range(count):
        source = Flow(UDP, 0, (f"192.0.2.{60 + number}", 5060))
        one.receive_datagrams([(register(f"reg{number}", contact(number, filling)), source)], NOW)
    sent(one)
    return one


def octets_sent(one: Stack, seconds: float) -> int:
    now, count = NOW, 0
    while now < NOW + seconds:
        count += sum(len(outgoing.data) for outgoing in one.datagrams_to_send(now))
        now = max(now, one.next_timer())
        one.handle_timers(now)
    return count


def query(call_id: str = "query") -> bytes:
    return request("REGISTER", "sip:example.com", call_id).replace(b"sip:example.com>", b"sip:alice@example.com>")


def contacts_of(answer: Message) -> list[str]:
    return answer.values("Contact")


def test_an_invite_to_silent_contacts_is_repeated_a_bounded_number_of_times_in_sum() -> None:
    one = with_contacts(9)
    invite = request("INVITE", "sip:alice@example.com")
    one.receive_datagrams([(invite, ALICE)], NOW)
    # Each of them once, and each once more; their CANCELs and the answers to the caller are small.
    assert octets_sent(one, 33) < 9 * 2 * (len(invite) + 300) + 8 * 400


def test_one_phone_and_two_are_tried_as_timer_a_has_it() -> None:
    """RFC 3261 17.1.1.2: 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s after the first."""
    for count in (1, 2):
        one = with_contacts(count)
        one.receive_datagrams([(request("INVITE", "sip:alice@example.com"), ALICE)], NOW)
        now, invites = NOW, 0
        while now < NOW + 31.9:
            invites += sum(outgoing.data.startswith(b"INVITE") for outgoing in one.datagrams_to_send(now))
            now = max(now, one.next_timer())
            one.handle_timers(now)
        assert invites == 7 * count


def test_a_query_from_a_forged_source_gets_an_answer_of_a_small_multiple() -> None:
    one = with_contacts(10, filling=1000)
    data = query()
    one.receive_datagrams([(data, VICTIM)], NOW)
    (answer,) = one.datagrams_to_send(NOW)
    assert read(answer.data).status == 200
    assert len(answer.data) < 3 * len(data) + 200


def test_who_registers_without_proof_hears_of_its_own_contact_whatever_else_there_is() -> None:
    """RFC 3261 10.3 step 8, as far as there is room."""
    one = with_contacts(9, filling=1000)
    one.receive_datagrams([(register("reg9", contact(9, 1000)), ALICE)], NOW)
    (answer,) = sent(one)
    assert answer.status == 200
    assert any("192.0.2.69" in value for value in contacts_of(answer))
    assert len(contacts_of(answer)) < 4


def test_a_redirect_from_a_forged_source_gets_an_answer_of_a_small_multiple() -> None:
    """RFC 3261 8.3: the contacts are told as far as there is room, the first ones; to a stream all of them."""
    for flow, count in ((VICTIM, 1), (Flow(TCP, 0, ("203.0.113.9", 4000), 0, 5), 10)):
        redirecting = replace(SETTINGS.listeners[0], role="redirect", relay="any")
        one = with_contacts(10, 300, stack(settings=replace(SETTINGS, listeners=(redirecting,))))
        data = request("INVITE", "sip:alice@example.com")
        one.receive_datagrams([(data, flow)], NOW)
        (answer,) = one.datagrams_to_send(NOW)
        assert read(answer.data).status == 302
        assert len(contacts_of(read(answer.data))) == count
        assert flow.is_stream or len(answer.data) < 3 * len(data) + 200


def test_a_stream_and_a_trusted_peer_hear_of_all_contacts() -> None:
    trusting = replace(SETTINGS.listeners[0], peers=("203.0.113.9",))
    assert isinstance(trusting, ListenerSettings)
    for flow, listener in ((Flow(TCP, 0, ("203.0.113.9", 4000), 0, 5), SETTINGS.listeners[0]), (VICTIM, trusting)):
        one = with_contacts(10, 1000, stack(settings=replace(SETTINGS, listeners=(listener,))))
        one.receive_datagrams([(query(), flow)], NOW)
        (answer,) = one.datagrams_to_send(NOW)
        assert len(contacts_of(read(answer.data))) == 10
