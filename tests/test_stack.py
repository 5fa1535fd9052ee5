"""The pure door itself: slots, hand-over, siblings, connections of others, timers (ARCHITECTURE: the pure door)."""

from __future__ import annotations

import pytest

from appliance.catalogue import counters
from appliance.catalogue.settings import LimitSettings, ListenerSettings, Settings
from appliance.location.dict_table import DictStore, DictTable
from appliance.location.table_store import TableUnsound
from appliance.messages.bus_messages import (
    BusMessage,
    CallsMoved,
    HandedOver,
    SendByConnection,
    SendFailed,
    SlotsChanged,
)
from appliance.messages.codec import decode, encode
from appliance.messages.slots import SlotTable, deal, seed_of, slot_of
from appliance.messages.supervisor_requests import ForgetSubscriber
from appliance.routing.lookup_questions import FindSubscriber, HostAnswer, SubscriberAnswer
from appliance.stack import Stack
from appliance.transport.flow import TCP, UDP, Flow, Outgoing
from tests.flows.wire import Message, read
from tests.tables import new_table

KEY = b"0123456789abcdef"
NOW = 1000.0
SETTINGS = Settings(
    domains=("example.com",),
    listeners=(ListenerSettings(name="main", address="192.0.2.1", relay="any", authenticate=False),),
)
ALICE = Flow(UDP, 0, ("192.0.2.101", 5060))
BOB = Flow(UDP, 0, ("192.0.2.60", 5060))


def stack(worker: int = 0, settings: Settings = SETTINGS, store: DictStore | None = None) -> Stack:
    return Stack(settings, worker, KEY, new_table(store), NOW, 1_700_000_000.0)


def request(method: str, uri: str, call_id: str = "call-1", *lines: str) -> bytes:
    head = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bK{call_id}{method}",
        "Max-Forwards: 70",
        "From: <sip:alice@example.com>;tag=a",
        f"To: <{'sip:alice@example.com' if method == 'REGISTER' else uri}>",
        f"Call-ID: {call_id}",
        f"CSeq: 1 {method}",
        *lines,
        "Content-Length: 0",
        "",
        "",
    ]
    return "\r\n".join(head).encode()


def register(call_id: str = "reg", contact: str = "<sip:alice@192.0.2.101:5060>") -> bytes:
    return request("REGISTER", "sip:example.com", call_id, f"Contact: {contact}")


def sent(one: Stack) -> list[Message]:
    return [read(outgoing.data) for outgoing in one.datagrams_to_send(NOW)]


def call_id_of(worker: int, table: SlotTable) -> str:
    """A Call-ID that this worker owns."""
    words = (f"call-{number}" for number in range(10000))
    return next(word for word in words if table.owner_of(slot_of(word.encode(), seed_of(KEY))) == worker)


def sent_later(one: Stack) -> list[Message]:
    """What it sends by itself in the next second."""
    one.handle_timers(NOW + 1.0)
    return [read(outgoing.data) for outgoing in one.datagrams_to_send(NOW + 1.0)]


def answer_to(forwarded: Message, status: str) -> bytes:
    """A response of Bob's."""
    names = ("Via", "From", "To", "Call-ID", "CSeq")
    lines = [f"{name}: {value}" for name, value in forwarded.headers if name in names]
    return "\r\n".join([f"SIP/2.0 {status}", *lines, "", ""]).encode()


class Pair:
    """Two workers of one node and the bus between them, which is empty or not as the test says."""

    def __init__(self) -> None:
        self.table = deal([0, 1])
        self.store = DictStore()
        self.workers = [stack(0, store=self.store), stack(1, store=self.store)]
        for one in self.workers:
            one.receive_messages([(-1, SlotsChanged(self.table, [0, 1]))], NOW)
        self.pump()

    def pump(self) -> list[tuple[int, int, BusMessage]]:
        """Carry what is on the bus until it is empty; returns what was carried: sender, target, message."""
        carried = []
        while batch := [(s, t, m) for s, one in enumerate(self.workers) for t, m in one.messages_to_send(NOW)]:
            for sender, target, message in batch:
                self.workers[target].receive_messages([(sender, decode(encode(message)))], NOW)
            carried.extend(batch)
        return carried


