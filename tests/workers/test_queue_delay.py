"""How long messages wait, by whichever door they come."""

from __future__ import annotations

from appliance.workers.queue_delay import MEMORY_S, QueueDelay


def test_the_worst_of_what_was_measured_lately() -> None:
    delays = QueueDelay()
    assert delays.worst(1.0) == 0.0
    delays.note_datagram(0.010, 1.0)
    delays.note_turn(0.030, 1.0)
    assert delays.worst(1.0) == 0.030
    delays.note_datagram(0.040, 1.001)
    assert delays.worst(1.001) == 0.040


def test_what_is_old_does_not_count() -> None:
    delays = QueueDelay()
    delays.note_turn(0.030, 1.0)
    delays.note_datagram(0.002, 1.0 + 2 * MEMORY_S)
    assert delays.worst(1.0 + 2 * MEMORY_S) == 0.002
