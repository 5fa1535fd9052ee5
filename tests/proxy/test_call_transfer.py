"""Calls that other workers go on with: of the dead, and when slots move between the living (ARCHITECTURE: when a
worker dies)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.catalogue import counters
from appliance.catalogue.limit_settings import LimitSettings
from appliance.messages.bus_messages import CallsMoved, HandedOver, SlotsChanged
from appliance.messages.slots import SlotTable
from appliance.routing.lookup_questions import SubscriberAnswer
from appliance.stack import Stack
from appliance.transport.flow import UDP, Flow
from tests.flows.wire import Message
from tests.stack_bench import ALICE, NOW, SETTINGS, answer, request, sent, stack

BOB, DESK = Flow(UDP, 0, ("192.0.2.60", 5060)), Flow(UDP, 0, ("192.0.2.61", 5060))

INVITE = request("INVITE", "sip:bob@example.com")
CANCEL = INVITE.replace(b"INVITE sip", b"CANCEL sip").replace(b"1 INVITE", b"1 CANCEL")


def forked(one: Stack, call_id: str = "call-1") -> list[Message]:
    """A call to both phones of bob; the INVITE that each got."""
    for number, flow in enumerate((BOB, DESK), 1):
        contact = f"Contact: <sip:bob@{flow.remote[0]}:5060>"
        registration = request("REGISTER", "sip:example.com", f"r{number}", contact)
        one.receive_datagrams([(registration.replace(b"alice@", b"bob@"), flow)], NOW)
    one.receive_datagrams([(request("INVITE", "sip:bob@example.com", call_id), ALICE)], NOW)
    one.receive_answers([SubscriberAnswer(question.id, True, False) for question in one.questions_to_ask()], NOW)
    return [message for message in sent(one) if message.method == "INVITE" and message.is_request]


def snapshots(one: Stack) -> list[bytes]:
    """What it wants to be recorded now; b"" where nothing is left to go on with."""
    return [snapshot for _, _, snapshot in one.snapshots_to_keep()]


def test_a_branch_that_ends_at_once_in_another_worker_may_be_the_last_one() -> None:
    """RFC 3261 16.7 step 6: a phone is busy, and for the other one the heir has no room. The caller hears of it."""
    dead, heir = stack(0), stack(1, replace(SETTINGS, limits=LimitSettings(transactions_max=1)))
    _, second = forked(dead)
    dead.receive_datagrams([(answer(second, 486), DESK)], NOW)
    heir.adopt(snapshots(dead), NOW)
    assert [message.status for message in sent(heir)] == [486]
    heir.handle_timers(NOW + 64)
    assert heir.gauges()["transactions"] == 0


# -- calls whose slots move between the living ---------------------------------------------------------------


def slots_go(one: Stack, owner: int, epoch: int) -> CallsMoved | None:
    """All slots are this worker's from now on; what is sent after them."""
    one.receive_messages([(-1, SlotsChanged(SlotTable(bytes([owner]) * 256, epoch), [0, 1, 2]))], NOW)
    moved = [message for _, message in one.messages_to_send(NOW) if isinstance(message, CallsMoved)]
    return moved[0] if moved else None


def answered_by_one_of_two(one: Stack) -> Message:
    """One phone has picked up, the other one is being cancelled: its INVITE."""
    first, second = forked(one)
    one.receive_datagrams([(answer(first, 180), BOB), (answer(second, 180), DESK), (answer(first, 200), BOB)], NOW)
    assert [message.method for message in sent(one) if message.is_request] == ["CANCEL"]
    assert all(snapshots(one))
    return second


def test_a_call_that_was_answered_and_moves_leaves_no_snapshot_behind() -> None:
    """Else its old worker's heirs would go on with it again, and ring a phone that was cancelled."""
    old = stack(0)
    answered_by_one_of_two(old)
    assert slots_go(old, 1, 2)
    assert snapshots(old) == [b""]


def test_a_call_that_was_answered_may_move_again() -> None:
    """RFC 3261 17.1.1.3: the 487 of the phone that was cancelled is acknowledged wherever the call is."""
    old, second, third = stack(0), stack(1), stack(2)
    cancelled = answered_by_one_of_two(old)
    for giver, taker, epoch in ((old, second, 2), (second, third, 3)):
        moved = slots_go(giver, taker_number := epoch - 1, epoch)
        slots_go(taker, taker_number, epoch)
        assert moved is not None
        taker.receive_messages([(taker_number - 1, moved)], NOW)
    assert second.gauges()["transactions"] == 0
    sent(third)
    third.receive_datagrams([(answer(cancelled, 487), DESK)], NOW)
    assert [message.method for message in sent(third)] == ["ACK"]