# -- slots and hand-over ---------------------------------------------------------------------------------


def test_a_lonely_worker_owns_every_call() -> None:
    one = stack()
    one.receive_datagrams([(request("OPTIONS", "sip:192.0.2.1"), ALICE)], NOW)
    assert [message.status for message in sent(one)] == [200]
    assert one.messages_to_send(NOW) == []


def test_a_call_of_a_sibling_is_handed_over_once() -> None:
    """ARCHITECTURE: the bus corrects; whoever receives a hand-over keeps it."""
    pair = Pair()
    data = request("OPTIONS", "sip:192.0.2.1", call_id_of(1, pair.table))
    pair.workers[0].receive_datagrams([(data, ALICE)], NOW)
    assert sent(pair.workers[0]) == []
    ((target, message),) = pair.workers[0].messages_to_send(NOW)
    assert target == 1 and isinstance(message, HandedOver)
    assert (message.data, message.flow) == (data, ALICE)
    # Its table is newer and says that the call is worker 0's: it answers all the same.
    pair.workers[1].receive_messages([(-1, SlotsChanged(SlotTable(bytes(256), 9), [0, 1]))], NOW)
    pair.workers[1].receive_messages([(0, message)], NOW)
    assert [answer.status for answer in sent(pair.workers[1])] == [200]
    assert not any(isinstance(m, HandedOver) for _, m in pair.workers[1].messages_to_send(NOW))
    assert pair.workers[0].counters[counters.HANDED_OVER] == 1


def test_a_call_that_is_handed_over_to_a_former_owner_goes_back_to_its_owner() -> None:
    """Design 4: its responses come to the owner. Worker 1 knows already that the call is worker 0's, 0 not yet."""
    pair = Pair()
    call_id = call_id_of(1, pair.table)
    news = SlotsChanged(SlotTable(bytes(256), 9), [0, 1])
    pair.workers[1].receive_messages([(-1, news)], NOW)
    pair.workers[0].receive_datagrams([(request("INVITE", "sip:bob@192.0.2.60", call_id), ALICE)], NOW)
    ((_, invite),) = pair.workers[0].messages_to_send(NOW)
    pair.workers[1].receive_messages([(0, invite)], NOW)
    (forwarded,) = [message for message in sent(pair.workers[1]) if message.is_request]
    ((target, moved),) = pair.workers[1].messages_to_send(NOW)
    assert target == 0 and isinstance(moved, CallsMoved)
    pair.workers[0].receive_messages([(-1, news), (1, moved)], NOW)
    pair.workers[0].receive_datagrams([(answer_to(forwarded, "200 OK"), BOB)], NOW)
    assert [message.status for message in sent(pair.workers[0])] == [200]
    assert pair.workers[0].counters[counters.CALLS_ANSWERED] == 1
    assert not [m for m in sent_later(pair.workers[1]) if m.is_request], "worker 1 repeats nothing"


def test_calls_that_are_moved_to_a_former_owner_go_on_to_their_owner() -> None:
    """The slots have moved once more meanwhile."""
    pair = Pair()
    call_id = call_id_of(0, pair.table)
    pair.workers[0].receive_datagrams([(request("INVITE", "sip:bob@192.0.2.60", call_id), ALICE)], NOW)
    pair.workers[0].receive_messages([(-1, SlotsChanged(SlotTable(b"\1" * 256, 9), [0, 1]))], NOW)
    ((_, moved),) = pair.workers[0].messages_to_send(NOW)
    news = SlotsChanged(SlotTable(bytes(256), 10), [0, 1])
    pair.workers[1].receive_messages([(-1, news), (0, moved)], NOW)
    ((target, back),) = pair.workers[1].messages_to_send(NOW)
    assert target == 0 and isinstance(back, CallsMoved)
    # Here the table is the older one: what was sent by a newer one stays.
    pair.workers[0].receive_messages([(1, back)], NOW)
    assert not pair.workers[0].messages_to_send(NOW)


