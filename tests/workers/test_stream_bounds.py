"""What connections may cost: how many there are, for how long, and how much waits in them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from appliance import clock
from appliance.catalogue import counters as catalogue
from appliance.catalogue.limit_settings import LimitSettings
from appliance.catalogue.settings import ListenerSettings
from appliance.transport.flow import TCP, Flow, Outgoing
from appliance.transport.framing import PING
from tests.workers.streams_bench import SYNTAX, Node, accepted, message, until


def test_over_the_limit_connections_are_closed_at_once(play_streams: Callable[..., None]) -> None:
    async def scenario(node: Node) -> None:
        phones = [await node.dial_proven() for _ in range(3)]
        refused = await node.dial()
        assert await refused.is_closed()
        assert node.counters[catalogue.CONNECTIONS_REFUSED] == 1
        for phone in phones:
            await phone.send(message())
        await until(lambda: len(node.received) == 6)
        outgoing = Outgoing(b"x", Flow(TCP, 0, ("127.0.0.1", 9)))
        node.streams.send([outgoing])
        assert node.streams.take_failures() == [outgoing]

    play_streams(scenario, connections_max=3)


def test_at_the_limit_what_has_proved_nothing_makes_room(play_streams: Callable[..., None]) -> None:
    """A stranger's connections, with an OPTIONS on each, do not keep a phone out."""

    async def scenario(node: Node) -> None:
        registered = await node.dial_proven()
        strangers = [await node.dial() for _ in range(2)]
        await strangers[0].send(message())
        await until(lambda: len(node.received) == 2)
        await strangers[1].send(message())
        await until(lambda: len(node.received) == 3)
        for _, flow in node.received[1:]:
            node.streams.send([Outgoing(accepted("OPTIONS"), flow)])
        phone = await node.dial_proven()
        assert await strangers[0].is_closed()
        assert node.counters[catalogue.CONNECTIONS_DISPLACED] == 1
        assert node.counters[catalogue.CONNECTIONS_REFUSED] == 0
        assert not registered.reader.at_eof() and not phone.reader.at_eof()
        node.streams.send([Outgoing(b"x", Flow(TCP, 0, ("127.0.0.1", 9)))])
        assert await strangers[1].is_closed()

    play_streams(scenario, connections_max=3)


def test_a_source_has_its_share_of_connections(play_streams: Callable[..., None]) -> None:
    """Its own unproven ones make room; when all are proven, one more is refused."""

    async def scenario(node: Node) -> None:
        registered, stranger = await node.dial_proven(), await node.dial()
        await until(lambda: len(node.streams) == 2)
        await node.dial_proven()
        assert await stranger.is_closed()
        assert await (await node.dial()).is_closed()
        assert node.counters[catalogue.CONNECTIONS_DISPLACED] == 1
        assert node.counters[catalogue.CONNECTIONS_REFUSED] == 1
        registered.writer.close()
        await until(lambda: any(connection.is_ending for connection in node.streams._connections.values()))
        node.streams.sweep(clock.monotonic() + 6)
        await until(lambda: len(node.streams) == 1)
        await node.dial_proven()
        assert node.counters[catalogue.CONNECTIONS_REFUSED] == 1

    play_streams(scenario, connections_per_source_max=2)


def test_a_peer_has_no_share(play_streams: Callable[..., None]) -> None:
    """A trunk may bring a connection for each call; the operator has named it."""

    async def scenario(node: Node) -> None:
        peer = ListenerSettings(peers=("127.0.0.1",))
        node.streams.reconfigure((peer,), LimitSettings(connections_per_source_max=1), SYNTAX)
        for _ in range(3):
            await node.dial()
        await until(lambda: len(node.streams) == 3)

    play_streams(scenario)


def test_what_has_proved_nothing_is_closed_sooner(play_streams: Callable[..., None]) -> None:
    """Keep-alives do not make it last (RFC 5626 3.5.1)."""

    async def scenario(node: Node) -> None:
        phone, stranger = await node.dial_proven(), await node.dial()
        await stranger.send(message())
        await until(lambda: len(node.received) == 2)
        node.streams.sweep(clock.monotonic() + 59)
        assert len(node.streams) == 2
        await stranger.send(b"\r\n\r\n")
        await until(lambda: node.counters[catalogue.KEEPALIVES_RECEIVED])
        node.streams.sweep(clock.monotonic() + 61)
        assert await stranger.is_closed()
        assert len(node.streams) == 1
        assert not phone.reader.at_eof()

    play_streams(scenario, connection_unproven_s=60)


def test_descriptors_bound_connections(play_streams: Callable[..., None]) -> None:
    """RLIMIT_NOFILE: what is kept for the bus and for files is no connection's."""

    async def scenario(node: Node) -> None:
        node.streams.descriptors_max = 2
        for _ in range(2):
            await node.dial_proven()
        assert await (await node.dial()).is_closed()

    play_streams(scenario)


