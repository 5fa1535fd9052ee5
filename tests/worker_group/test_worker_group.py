"""What goes to siblings, and by whom a message leaves."""

from __future__ import annotations

from appliance.catalogue.counters import COUNTERS, HANDED_OVER, SENT_ON
from appliance.messages.bus_messages import BusMessage, ConnectionsChanged, HandedOver, SendByConnection
from appliance.messages.slots import deal, slot_of
from appliance.transport.flow import TCP, UDP, Flow, Outgoing
from appliance.worker_group.worker_group import WorkerGroup

SEED = 7
PHONE = ("192.0.2.101", 5060)


def company() -> tuple[WorkerGroup, list[int]]:
    """Worker 0 of two, each of which has half of the slots."""
    counters = [0] * len(COUNTERS)
    made = WorkerGroup(0, SEED, counters)
    made.receive_slots(deal(range(2)), [0, 1])
    made.messages_to_send(0.0)
    return made, counters


def sent(company: WorkerGroup, kind: type[BusMessage]) -> list[tuple[int, BusMessage]]:
    return [(worker, message) for worker, message in company.messages_to_send(1.0) if isinstance(message, kind)]


def call_id_of(worker: int) -> bytes:
    """A Call-ID whose slot is that worker's."""
    owners = deal(range(2)).owners
    return next(b"call-%d" % n for n in range(999) if owners[slot_of(b"call-%d" % n, SEED)] == worker)


def test_a_message_of_a_siblings_slot_goes_to_it_and_ours_does_not() -> None:
    zero, counters = company()
    flow = Flow(UDP, 0, PHONE)
    assert not zero.hand_over(b"ours", flow, call_id_of(0))
    assert not zero.hand_over(b"no Call-ID", flow, None)
    assert zero.hand_over(b"theirs", flow, call_id_of(1))
    assert sent(zero, HandedOver) == [(1, HandedOver(b"theirs", flow, 1))]
    assert counters[HANDED_OVER] == 1


def test_what_goes_by_a_siblings_connection_is_sent_on() -> None:
    """RFC 3261 18.1.1: by the existing connection, whichever worker holds it."""
    zero, counters = company()
    zero.receive(1, ConnectionsChanged([Flow(TCP, 0, PHONE, 1, 9)], []))
    theirs = Outgoing(b"theirs", Flow(TCP, 0, PHONE), b"")
    ours = Outgoing(b"ours", Flow(TCP, 0, ("192.0.2.9", 5060)), b"")
    assert [zero.direct(outgoing) for outgoing in (theirs, ours)] == [True, False]
    assert zero.pass_on([theirs, ours]) == ([ours], [])
    assert sent(zero, SendByConnection) == [(1, SendByConnection(theirs))]
    assert counters[SENT_ON] == 1


def test_what_went_by_the_connection_of_a_dead_sibling_is_stranded() -> None:
    zero, _ = company()
    outgoing = Outgoing(b"a response", Flow(TCP, 0, PHONE, 1, 9), b"")
    zero.receive_slots(deal([0]), [0])
    assert zero.direct(outgoing)
    assert zero.pass_on([outgoing]) == ([], [outgoing])