def test_what_has_no_call_id_is_nobody_else_s() -> None:
    pair = Pair()
    pair.workers[0].receive_datagrams([(b"\0\0\0\0", ALICE), (b"INVITE x SIP/2.0\r\n\r\n", ALICE)], NOW)
    assert pair.pump() == []


def test_responses_are_handed_over_like_requests() -> None:
    """Every message of a call carries its Call-ID, so all have one owner."""
    pair = Pair()
    call_id = call_id_of(1, pair.table)
    pair.workers[1].receive_datagrams([(request("INVITE", "sip:bob@192.0.2.60", call_id), ALICE)], NOW)
    (forwarded,) = [message for message in sent(pair.workers[1]) if message.is_request]
    response = answer_to(forwarded, "486 Busy")
    pair.workers[0].receive_datagrams([(response, BOB)], NOW)
    pair.pump()
    assert {message.status or message.method for message in sent(pair.workers[1])} == {"ACK", 486}


# -- registrations -----------------------------------------------------------------------------------------


def register_as(user: str, call_id: str) -> bytes:
    return register(call_id, f"<sip:{user}@192.0.2.101:5060>").replace(
        b"<sip:alice@example", b"<sip:%b@example" % user.encode()
    )


def test_who_is_registered_can_be_called_on_every_worker() -> None:
    """A call that follows the answer finds the binding wherever it lands, and no worker told the other."""
    pair = Pair()
    pair.workers[0].receive_datagrams([(register(call_id_of(0, pair.table)), ALICE)], NOW)
    assert [message.status for message in sent(pair.workers[0])] == [200]
    assert pair.pump() == []
    assert [one.gauges()["registrations"] for one in pair.workers] == [1, 1]
    call = request("INVITE", "sip:alice@example.com", call_id_of(1, pair.table))
    pair.workers[1].receive_datagrams([(call, BOB)], NOW)
    assert "sip:alice@192.0.2.101:5060" in [message.uri for message in sent(pair.workers[1]) if message.is_request]


def test_what_a_turn_registers_is_one_write() -> None:
    one = stack(store=(store := DictStore()))
    one.receive_datagrams([(register_as(user, user), ALICE) for user in ("a", "b", "c")], NOW)
    assert (store.records, store.last_seq) == ({}, 0)
    assert [message.status for message in sent(one)] == [200, 200, 200]
    assert (len(store.records), store.last_seq) == (3, 3)


def test_a_register_waits_while_another_process_writes() -> None:
    pair = Pair()
    pair.store.is_locked = True
    pair.workers[0].receive_datagrams([(register(call_id_of(0, pair.table)), ALICE)], NOW)
    assert sent(pair.workers[0]) == []
    assert pair.workers[0].next_timer() == pytest.approx(NOW + 0.001)
    assert pair.workers[0].counters[counters.TABLE_WRITES_DELAYED] == 1
    # What does not ask for the table goes on.
    pair.workers[0].receive_datagrams([(request("OPTIONS", "sip:192.0.2.1", call_id_of(0, pair.table)), ALICE)], NOW)
    assert [message.status for message in sent(pair.workers[0])] == [200]
    pair.store.is_locked = False
    pair.workers[0].handle_timers(NOW + 0.001)
    assert [message.status for message in sent(pair.workers[0])] == [200]
    assert pair.workers[1].gauges()["registrations"] == 1


