"""With `cluster calls wait` messages of calls leave when another node has the calls, in order, and not too late."""

from __future__ import annotations

from appliance.catalogue.counters import CALLS_UNREPLICATED, COUNTERS
from appliance.transport.flow import UDP, Flow, Outgoing
from appliance.workers.held_outgoings import HELD_MAX, HeldOutgoings

FLOW = Flow(UDP, 0, ("192.0.2.7", 5060))
WAIT_S = 0.1


class Page:
    """What the replicator says: None where there is no node to wait for."""

    def __init__(self) -> None:
        self.acknowledged: int | None = 0
        self.woken = 0

    def calls_acknowledged(self, worker: int) -> int | None:
        return self.acknowledged

    def changed(self) -> None:
        self.woken += 1


class Worker:
    def __init__(self) -> None:
        self.page = Page()
        self.counters = [0] * len(COUNTERS)
        self.held = HeldOutgoings(0, self.page, self.counters)
        self.held.is_waiting, self.held.wait_s = True, WAIT_S

    def turn(self, text: bytes, position: int, now: float) -> list[bytes]:
        """A turn with one message, whose copies end there; what leaves."""
        sent = [Outgoing(text, FLOW)] if text else []
        return [outgoing.data for outgoing in self.held.through((sent, []), position, now)[0]]


def test_a_message_waits_for_its_calls_and_those_behind_it_wait_as_well() -> None:
    worker = Worker()
    assert worker.turn(b"180", 100, 1.0) == []
    assert worker.turn(b"OPTIONS", 0, 1.01) == []
    worker.page.acknowledged = 100
    assert worker.turn(b"", 0, 1.02) == [b"180", b"OPTIONS"]
    assert worker.page.woken == 1
    assert worker.turn(b"BYE", 0, 1.03) == [b"BYE"]


def test_the_wait_is_bounded_and_counted() -> None:
    worker = Worker()
    worker.turn(b"180", 100, 1.0)
    assert worker.turn(b"", 0, 1.0 + WAIT_S / 2) == []
    assert worker.turn(b"", 0, 1.0 + WAIT_S) == [b"180"]
    assert worker.counters[CALLS_UNREPLICATED] == 1


def test_without_a_node_to_wait_for_nothing_waits() -> None:
    worker = Worker()
    worker.page.acknowledged = None
    assert worker.turn(b"180", 100, 1.0) == [b"180"]
    assert worker.counters[CALLS_UNREPLICATED] == 0


def test_when_the_setting_is_changed_all_that_waits_leaves() -> None:
    worker = Worker()
    worker.turn(b"180", 100, 1.0)
    worker.held.is_waiting = False
    assert worker.turn(b"200", 200, 1.01) == [b"180", b"200"]


def test_what_waits_is_bounded() -> None:
    worker = Worker()
    left = [text for at in range(HELD_MAX + 5) for text in worker.turn(b"%d" % at, at + 1, 1.0)]
    assert left == [b"%d" % at for at in range(5)]
