"""Calls that follow their slots to another worker, and the answers that come for them meanwhile (design 4)."""

from __future__ import annotations

import pytest

from appliance.catalogue import counters
from appliance.messages.bus_messages import (
    CallsMoved,
    SlotsChanged,
)
from appliance.messages.slots import SlotTable
from tests.flows.wire import Message
from tests.stack_bench import (
    ALICE,
    BOB,
    NOW,
    Pair,
    answer,
    call_id_of,
    request,
    sent,
    stack,
)


def ringing(pair: Pair) -> Message:
    """A call that worker 1 is setting up; the INVITE that the callee got."""
    call_id = call_id_of(1, pair.table)
    pair.workers[1].receive_datagrams([(request("INVITE", "sip:bob@192.0.2.60", call_id), ALICE)], NOW)
    (invite,) = [message for message in sent(pair.workers[1]) if message.is_request]
    pair.workers[1].receive_datagrams([(answer(invite, 180), BOB)], NOW)
    assert [message.status for message in sent(pair.workers[1])] == [180]
    return invite


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
def test_an_early_answer_without_a_receiver_is_dropped(vias: list[str]) -> None:
    """Its Via below ours is looked at when it has waited in vain, and a fault has no receiver any more."""
    pair = Pair()
    invite = ringing(pair)
    new = pair.workers[0]
    new.receive_messages([(-1, SlotsChanged(SlotTable(bytes(256), 9), [0, 1]))], NOW)
    new.receive_datagrams([(with_vias_below(answer(invite, 200), vias), BOB)], NOW)
    new.handle_timers(NOW + 1)
    assert sent(new) == []
    assert new.counters[counters.DROPPED_STRAY_RESPONSE] == 1


def test_an_early_answer_without_a_via_below_ours_does_not_wait_for_its_call() -> None:
    """RFC 3261 16.7 step 3: no Via is left that names a receiver."""
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