def test_a_register_that_waits_too_long_is_refused_and_may_come_again() -> None:
    """RFC 3261 21.5.4: what is not stored is not answered 200."""
    one = stack(store=(store := DictStore()))
    store.is_locked = True
    one.receive_datagrams([(register(), ALICE)], NOW)
    assert sent(one) == []
    late = NOW + SETTINGS.limits.registration_wait_ms / 1000
    (refusal,) = one.datagrams_to_send(late)
    assert read(refusal.data).status == 503 and b"\r\nRetry-After: " in refusal.data
    assert one.counters[counters.REGISTRATIONS_LATE] == 1
    store.is_locked = False
    again = register().replace(b"CSeq: 1 ", b"CSeq: 2 ").replace(b"z9hG4bK", b"z9hG4bKsecond")
    one.receive_datagrams([(again, ALICE)], late + 1)
    assert [read(outgoing.data).status for outgoing in one.datagrams_to_send(late + 1)] == [200]


def test_a_table_without_room_refuses_what_is_new_and_takes_what_is_not() -> None:
    """RFC 3261 21.5.4; calls to those who are registered go on, and the operator hears of it."""
    one = stack(store=(store := DictStore()))
    one.receive_datagrams([(register(), ALICE)], NOW)
    assert [message.status for message in sent(one)] == [200]
    store.is_full = True
    refresh = register().replace(b"CSeq: 1 ", b"CSeq: 2 ").replace(b"z9hG4bK", b"z9hG4bKsecond")
    one.receive_datagrams([(refresh, ALICE), (register_as("carol", "carol"), ALICE)], NOW + 1)
    answers = one.datagrams_to_send(NOW + 1)
    assert {read(answer.data).values("Call-ID")[0]: read(answer.data).status for answer in answers} == {
        "reg": 200,
        "carol": 503,
    }
    assert one.counters[counters.REGISTRATIONS_UNSTORED] == 1
    assert [alarm.split()[0] for alarm in one.alarms(NOW + 1)] == ["registration-table-full"]
    assert one.alarms(NOW + 120) == []
    one.receive_datagrams([(request("INVITE", "sip:alice@example.com"), BOB)], NOW + 1)
    assert "sip:alice@192.0.2.101:5060" in [message.uri for message in sent(one) if message.is_request]


class UnsoundTable(DictTable):
    """A table whose store is damaged, as long as the test says so."""

    is_damaged = False

    def record_of(self, aor: bytes) -> bytes:
        if self.is_damaged:
            raise TableUnsound("page 7 holds what cannot be")
        return DictTable.record_of(self, aor)


def test_a_damaged_table_costs_the_requests_that_need_it_and_no_more() -> None:
    """They are answered 503, the operator hears of it, and the worker serves what needs no registration."""
    table = UnsoundTable(DictStore(), 0)
    one = Stack(SETTINGS, 0, KEY, table, NOW, 1_700_000_000.0)
    table.is_damaged = True
    one.receive_datagrams([(register(), ALICE), (request("INVITE", "sip:alice@example.com"), BOB)], NOW)
    assert [message.status for message in sent(one) if message.status != 100] == [503, 503]
    assert table.fault == "page 7 holds what cannot be"
    assert [alarm.split()[0] for alarm in one.alarms(NOW)] == ["registration-table-unsound"]
    one.receive_datagrams([(request("OPTIONS", "sip:192.0.2.1"), ALICE)], NOW)
    assert [message.status for message in sent(one)] == [200]
    assert one.is_sound and one.faults_to_log() == []
    table.is_damaged, table.fault = False, ""
    one.receive_datagrams([(register("again"), ALICE)], NOW + 1)
    assert [read(outgoing.data).status for outgoing in one.datagrams_to_send(NOW + 1)] == [200]


def test_a_worker_that_dies_before_it_writes_has_answered_nothing() -> None:
    pair = Pair()
    data = register(call_id_of(0, pair.table))
    pair.store.is_locked = True
    pair.workers[0].receive_datagrams([(data, ALICE)], NOW)
    assert sent(pair.workers[0]) == []
    pair.store.is_locked = False
    # Worker 0 is gone; the phone sends it again, and its sibling has the slot now.
    pair.workers[1].receive_messages([(-1, SlotsChanged(deal([1], 2), [1]))], NOW)
    pair.workers[1].receive_datagrams([(data, ALICE)], NOW + 0.5)
    assert [message.status for message in sent(pair.workers[1])] == [200]
    assert pair.workers[1].gauges()["registrations"] == 1


