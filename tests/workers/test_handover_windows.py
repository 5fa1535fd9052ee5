"""What streams bring for a sibling is held back when the sibling does not keep up."""

from __future__ import annotations

from appliance.messages.bus_messages import HandedOver
from appliance.transport.flow import TCP, UDP, Flow
from appliance.workers.handed_over import HELD_MAX, MESSAGES_PER_TURN, OCTETS_PER_TURN, HandedOverQueue
from appliance.workers.handover_windows import GO_ON_AT, HELD_S, UNACKNOWLEDGED_MAX, HandoverWindows

ONE = Flow(TCP, 0, ("192.0.2.1", 40001), 0, 1)
TWO = Flow(TCP, 0, ("192.0.2.1", 40002), 0, 2)
DATAGRAM = Flow(UDP, 0, ("192.0.2.1", 40003))


def test_connections_that_bring_too_much_are_held_until_it_is_acknowledged() -> None:
    windows = HandoverWindows()
    assert windows.sent(1, [ONE] * UNACKNOWLEDGED_MAX, 0.0) == []
    assert windows.sent(1, [ONE, TWO, ONE], 0.0) == [ONE, TWO]
    assert windows.sent(1, [ONE], 0.0) == []
    over = UNACKNOWLEDGED_MAX + 4
    assert windows.acknowledged(1, over - GO_ON_AT - 1, 0.1) == []
    assert windows.acknowledged(1, 1, 0.1) == [ONE, TWO]
    assert windows.acknowledged(1, 1, 0.1) == []


def test_each_sibling_has_a_window_of_its_own() -> None:
    windows = HandoverWindows()
    windows.sent(1, [ONE] * UNACKNOWLEDGED_MAX, 0.0)
    assert windows.sent(2, [ONE], 0.0) == []
    assert windows.acknowledged(3, 64, 0.0) == []


def test_the_dead_hold_nothing() -> None:
    windows = HandoverWindows()
    windows.sent(1, [ONE] * (UNACKNOWLEDGED_MAX + 1), 0.0)
    assert windows.forget(1) == [ONE]
    assert windows.forget(1) == []
    assert windows.sent(1, [ONE], 0.0) == []


def test_nothing_is_held_for_ever() -> None:
    windows = HandoverWindows()
    windows.sent(1, [ONE] * (UNACKNOWLEDGED_MAX + 1), 5.0)
    assert windows.overdue(5.0 + HELD_S) == []
    assert windows.overdue(5.1 + HELD_S) == [ONE]
    assert windows.overdue(5.1 + HELD_S) == []


def released_queue() -> HandedOverQueue:
    """Of a worker that knows whose the slots are."""
    queue = HandedOverQueue()
    queue.release()
    return queue


def test_what_was_handed_over_waits_for_the_first_slots() -> None:
    """Before them a response could not go back by the sibling's connection."""
    queue = HandedOverQueue()
    for _ in range(MESSAGES_PER_TURN + 1):
        queue.add(1, HandedOver(b"early", ONE), 1.0)
    assert not queue.is_full and not queue.is_ready and queue.take(1.5) == []
    queue.release()
    assert queue.is_ready and len(queue.take(2.0)) == MESSAGES_PER_TURN
    assert queue.delay_s == 1.0


def test_no_more_than_a_bound_waits_for_the_first_slots() -> None:
    queue = HandedOverQueue()
    for _ in range(HELD_MAX):
        queue.add(1, HandedOver(b"early", DATAGRAM), 1.0)
    assert queue.is_full and queue.is_ready
    assert len(queue.take(1.5)) == MESSAGES_PER_TURN
    assert not queue.is_ready


def test_what_was_handed_over_is_handled_in_portions_and_acknowledged_when_handled() -> None:
    queue = released_queue()
    for number in range(MESSAGES_PER_TURN + 10):
        queue.add(1, HandedOver(b"%d" % number, ONE if number % 2 else DATAGRAM), 1.0)
    assert queue.is_full
    portion = queue.take(1.5)
    assert [message.data for _, message in portion if isinstance(message, HandedOver)] == [
        b"%d" % number for number in range(MESSAGES_PER_TURN)
    ]
    assert queue.delay_s == 0.5
    assert not queue.is_full
    # Datagrams are not acknowledged.
    assert queue.acknowledgements(MESSAGES_PER_TURN // 2) == [(1, MESSAGES_PER_TURN // 2)]
    queue.acknowledged(1)
    assert len(queue.take(2.0)) == 10
    assert queue.acknowledgements(6) == []
    assert queue.acknowledgements(5) == [(1, 5)]


def test_long_messages_make_a_short_portion() -> None:
    queue = released_queue()
    for _ in range(4):
        queue.add(1, HandedOver(bytes(OCTETS_PER_TURN // 2), ONE), 0.0)
    assert [len(queue.take(0.0)) for _ in range(3)] == [2, 2, 0]
