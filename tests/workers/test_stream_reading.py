"""What a turn of the loop takes from connections: a portion, fair between sources; the rest waits in the kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from appliance.catalogue.counters import CONNECTIONS_CLOSED_SLOW
from appliance.transport.flow import TCP, Flow, Outgoing
from appliance.transport.framing import PING
from appliance.workers.connection import Connection, ConnectionOwner
from appliance.workers.stream_reading import MESSAGES_PER_TURN, OCTETS_PER_TURN, QUANTUM, StreamReading
from tests.workers.streams_bench import SYNTAX, Node, message, until


class Loop:
    """Calls what is to be called, a turn at a time."""

    def __init__(self) -> None:
        self._steps: list[Callable[[], None]] = []

    def call_soon(self, step: Callable[[], None]) -> None:
        self._steps.append(step)

    def turn(self) -> bool:
        steps, self._steps = self._steps, []
        for step in steps:
            step()
        return bool(steps)


class Transport:
    """Whether it is read, and whether it is there."""

    def __init__(self) -> None:
        self.is_read = True
        self.is_gone = False

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True

    def is_closing(self) -> bool:
        return self.is_gone


class Owner:
    """Connections of several sources, and what of each was handled in this turn."""

    syntax = SYNTAX
    process = 0

    def __init__(self) -> None:
        self.loop = Loop()
        self.reading = StreamReading(self._arrived, self.loop.call_soon)
        self.handled: dict[int, list[bytes]] = {}
        self.delays: list[float] = []

    def connection(self, source: str) -> Connection:
        number = len(self.handled) + 1
        made = Connection(cast(ConnectionOwner, self), TCP, 0, number, False)
        made.flow = Flow(TCP, 0, (source, number), 0, number)
        made.source = source
        made.transport = cast(Any, Transport())
        self.handled[number] = []
        return made

    def _arrived(self, connection: Connection, messages: list[bytes], now: float) -> None:
        self.handled[connection.flow.connection] += messages
        self.delays.append(self.reading.delay_s)

    def counts(self) -> list[int]:
        return [len(messages) for messages in self.handled.values()]


def test_few_messages_are_handled_at_once() -> None:
    owner = Owner()
    phone = owner.connection("192.0.2.1")
    owner.reading.receive(phone, message("a") + message("b"), 0.0)
    assert owner.handled[1] == [message("a"), message("b")]
    assert not phone.is_paused and not len(owner.reading)


def test_a_turn_takes_a_portion_and_the_connection_is_not_read_meanwhile() -> None:
    owner = Owner()
    flood = owner.connection("192.0.2.1")
    sent = [message(str(number)) for number in range(3 * MESSAGES_PER_TURN)]
    owner.reading.receive(flood, b"".join(sent), 0.0)
    assert owner.counts() == [QUANTUM]
    assert flood.is_paused
    before = QUANTUM
    while owner.loop.turn():
        assert owner.counts()[0] - before <= MESSAGES_PER_TURN
        before = owner.counts()[0]
    assert owner.handled[1] == sent
    assert not flood.is_paused


def test_the_budget_of_a_turn_is_for_all_connections_together() -> None:
    owner = Owner()
    connections = [owner.connection(f"192.0.2.{number}") for number in range(50)]
    for connection in connections:
        owner.reading.receive(connection, message() * QUANTUM, 0.0)
    assert sum(owner.counts()) == MESSAGES_PER_TURN
    owner.loop.turn()
    assert sum(owner.counts()) == 2 * MESSAGES_PER_TURN
    while owner.loop.turn():
        pass
    assert owner.counts() == [QUANTUM] * 50


def test_long_messages_make_a_short_portion() -> None:
    owner = Owner()
    long = message(body=b"x" * 15_000)
    for number in range(10):
        owner.reading.receive(owner.connection(f"192.0.2.{number}"), long, 0.0)
    assert sum(owner.counts()) == OCTETS_PER_TURN // len(long) + 1


def test_keep_alives_count_as_messages() -> None:
    """RFC 5626 3.5.1: four octets make us answer two."""
    owner = Owner()
    flood = owner.connection("192.0.2.1")
    owner.reading.receive(flood, PING * 1000, 0.0)
    assert owner.counts() == [QUANTUM] and flood.is_paused


def test_a_phone_does_not_wait_for_the_hundred_connections_of_another_source() -> None:
    owner = Owner()
    for _ in range(100):
        owner.reading.receive(owner.connection("192.0.2.1"), message() * 3 * QUANTUM, 0.0)
    owner.reading.receive(owner.connection("192.0.2.2"), message("phone"), 0.0)
    owner.loop.turn()
    assert owner.handled[101] == [message("phone")]


def test_what_is_proven_does_not_wait_for_the_rest_of_its_source() -> None:
    """A stranger behind the same NAT."""
    owner = Owner()
    for _ in range(100):
        owner.reading.receive(owner.connection("192.0.2.1"), message() * 3 * QUANTUM, 0.0)
    phone = owner.connection("192.0.2.1")
    phone.is_proven = True
    owner.reading.receive(phone, message("phone"), 0.0)
    owner.loop.turn()
    assert owner.handled[101] == [message("phone")]


def test_the_delay_is_told_while_what_has_waited_is_handled() -> None:
    owner = Owner()
    owner.reading.receive(owner.connection("192.0.2.1"), message() * (QUANTUM + 1), 0.0)
    owner.loop.turn()
    assert owner.delays[0] == 0.0 and owner.delays[-1] > 0.0
    assert owner.reading.delay_s == 0.0


def test_what_waits_in_a_connection_that_is_gone_goes_with_it() -> None:
    owner = Owner()
    lost, closing = owner.connection("192.0.2.1"), owner.connection("192.0.2.2")
    for connection in (lost, closing):
        owner.reading.receive(connection, message() * 2 * QUANTUM, 0.0)
    owner.reading.forget(lost)
    cast(Transport, closing.transport).is_gone = True
    while owner.loop.turn():
        pass
    assert owner.counts()[0] == QUANTUM
    assert len(owner.reading) == 0


def test_a_connection_that_is_held_is_not_read_until_it_is_released_by_all() -> None:
    owner = Owner()
    flood = owner.connection("192.0.2.1")
    owner.reading.receive(flood, message() * 2 * QUANTUM, 0.0)
    for _ in range(2):
        owner.reading.hold(flood)
    owner.loop.turn()
    owner.reading.receive(flood, message(), 0.0)
    owner.reading.release(flood, 0.0)
    owner.loop.turn()
    assert owner.counts() == [QUANTUM] and flood.is_paused
    owner.reading.release(flood, 0.0)
    owner.loop.turn()
    assert owner.counts() == [2 * QUANTUM + 1] and not flood.is_paused


def test_a_peer_that_sends_more_than_a_turn_takes_is_slowed_down_and_loses_nothing(
    play_streams: Callable[..., None],
) -> None:
    async def scenario(node: Node) -> None:
        phone, flood = await node.dial(), await node.dial()
        sent = [message(str(number)) for number in range(6000)]
        flood.writer.write(b"".join(sent))
        flood.writer.write_eof()
        await until(lambda: node.received)
        await phone.send(message("phone"))
        await until(lambda: len(node.received) == 6001)
        assert [data for data, _ in node.received if data != message("phone")] == sent
        assert node.received[-1][0] != message("phone")

    play_streams(scenario)


def test_a_peer_that_proved_nothing_gets_a_small_queue(play_streams: Callable[..., None]) -> None:
    """Bytes that wait for a peer that does not read, beyond what the kernel keeps of them."""

    async def scenario(node: Node) -> None:
        phone, stranger = await node.dial_proven(), await node.dial()
        await stranger.send(message())
        await until(lambda: len(node.received) == 2)
        known, strange = (flow for _, flow in node.received)
        for flow in (known, strange):
            node.streams.send([Outgoing(b"SIP/2.0 404 Not Found\r\n" + bytes(16_000_000), flow)])
        assert len(node.streams) == 1
        assert [outgoing.flow for outgoing in node.streams.take_failures()] == [strange]
        assert node.counters[CONNECTIONS_CLOSED_SLOW] == 1
        phone.writer.transport.abort()

    play_streams(scenario, connection_queue_kib=1 << 15)