# -- connections -------------------------------------------------------------------------------------------

BY_TCP = Flow(TCP, 0, ("192.0.2.102", 40000), 1, 7)


def test_a_message_for_a_sibling_s_connection_goes_to_that_sibling() -> None:
    pair = Pair()
    call_id = call_id_of(0, pair.table)
    pair.workers[1].receive_datagrams([(request("OPTIONS", "sip:192.0.2.1", call_id), BY_TCP)], NOW)
    carried = pair.pump()
    assert [type(message) for _, _, message in carried] == [HandedOver]
    assert sent(pair.workers[0]) == []
    ((target, message),) = pair.workers[0].messages_to_send(NOW)
    assert target == 1 and isinstance(message, SendByConnection)
    pair.workers[1].receive_messages([(0, message)], NOW)
    (outgoing,) = pair.workers[1].datagrams_to_send(NOW)
    assert outgoing.flow == BY_TCP
    # Two workers have had it in hands, and it is one response.
    assert [one.counters[counters.RESPONSES_SENT] for one in pair.workers] == [0, 1]
    assert [one.counters[counters.REQUESTS_SENT] for one in pair.workers] == [0, 0]


def test_a_request_to_the_far_end_of_a_sibling_s_connection_goes_by_it() -> None:
    """RFC 3261 18.1.1: phones on TCP write the port of their connection into Contact; nobody listens there."""
    pair = Pair()
    phone = Flow(TCP, 0, ("192.0.2.60", 40123), 1, 7)
    pair.workers[1].connections_changed([phone], [])
    pair.pump()
    ours = call_id_of(0, pair.table)
    invite = request("INVITE", "sip:bob@192.0.2.60:40123;transport=tcp", ours)
    pair.workers[0].receive_datagrams([(invite, ALICE)], NOW)
    assert [message.status for message in sent(pair.workers[0])] == [100]
    passed_on = [
        message for _, message in pair.workers[0].messages_to_send(NOW) if isinstance(message, SendByConnection)
    ]
    assert [message.outgoing.flow for message in passed_on] == [Flow(TCP, 0, phone.remote, 1, 0)]


def test_a_failure_of_a_sibling_s_message_is_told_to_it() -> None:
    """RFC 3261 18.4: only the worker that owns the call has the transaction."""
    pair = Pair()
    pair.workers[1].receive_failures([Outgoing(b"", BY_TCP, b"z9hG4bKelsewhere INVITE")], NOW)
    (carried,) = pair.pump()
    assert carried[:2] == (1, 0) and isinstance(carried[2], SendFailed)


def test_a_message_for_the_connection_of_a_dead_worker_fails_at_once() -> None:
    """The connection died with its worker; the contact's address is tried instead (RFC 3261 18.1, 16.9)."""
    pair = Pair()
    contact = "<sip:alice@192.0.2.102:5060;transport=tcp>"
    pair.workers[1].receive_datagrams([(register(call_id_of(1, pair.table), contact), BY_TCP)], NOW)
    assert [message.status for message in sent(pair.workers[1])] == [200]
    survivor = pair.workers[0]
    survivor.receive_messages([(-1, SlotsChanged(deal([0], 2), [0]))], NOW)
    survivor.receive_datagrams([(request("INVITE", "sip:alice@example.com", "after-the-death"), ALICE)], NOW)
    ways = [outgoing.flow for outgoing in survivor.datagrams_to_send(NOW) if outgoing.data.startswith(b"INVITE")]
    assert ways == [Flow(TCP, 0, ("192.0.2.102", 5060))]
    assert not any(isinstance(message, SendByConnection) for _, message in survivor.messages_to_send(NOW))