def test_a_cancel_goes_with_its_call_to_and_fro() -> None:
    """RFC 3261 9.1, 17.1.2.2: the worker that the 200 to the CANCEL comes to is the only one that repeats it."""
    one, other = stack(0), stack(1)
    answered_by_one_of_two(one)
    moved = slots_go(one, 1, 2)
    one.handle_timers(NOW + 0.6)
    assert sent(one) == []
    slots_go(other, 1, 2)
    assert moved is not None
    other.receive_messages([(0, moved)], NOW)
    back = slots_go(other, 0, 3)
    slots_go(one, 0, 3)
    assert back is not None
    one.receive_messages([(1, back)], NOW)
    assert [message.method for message in sent(one)] == ["CANCEL"]
    assert one.counters[counters.REFUSED_TABLE_FULL] == 0


def test_a_cancel_that_is_repeated_to_another_worker_is_counted_once() -> None:
    """Its 200 was lost, and the call has moved since. Nor does a CANCEL count that comes after the answer."""
    old, new = stack(0), stack(1)
    first, _ = forked(old)
    old.receive_datagrams([(answer(first, 180), BOB), (CANCEL, ALICE)], NOW)
    moved = slots_go(old, 1, 2)
    slots_go(new, 1, 2)
    assert moved is not None
    new.receive_messages([(0, moved)], NOW)
    new.receive_datagrams([(CANCEL, ALICE)], NOW)
    assert [message.status for message in sent(new) if message.status] == [200]
    assert old.counters[counters.CALLS_CANCELLED] + new.counters[counters.CALLS_CANCELLED] == 1
    answered = stack(0)
    answered_by_one_of_two(answered)
    answered.receive_datagrams([(CANCEL, ALICE)], NOW)
    assert answered.counters[counters.CALLS_CANCELLED] == 0


def test_a_call_that_is_forwarded_nowhere_is_not_counted_as_started() -> None:
    """Whether its subscriber was known or had to be asked for; nor is it again by the worker that goes on with it."""
    old, new = stack(0), stack(1)
    for call_id in ("call-1", "call-2"):
        old.receive_datagrams([(request("INVITE", "sip:nobody@example.com", call_id), ALICE)], NOW)
        old.receive_answers([SubscriberAnswer(q.id, False, False) for q in old.questions_to_ask()], NOW)
    assert [message.status for message in sent(old) if message.status != 100] == [404, 404]
    assert old.counters[counters.CALLS_STARTED] == 0
    old.receive_datagrams([(request("INVITE", "sip:bob@192.0.2.60", "call-3"), ALICE)], NOW)
    assert old.counters[counters.CALLS_STARTED] == 1
    forked(old, "call-4")
    assert old.counters[counters.CALLS_STARTED] == 2
    new.adopt(snapshots(old), NOW)
    assert new.counters[counters.CALLS_STARTED] == 0


def test_a_call_that_is_handed_over_by_a_newer_table_does_not_go_to_the_dead() -> None:
    """Worker 0 has not heard yet that worker 1 is dead and its calls are its own; what it sent there would be lost."""
    heir, third = stack(0), stack(2)
    slots_go(heir, 1, 2)
    slots_go(third, 0, 3)
    third.receive_datagrams([(request("INVITE", "sip:bob@192.0.2.60"), ALICE)], NOW)
    ((_, handed_over),) = [item for item in third.messages_to_send(NOW) if isinstance(item[1], HandedOver)]
    heir.receive_messages([(2, handed_over)], NOW)
    assert [message.method for message in sent(heir) if message.is_request] == ["INVITE"]
    assert not any(isinstance(message, CallsMoved) for _, message in heir.messages_to_send(NOW))
    assert slots_go(heir, 0, 3) is None
    assert heir.gauges()["transactions"] == 2


def test_a_cancel_that_comes_before_its_call_waits_for_it() -> None:
    """RFC 3261 16.10: else the next target would be rung after all, or a user that the database knows."""
    old, new = stack(0), stack(1)
    old.receive_datagrams([(request("INVITE", "sip:bob@example.com"), ALICE)], NOW)
    slots_go(new, 1, 2)
    new.receive_datagrams([(CANCEL, ALICE), (CANCEL, ALICE)], NOW)
    assert sent(new) == []
    moved = slots_go(old, 1, 2)
    assert moved is not None
    new.receive_messages([(0, moved)], NOW)
    assert [message.status for message in sent(new)] == [200, 200]
    new.receive_answers([SubscriberAnswer(q.id, True, False) for q in new.questions_to_ask()], NOW)
    assert [message.status for message in sent(new)] == [487]
    assert new.counters[counters.CALLS_CANCELLED] == 1


