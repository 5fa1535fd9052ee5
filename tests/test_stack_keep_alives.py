"""Keep-alives to registered phones: who gets one, when, and what comes of no answer (RFC 3261 11, RFC 5626 4.4.1)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.catalogue import counters
from appliance.catalogue.registrar_settings import RegistrarSettings
from appliance.catalogue.settings import Settings
from appliance.location.dict_table import DictStore
from appliance.messages.bus_messages import SendByConnection, SlotsChanged
from appliance.messages.slots import deal
from appliance.stack import Stack
from appliance.transport.flow import TCP, UDP, Flow, Outgoing
from appliance.transport.framing import PING
from appliance.transport.process_id import process_id
from tests.flows.wire import Message, read
from tests.stack_bench import BOB, NOW, SETTINGS, answer_to, call_id_of, request, sent, stack

INTERVAL_S = 60


def keeping(keepalive: str = "options", failures: int = 2, rate: int = 500) -> Settings:
    registrar = RegistrarSettings(
        keepalive=keepalive,
        keepalive_interval_s=INTERVAL_S,
        keepalive_failures_max=failures,
        keepalive_rate_max_per_s=rate,
    )
    return replace(SETTINGS, registrar=registrar)


def flow_of(number: int) -> Flow:
    return Flow(UDP, 0, (f"192.0.2.{100 + number}", 5060))


def register(one: Stack, number: int, now: float, flow: Flow | None = None, *lines: str, cseq: int = 1) -> None:
    """The phone of that number registers, from the address of its Contact if no flow is given."""
    flow = flow or flow_of(number)
    contact = f"<sip:user{number}@192.0.2.{100 + number}:5060>"
    headers = lines or (f"Contact: {contact}",)
    data = request("REGISTER", "sip:example.com", f"reg-{number}", "Expires: 3600", *headers)
    data = data.replace(b"<sip:alice@example.com>", b"<sip:user%d@example.com>" % number)
    data = data.replace(b"CSeq: 1 ", b"CSeq: %d " % cseq).replace(b"branch=z9hG4bK", b"branch=z9hG4bK%d-" % cseq)
    one.receive_datagrams([(data, flow)], now)
    assert [read(outgoing.data).status for outgoing in one.datagrams_to_send(now)] == [200]


def run(one: Stack, begin: float, seconds: float) -> list[tuple[float, Outgoing]]:
    """What the stack sends by itself in a time, and when."""
    found, now, end = [], begin, begin + seconds
    while (now := max(now, min(one.next_timer(), end))) < end:
        one.handle_timers(now)
        found += [(now, outgoing) for outgoing in one.datagrams_to_send(now)]
    return found


def options_in(sent: list[tuple[float, Outgoing]]) -> list[Message]:
    """The OPTIONS among them, without repetitions."""
    messages = [read(outgoing.data) for _, outgoing in sent if outgoing.data.startswith(b"OPTIONS ")]
    return list({message.first("Call-ID"): message for message in messages}.values())


def test_no_phone_is_sent_anything_unless_it_is_configured() -> None:
    one = stack()
    register(one, 1, NOW)
    assert run(one, NOW, 3 * INTERVAL_S) == []


def test_each_phone_is_sent_one_options_in_an_interval_spread_evenly() -> None:
    one = stack(settings=keeping(failures=0))
    for number in range(20):
        register(one, number, NOW)
    times = []
    for at, outgoing in run(one, NOW, INTERVAL_S):
        options = read(outgoing.data)
        assert outgoing.flow.remote[0] == options.uri.split("@")[1].split(":")[0]
        if one.counters[counters.KEEPALIVES_SENT] > len(times):
            times.append(at)
    assert one.counters[counters.KEEPALIVES_SENT] == 20
    # Never two in one step.
    assert len(times) == 20


def test_the_rate_is_bounded_and_a_round_that_is_late_is_counted() -> None:
    one = stack(settings=keeping(failures=0, rate=1))
    for number in range(100):
        register(one, number, NOW)
    assert 45 <= len(options_in(run(one, NOW, 50.0))) <= 50
    run(one, NOW + 50.0, 60.0)
    assert one.counters[counters.KEEPALIVE_ROUNDS_LATE] == 1
    assert one.counters[counters.KEEPALIVES_SENT] >= 100


@pytest.mark.parametrize("status", ["200 OK", "405 Method Not Allowed", "486 Busy Here", "500 Server Error"])
def test_a_phone_that_answers_with_any_final_response_is_there(status: str) -> None:
    """RFC 3261 11: what the answer says does not matter."""
    one = stack(settings=keeping(failures=1))
    register(one, 1, NOW)
    now = NOW
    for _ in range(3):
        (options,) = options_in(run(one, now, INTERVAL_S))
        now += INTERVAL_S
        one.receive_datagrams([(answer_to(options, status), flow_of(1))], now)
    assert one.counters[counters.KEEPALIVES_ANSWERED] == 3
    assert one.counters[counters.DROPPED_MALFORMED] == 0
    assert one.gauges()["registrations"] == 1


def chatter(one: Stack, now: float) -> None:
    """Something comes in, so this end is not cut off."""
    one.receive_datagrams([(request("OPTIONS", "sip:192.0.2.1", f"call-{now}"), BOB)], now)
    one.datagrams_to_send(now)


def test_a_phone_that_does_not_answer_loses_its_binding_after_so_many_failures() -> None:
    one = stack(settings=keeping(failures=2))
    register(one, 1, NOW)
    now = NOW
    while one.counters[counters.KEEPALIVES_UNANSWERED] < 2:
        assert one.gauges()["registrations"] == 1
        assert now < NOW + 4 * INTERVAL_S
        run(one, now, 10.0)
        now += 10.0
        chatter(one, now)
    assert one.gauges()["registrations"] == 0
    assert one.counters[counters.KEEPALIVE_CONTACTS_REMOVED] == 1
    # Its next REGISTER is taken, also in the Call-ID that it has.
    register(one, 1, now, cseq=2)
    assert one.gauges()["registrations"] == 1


def test_silence_of_all_says_nothing_of_one() -> None:
    """Perhaps this end is cut off: cannot know is not no."""
    one = stack(settings=keeping(failures=1))
    register(one, 1, NOW)
    run(one, NOW, 5 * INTERVAL_S)
    assert one.counters[counters.KEEPALIVES_SENT] == 5
    assert one.counters[counters.KEEPALIVES_UNANSWERED] == 0
    assert one.gauges()["registrations"] == 1


def test_a_phone_that_registers_again_begins_anew() -> None:
    one = stack(settings=keeping(failures=2))
    now = NOW
    for cseq in range(1, 6):
        register(one, 1, now, cseq=cseq)
        run(one, now, INTERVAL_S)
        now += INTERVAL_S
    assert one.counters[counters.KEEPALIVES_UNANSWERED] >= 3
    assert one.gauges()["registrations"] == 1


def test_crlf_goes_by_udp_and_is_not_answered() -> None:
    one = stack(settings=keeping("crlf", failures=1))
    register(one, 1, NOW)
    outgoings = [outgoing for _, outgoing in run(one, NOW, 3 * INTERVAL_S)]
    assert [(outgoing.data, outgoing.flow.remote) for outgoing in outgoings] == [(PING, flow_of(1).remote)] * 3
    assert one.gauges()["registrations"] == 1


BY_TCP = Flow(TCP, 0, ("192.0.2.101", 40000), 0, 7)
OUTBOUND = (
    'Contact: <sip:user1@phone.invalid;transport=tcp;ob>;reg-id=1;+sip.instance="<urn:uuid:00000000-0000-4000-8000-0000'
    '0000000a>"',
    "Supported: path, outbound",
)


def registered_by_connection(keepalive: str) -> Stack:
    one = stack(settings=keeping(keepalive, failures=2))
    one.connections_changed([BY_TCP], [])
    register(one, 1, NOW, BY_TCP, *OUTBOUND)
    return one


def test_a_phone_is_asked_by_its_connection() -> None:
    """RFC 5626 5.3: by the flow, and to no other place."""
    one = registered_by_connection("options")
    ((_, outgoing),) = run(one, NOW, INTERVAL_S)
    assert outgoing.flow == BY_TCP
    assert read(outgoing.data).first("Via").startswith("SIP/2.0/TCP ")


def test_no_empty_line_is_sent_by_a_connection() -> None:
    """RFC 5626 4.4.1: the phone sends it, and the server only answers."""
    assert run(registered_by_connection("crlf"), NOW, 2 * INTERVAL_S) == []


@pytest.mark.parametrize("keepalive", ["options", "crlf"])
def test_a_closed_connection_is_a_failure_of_its_phone(keepalive: str) -> None:
    one = registered_by_connection(keepalive)
    one.connections_changed([], [BY_TCP])
    assert options_in(run(one, NOW, 3 * INTERVAL_S)) == []
    assert one.counters[counters.KEEPALIVE_CONTACTS_REMOVED] == 1
    assert one.gauges()["registrations"] == 0


def test_what_leads_elsewhere_or_behind_a_proxy_is_left_alone() -> None:
    """No keep-alive goes to a contact at another address, at a name, or with a Path."""
    one = stack(settings=keeping(failures=1))
    register(one, 1, NOW, None, "Contact: <sip:victim@198.51.100.7>")
    register(one, 2, NOW, None, "Contact: <sip:victim@victim.example.net>")
    register(one, 3, NOW, None, "Contact: <sip:user3@192.0.2.103>", "Path: <sip:198.51.100.8;lr>")
    assert run(one, NOW, 2 * INTERVAL_S) == []


def test_one_worker_of_a_node_asks_by_the_connections_of_its_siblings_too() -> None:
    """Its cost does not grow with the workers; another one goes on when it ends."""
    table, store = deal([0, 1]), DictStore()
    pair = [stack(number, keeping(failures=0), store) for number in (0, 1)]
    for one in pair:
        one.receive_messages([(-1, SlotsChanged(table, [0, 1]))], NOW)
    first, other = pair[table.owner_of(0)], pair[1 - table.owner_of(0)]
    number = pair.index(other)
    by_other = Flow(TCP, 0, BY_TCP.remote, number, 7)
    other.connections_changed([by_other], [])
    data = request("REGISTER", "sip:example.com", call_id_of(number, table), *OUTBOUND)
    other.receive_datagrams([(data, by_other)], NOW)
    assert [message.status for message in sent(other)] == [200]
    assert run(other, NOW, INTERVAL_S) == []
    assert run(first, NOW, INTERVAL_S) == []
    passed_on = [message for to, message in first.messages_to_send(NOW) if isinstance(message, SendByConnection)]
    assert [message.outgoing.flow for message in passed_on] == [by_other]
    other.receive_messages([(-1, SlotsChanged(deal([number]), [number]))], NOW + INTERVAL_S)
    sent_by_other = run(other, NOW + INTERVAL_S, INTERVAL_S)
    assert [outgoing.flow for _, outgoing in sent_by_other] == [by_other]


def test_in_a_cluster_the_node_asks_that_owns_the_address_or_accepted_the_registration() -> None:
    """Each phone is sent one by one node, although all nodes have the registration."""
    one = stack(settings=keeping(failures=0))
    register(one, 1, NOW)
    one.node_flows.connections.use_links(lambda _: True)
    one.takeover.use((1,))
    assert options_in(run(one, NOW, INTERVAL_S)) == []
    one.takeover.owned(1, True, NOW + INTERVAL_S)
    assert len(options_in(run(one, NOW + INTERVAL_S, INTERVAL_S))) == 1
    one.takeover.lost(1, NOW + 2 * INTERVAL_S)
    asked = one.counters[counters.KEEPALIVES_SENT]
    run(one, NOW + 2 * INTERVAL_S, INTERVAL_S)
    assert one.counters[counters.KEEPALIVES_SENT] == asked
    # At an address of its own it asks those that it has registered itself.
    one.takeover.use(())
    assert len(options_in(run(one, NOW + 3 * INTERVAL_S, INTERVAL_S))) == 1


@pytest.mark.parametrize("is_linked", [False, True], ids=["node died", "node lives"])
@pytest.mark.parametrize("keepalive", ["options", "crlf"])
def test_a_connection_of_the_last_owner_of_an_address_is_gone(keepalive: str, is_linked: bool) -> None:
    """RFC 5626 5.3: it ends with the address, and its flow-bound contact fails at the new owner, and nowhere else."""
    one = stack(settings=keeping(keepalive, failures=2))
    held = Flow(TCP, 0, BY_TCP.remote, process_id(7, 1), 7)
    one.receive_datagrams([(request("REGISTER", "sip:example.com", "reg", *OUTBOUND), held)], NOW)
    one.datagrams_to_send(NOW)
    one.node_flows.connections.use_links(lambda _: is_linked)
    one.takeover.use((1,))
    assert run(one, NOW, 3 * INTERVAL_S) == [] and one.gauges()["registrations"] == 1
    one.takeover.owned(1, True, NOW + 3 * INTERVAL_S)
    assert options_in(run(one, NOW + 3 * INTERVAL_S, 3 * INTERVAL_S)) == []
    assert one.counters[counters.KEEPALIVES_UNANSWERED] == 2
    assert one.counters[counters.KEEPALIVE_CONTACTS_REMOVED] == 1
    assert one.gauges()["registrations"] == 0


def test_a_contact_that_can_be_reached_otherwise_is_asked_by_the_new_owner() -> None:
    """RFC 3261 18.1.1: a new connection to the address of its Contact."""
    settings = keeping(failures=2)
    listener = replace(settings.listeners[0], transports=(UDP, TCP))
    one = stack(settings=replace(settings, listeners=(listener,)))
    held = Flow(TCP, 0, ("192.0.2.101", 5060), process_id(7, 1), 7)
    contact = "Contact: <sip:user1@192.0.2.101:5060;transport=tcp>"
    one.receive_datagrams([(request("REGISTER", "sip:example.com", "reg", contact), held)], NOW)
    one.datagrams_to_send(NOW)
    one.node_flows.connections.use_links(lambda _: False)
    one.takeover.use((1,))
    assert run(one, NOW, INTERVAL_S) == []
    one.takeover.owned(1, True, NOW + INTERVAL_S)
    ((_, outgoing),) = run(one, NOW + INTERVAL_S, INTERVAL_S)
    assert outgoing.flow == Flow(TCP, 0, ("192.0.2.101", 5060))