def test_a_response_for_the_connection_of_a_dead_worker_opens_another() -> None:
    """RFC 3261 18.2.2: to the address the request came from, at the port of its Via."""
    pair = Pair()
    call_id = call_id_of(0, pair.table)
    pair.workers[1].receive_datagrams([(request("OPTIONS", "sip:192.0.2.1", call_id), BY_TCP)], NOW)
    ((_, handed_over),) = pair.workers[1].messages_to_send(NOW)
    survivor = pair.workers[0]
    survivor.receive_messages([(-1, SlotsChanged(deal([0], 2), [0])), (1, handed_over)], NOW)
    assert [outgoing.flow for outgoing in survivor.datagrams_to_send(NOW)] == [Flow(TCP, 0, ("192.0.2.102", 5060))]


def test_a_connection_that_was_closed_is_not_tried() -> None:
    """RFC 3261 18.1: the phone is called at its contact at once, and nothing has to fail first."""
    one = stack()
    contact = "<sip:alice@192.0.2.102:5060;transport=tcp>"
    own = Flow(TCP, 0, BY_TCP.remote, 0, 7)
    one.connections_changed([own], [])
    one.receive_datagrams([(register("reg", contact), own)], NOW)
    one.datagrams_to_send(NOW)
    one.connections_changed([], [own])
    one.receive_datagrams([(request("INVITE", "sip:alice@example.com", "call"), ALICE)], NOW)
    ways = [outgoing.flow for outgoing in one.datagrams_to_send(NOW) if outgoing.data.startswith(b"INVITE")]
    assert ways == [Flow(TCP, 0, ("192.0.2.102", 5060))]


# -- calls that move ---------------------------------------------------------------------------------------


def answer(invite: Message, status: int) -> bytes:
    """What the callee says to a forwarded INVITE."""
    names = ("Via", "Record-Route", "From", "To", "Call-ID", "CSeq")
    lines = [f"{name}: {value}" for name, value in invite.headers if name in names]
    return "\r\n".join([f"SIP/2.0 {status} Said", *lines, "Content-Length: 0", "", ""]).encode()


def ringing(pair: Pair) -> Message:
    """A call that worker 1 is setting up; the INVITE that the callee got."""
    call_id = call_id_of(1, pair.table)
    pair.workers[1].receive_datagrams([(request("INVITE", "sip:bob@192.0.2.60", call_id), ALICE)], NOW)
    (invite,) = [message for message in sent(pair.workers[1]) if message.is_request]
    pair.workers[1].receive_datagrams([(answer(invite, 180), BOB)], NOW)
    assert [message.status for message in sent(pair.workers[1])] == [180]
    return invite


BOB = Flow(UDP, 0, ("192.0.2.60", 5060))


def test_a_call_follows_its_slot_and_its_answer_waits_for_it() -> None:
    """Design 4: the kernel may give the 200 to the new owner before the bus has given it the call."""
    pair = Pair()
    invite = ringing(pair)
    slots = SlotsChanged(SlotTable(bytes(256), 9), [0, 1])
    new = pair.workers[0]
    new.receive_messages([(-1, slots)], NOW)
    new.receive_datagrams([(answer(invite, 200), BOB)], NOW)
    assert sent(new) == []
    pair.workers[1].receive_messages([(-1, slots)], NOW)
    assert sent(pair.workers[1]) == []
    pair.pump()
    assert [message.status for message in sent(new)] == [200]
    assert new.counters[counters.CALLS_ANSWERED] == 1
    assert new.counters[counters.STRAY_RESPONSES_FORWARDED] == 0
    assert pair.workers[1].gauges()["transactions"] == 0