def test_an_incomplete_message_has_its_time(play_streams: Callable[..., None]) -> None:
    """A peer that drips bytes holds a connection no longer than `message partial`."""

    async def scenario(node: Node) -> None:
        dripping, healthy = await node.dial(), await node.dial()
        await healthy.send(message())
        await dripping.send(message() + message()[:50])
        await until(lambda: len(node.received) == 2)
        node.streams.sweep(clock.monotonic() + 14)
        assert len(node.streams) == 2
        await dripping.send(b"x")
        node.streams.sweep(clock.monotonic() + 16)
        assert await dripping.is_closed()
        assert node.counters[catalogue.CONNECTIONS_CLOSED_PARTIAL] == 1
        assert len(node.streams) == 1

    play_streams(scenario, partial_message_s=15)


def test_who_says_nothing_is_closed(play_streams: Callable[..., None]) -> None:
    """A stranger soon, a phone that has spoken after `connection idle`."""

    async def scenario(node: Node) -> None:
        stranger, phone = await node.dial(), await node.dial_proven()
        await stranger.send(b"\r\n\r\n")
        await until(lambda: node.received and node.counters[catalogue.KEEPALIVES_RECEIVED])
        node.streams.sweep(clock.monotonic() + 16)
        assert await stranger.is_closed()
        assert len(node.streams) == 1
        node.streams.sweep(clock.monotonic() + 899)
        assert len(node.streams) == 1
        node.streams.sweep(clock.monotonic() + 901)
        assert await phone.is_closed()
        assert node.counters[catalogue.CONNECTIONS_CLOSED_IDLE] == 2

    play_streams(scenario, partial_message_s=15, connection_idle_s=900)


def test_a_peer_that_does_not_read_is_closed(play_streams: Callable[..., None]) -> None:
    async def scenario(node: Node) -> None:
        phone = await node.dial()
        phone.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await phone.send(message())
        await until(lambda: node.received)
        flow = node.received[0][1]
        sent = 0
        while not node.counters[catalogue.CONNECTIONS_CLOSED_SLOW] and sent < 2000:
            node.streams.send([Outgoing(b"x" * 10000, flow)])
            sent += 1
            await asyncio.sleep(0)
        assert node.counters[catalogue.CONNECTIONS_CLOSED_SLOW] == 1
        assert len(node.streams.take_failures()) == 1
        assert len(node.streams) == 0

    play_streams(scenario, connection_queue_kib=64)


def test_who_is_closed_for_not_reading_pongs_is_not_told_as_open(play_streams: Callable[..., None]) -> None:
    """Else the directory of connections, here and with each sibling, would keep it for ever."""

    async def scenario(node: Node) -> None:
        await node.dial()
        await until(lambda: len(node.streams) == 1)
        (connection,) = node.streams._connections.values()
        # The first whole message comes in the read whose PONGs are too many.
        node.streams.messages_arrived(connection, [PING] * 8_000_000 + [message()], clock.monotonic())
        assert node.counters[catalogue.CONNECTIONS_CLOSED_SLOW] == 1
        await until(lambda: len(node.streams) == 0)
        assert node.streams.take_changes() == ([], [])
        assert [data for data, _ in node.received] == [message()]

    play_streams(scenario, connection_queue_kib=1)


def test_of_two_connections_from_one_port_each_is_told_as_closed(play_streams: Callable[..., None]) -> None:
    """A peer can have two where the listener has two addresses; the first would be known for ever."""

    async def scenario(node: Node) -> None:
        listening = socket.create_server(("0.0.0.0", 0))
        await node.streams.listen(0, TCP, listening)
        port, first, second = listening.getsockname()[1], socket.socket(), socket.socket()
        for phone, address in ((first, "127.0.0.1"), (second, "127.0.0.2")):
            phone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            phone.bind(("127.0.0.3", first.getsockname()[1]))
            phone.connect((address, port))
        first.send(message())
        await until(lambda: node.received and len(node.streams) == 2)
        opened, _ = node.streams.take_changes()
        assert [flow.connection for flow in opened] == [node.received[0][1].connection]
        for phone in (first, second):
            phone.close()
        await until(lambda: all(connection.is_ending for connection in node.streams._connections.values()))
        assert node.streams.take_changes() == ([], opened)
        node.streams.sweep(clock.monotonic() + 60)
        await until(lambda: len(node.streams) == 0)
        assert node.streams.take_changes() == ([], [])

    play_streams(scenario)


def test_half_open_connections_cost_no_more_than_the_limit(play_streams: Callable[..., None]) -> None:
    async def scenario(node: Node) -> None:
        phones = [await node.dial() for _ in range(60)]
        ends = (catalogue.CONNECTIONS_REFUSED, catalogue.CONNECTIONS_ACCEPTED)
        await until(lambda: sum(node.counters[end] for end in ends) == 60)
        assert len(node.streams) == 20
        node.streams.sweep(clock.monotonic() + 16)
        assert len(node.streams) == 0
        for phone in phones:
            phone.writer.transport.abort()

    play_streams(scenario, connections_max=20, partial_message_s=15)


def test_ids_of_connections_are_never_used_again(play_streams: Callable[..., None]) -> None:
    async def scenario(node: Node) -> None:
        for _ in range(5):
            phone = await node.dial()
            await phone.send(message())
            phone.writer.close()
        await until(lambda: len(node.received) == 5)
        assert len({flow.connection for _, flow in node.received}) == 5

    play_streams(scenario)