def test_a_request_that_waits_follows_its_slot() -> None:
    """Its transaction is made by the worker that gets its ACK and CANCEL; the former owner forgets it."""
    old, new = stack(0), stack(1)
    invite = request("INVITE", "sip:bob@example.com")
    old.receive_datagrams([(invite, ALICE)], NOW)
    (asked,) = old.questions_to_ask()
    slots_go(new, 1, 2)
    moved = slots_go(old, 1, 2)
    assert moved is not None
    new.receive_messages([(0, moved)], NOW)
    # A retransmission that the kernel gives to the new owner is absorbed.
    new.receive_datagrams([(invite, ALICE)], NOW)
    old.receive_answers([SubscriberAnswer(asked.id, True, False)], NOW)
    assert sent(old) == []
    (asked,) = new.questions_to_ask()
    new.receive_answers([SubscriberAnswer(asked.id, True, False)], NOW)
    assert [message.status for message in sent(new)] == [480]


def test_a_request_that_came_again_before_its_move_is_decided_once() -> None:
    old, new = stack(0), stack(1)
    invite = request("INVITE", "sip:bob@example.com")
    old.receive_datagrams([(invite, ALICE)], NOW)
    slots_go(new, 1, 2)
    new.receive_datagrams([(invite, ALICE)], NOW)
    moved = slots_go(old, 1, 2)
    assert moved is not None
    new.receive_messages([(0, moved)], NOW)
    (asked,) = new.questions_to_ask()
    new.receive_answers([SubscriberAnswer(asked.id, True, False)], NOW)
    assert [message.status for message in sent(new)] == [480]


def test_a_cancel_whose_call_does_not_come_is_answered() -> None:
    new = stack(1)
    slots_go(new, 1, 2)
    new.receive_datagrams([(CANCEL.replace(b"bob@example.com", b"bob@192.0.2.60"), ALICE)], NOW)
    assert sent(new) == []
    new.handle_timers(NOW + 1)
    assert [(message.method, message.status) for message in sent(new)] == [("CANCEL", 481)]


@pytest.mark.parametrize("status", [486, 200])
def test_a_response_that_is_handed_to_the_former_owner_follows_its_call(status: int) -> None:
    """RFC 3261 16.7: worker 2, which read it, has not heard that the slots went from 0 to 1. By TCP it comes once."""
    old, new, reader = stack(0), stack(1), stack(2)
    old.receive_datagrams([(request("INVITE", "sip:bob@192.0.2.60"), ALICE)], NOW)
    (invite,) = [message for message in sent(old) if message.is_request]
    slots_go(reader, 0, 2)
    reader.receive_datagrams([(answer(invite, status), BOB)], NOW)
    ((_, response),) = [item for item in reader.messages_to_send(NOW) if isinstance(item[1], HandedOver)]
    moved = slots_go(old, 1, 3)
    assert moved is not None
    old.receive_messages([(2, response)], NOW)
    ((target, followed),) = [item for item in old.messages_to_send(NOW) if isinstance(item[1], HandedOver)]
    # The new owner has not heard of the slots either: the response waits for the call.
    new.receive_messages([(0, followed)], NOW)
    assert (target, sent(new)) == (1, [])
    new.receive_messages([(0, moved)], NOW)
    assert status in [message.status for message in sent(new)]
    assert new.counters[counters.CALLS_ANSWERED if status == 200 else counters.CALLS_FAILED] == 1


def test_why_the_caller_gave_up_follows_the_call() -> None:
    """RFC 3326 2, RFC 3261 9.1: a CANCEL that waits for a provisional response goes out with its Reason."""
    old, new = stack(0), stack(1)
    first, _ = forked(old)
    cancel = CANCEL.replace(b"Content-Length", b"Reason: SIP ;cause=200\r\nContent-Length")
    old.receive_datagrams([(cancel, ALICE)], NOW)
    moved = slots_go(old, 1, 2)
    assert moved is not None
    slots_go(new, 1, 2)
    new.receive_messages([(0, moved)], NOW)
    sent(new)
    new.receive_datagrams([(answer(first, 180), BOB)], NOW)
    (cancelled,) = [message for message in sent(new) if message.method == "CANCEL"]
    assert cancelled.values("Reason") == ["SIP ;cause=200"]