def test_a_call_that_the_bus_does_not_take_stays_and_follows_a_moment_later() -> None:
    """Its new owner has just started: the way to it is not open yet (design 4)."""
    pair = Pair()
    invite = ringing(pair)
    old, new = pair.workers[1], pair.workers[0]
    for one in (new, old):
        one.receive_messages([(-1, SlotsChanged(SlotTable(bytes(256), 9), [0, 1]))], NOW)
    (refused,) = [message for _, message in old.messages_to_send(NOW) if isinstance(message, CallsMoved)]
    old.calls_unmoved(refused, NOW)
    assert old.gauges()["transactions"] > 0
    later = old.next_timer()
    assert NOW < later <= NOW + 0.1
    old.handle_timers(later)
    pair.pump()
    new.receive_datagrams([(answer(invite, 200), BOB)], later)
    assert [message.status for message in sent(new)] == [200]
    assert new.counters[counters.STRAY_RESPONSES_FORWARDED] == 0


def test_an_answer_whose_call_does_not_come_goes_on_by_its_branch() -> None:
    pair = Pair()
    invite = ringing(pair)
    new = pair.workers[0]
    new.receive_messages([(-1, SlotsChanged(SlotTable(bytes(256), 9), [0]))], NOW)
    new.receive_datagrams([(answer(invite, 200), BOB)], NOW)
    new.handle_timers(NOW + 1)
    assert [message.status for message in sent(new)] == [200]
    assert new.counters[counters.STRAY_RESPONSES_FORWARDED] == 1


def with_vias_below(response: bytes, vias: list[str]) -> bytes:
    """The same response with these Vias below ours, in place of the caller's."""
    lines = response.split(b"\r\n")
    own, *others = [line for line in lines if line.startswith(b"Via: ")]
    lines[lines.index(own)] = b"\r\n".join([own, *(b"Via: " + via.encode() for via in vias)])
    return b"\r\n".join([line for line in lines if line not in others])


@pytest.mark.parametrize("vias", [[], ["nonsense"], ["SIP/2.0/UDP 192.0.2.101;branch="]])
def test_an_early_answer_that_nobody_can_get_is_dropped(vias: list[str]) -> None:
    """Its Via below ours is looked at when it has waited in vain, and there is nobody any more to tell of a fault."""
    pair = Pair()
    invite = ringing(pair)
    new = pair.workers[0]
    new.receive_messages([(-1, SlotsChanged(SlotTable(bytes(256), 9), [0, 1]))], NOW)
    new.receive_datagrams([(with_vias_below(answer(invite, 200), vias), BOB)], NOW)
    new.handle_timers(NOW + 1)
    assert sent(new) == []
    assert new.counters[counters.DROPPED_STRAY_RESPONSE] == 1


def test_an_early_answer_without_a_via_below_ours_does_not_wait_for_its_call() -> None:
    """RFC 3261 16.7 step 3: it is nobody's."""
    pair = Pair()
    invite = ringing(pair)
    slots = SlotsChanged(SlotTable(bytes(256), 9), [0, 1])
    new = pair.workers[0]
    new.receive_messages([(-1, slots)], NOW)
    new.receive_datagrams([(with_vias_below(answer(invite, 200), []), BOB)], NOW)
    pair.workers[1].receive_messages([(-1, slots)], NOW)
    pair.pump()
    assert sent(new) == []


def test_a_request_that_waits_is_not_recorded() -> None:
    """Nothing is proved yet and nothing was answered: its sender repeats it, and any worker may have it then."""
    one, heir = stack(0), stack(1)
    invite = request("INVITE", "sip:bob@example.com")
    one.receive_datagrams([(invite, ALICE)], NOW)
    assert one.questions_to_ask()
    assert one.snapshots_to_keep() == []
    assert sent(one) == []
    assert one.gauges()["transactions"] == 0
    heir.receive_datagrams([(invite, ALICE)], NOW)
    assert heir.questions_to_ask()


def test_a_snapshot_of_another_version_harms_nothing() -> None:
    one = stack()
    one.adopt([b"", b"\x91\x63", b"no snapshot"], NOW)
    assert one.counters[counters.CALLS_NOT_ADOPTED] == 3
    assert sent(one) == []


