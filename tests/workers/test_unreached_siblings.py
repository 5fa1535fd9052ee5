"""What waits for workers that are not reached: sent when they are, and counted when it is dropped."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from appliance.catalogue.counters import BUS_UNREACHED
from appliance.messages.bus_messages import BusMessage, HandedOver, SendByConnection
from appliance.transport.flow import TCP, Flow, Outgoing
from appliance.transport.process_id import ProcessId
from appliance.workers.outbound import Outbound
from appliance.workers.unreached_siblings import MESSAGES_MAX

SIBLING = ProcessId(1)
FLOW = Flow(TCP, 0, ("192.0.2.1", 40001), SIBLING, 1)


class Sender:
    """The bus and the stack of a worker, as far as what leaves it needs them."""

    def __init__(self) -> None:
        self.is_there = False
        self.counters = [0] * (BUS_UNREACHED + 1)
        self.failed: list[Outgoing] = []
        self.sent: list[BusMessage] = []

    def send(self, destination: ProcessId, messages: Sequence[BusMessage]) -> bool:
        self.sent += messages if self.is_there else []
        return self.is_there

    def has_reached(self, destination: ProcessId) -> bool:
        return self.is_there

    def receive_failures(self, failed: list[Outgoing], now: float) -> None:
        self.failed += failed

    def release(self, flows: list[Flow], now: float) -> None:
        assert not flows


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest.fixture
def outbound(sender: Sender) -> Outbound:
    return Outbound(sender, sender, None, None, lambda: None)  # type: ignore[arg-type]


def messages(count: int) -> list[tuple[ProcessId, BusMessage]]:
    return [(SIBLING, HandedOver(b"%d" % number, FLOW)) for number in range(count)]


def test_what_waits_is_sent_in_order_when_the_sibling_is_reached(sender: Sender, outbound: Outbound) -> None:
    waiting = [(SIBLING, SendByConnection(Outgoing(b"%d" % number, FLOW, b""))) for number in range(3)]
    assert outbound.pass_on(waiting) == []
    sender.is_there = True
    outbound.send_waiting()
    assert sender.sent == [message for _, message in waiting]
    assert sender.counters[BUS_UNREACHED] == 0


def test_the_newest_above_the_limit_are_dropped_and_counted(sender: Sender, outbound: Outbound) -> None:
    """What a connection of the sibling should have carried has failed: its transaction has to know (RFC 3261 18.4)."""
    over = Outgoing(b"over", FLOW, b"z9hG4bK1")
    assert outbound.pass_on([*messages(MESSAGES_MAX + 2), (SIBLING, SendByConnection(over))]) == [over]
    assert sender.counters[BUS_UNREACHED] == 3