# -- questions, time, malformed messages -------------------------------------------------------------------


def test_a_subscriber_that_the_operator_changed_is_asked_for_again() -> None:
    one = stack()
    for number in range(2):
        one.receive_datagrams([(request("INVITE", "sip:bob@example.com", f"call-{number}"), ALICE)], NOW)
        (question,) = one.questions_to_ask()
        assert isinstance(question, FindSubscriber)
        one.receive_answers([SubscriberAnswer(question.id, True, False)], NOW)
        one.receive_messages([(-1, ForgetSubscriber(b"bob"))], NOW)


def test_an_answer_that_nobody_asked_for_is_ignored() -> None:
    one = stack()
    one.receive_answers([HostAnswer(99, ("192.0.2.1",), False, 60.0), SubscriberAnswer(98, True, False)], NOW)
    assert one.gauges()["hosts"] == 0


def test_the_wall_clock_may_be_set() -> None:
    """Bindings end by unix time, timers do not notice."""
    one = stack()
    one.receive_datagrams([(register(), ALICE)], NOW)
    assert [message.status for message in sent(one)] == [200]
    one.set_wall_time(1_700_000_000.0 + 7300, NOW)
    assert one.next_timer() <= NOW + 1.0
    one.receive_datagrams([(request("INVITE", "sip:alice@example.com"), BOB)], NOW)
    assert not any(message.uri == "sip:alice@192.0.2.101:5060" for message in sent(one) if message.is_request)


def test_who_registers_just_after_the_clock_was_set_back_can_be_called() -> None:
    """Before anything was looked for that has ended meanwhile (RFC 3261 10.3 step 8: what is answered 200 is bound)."""
    one = stack()
    one.set_wall_time(1_700_000_000.0 + 7300, NOW)
    one.handle_timers(NOW + 1.0)
    one.set_wall_time(1_700_000_000.0, NOW + 1.5)
    one.receive_datagrams([(register(), ALICE)], NOW + 1.6)
    one.handle_timers(NOW + 3.0)
    assert one.gauges()["registrations"] == 1


@pytest.mark.parametrize("data", [b"hello", b"SIP/2.0 200 OK\r\n\r\n", b"ACK sip:b SIP/2.0\r\n\r\n"])
def test_what_nobody_could_be_told_about_is_dropped(data: bytes) -> None:
    one = stack()
    one.receive_datagrams([(data, ALICE)], NOW)
    assert sent(one) == []
    assert one.counters[counters.DROPPED_MALFORMED] == 1


@pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\n\r\n", b"\0\0\0\0"])
def test_empty_lines_by_udp_are_keep_alives(data: bytes) -> None:
    """Many phones keep their NAT open so (RFC 5626 3.5 has another way for datagrams)."""
    one = stack()
    one.receive_datagrams([(data, ALICE)], NOW)
    assert sent(one) == []
    assert one.counters[counters.KEEPALIVES_RECEIVED] == 1
    assert one.counters[counters.DROPPED_MALFORMED] == 0


def test_a_stack_at_rest_wants_its_timers_a_moment_later_not_now() -> None:
    assert NOW < stack().next_timer() <= NOW + 1.0


def test_the_tables_are_bounded_by_the_settings() -> None:
    """A flood of calls that nobody answers costs what the limit says and no more (design 5)."""
    limits = LimitSettings(transactions_max=10)
    one = stack(settings=Settings(domains=("example.com",), listeners=SETTINGS.listeners, limits=limits))
    for number in range(100):
        one.receive_datagrams([(request("INVITE", "sip:bob@192.0.2.60", f"flood-{number}"), ALICE)], NOW)
    assert one.gauges()["transactions"] <= 10
    refused = [message for message in sent(one) if message.status == 503]
    assert refused and all(message.first("Retry-After") for message in refused)
    assert one.counters[counters.REFUSED_TABLE_FULL] >= 90
