"""A connection to whichever address of a server takes one first (RFC 8305 5), on both event loops."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator

import pytest

from appliance.catalogue import counters as catalogue
from appliance.routing.lookup_questions import OpenConnection
from appliance.transport.flow import TCP, Flow, Outgoing
from appliance.workers.connection_door import ConnectionDoor
from tests.workers.streams_bench import Node, message, until


@pytest.fixture
def silent() -> Iterator[tuple[str, int]]:
    """An address that drops what would open a connection: its queue of connections is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as first, socket.socket() as second:
        for filling in (first, second):
            filling.setblocking(False)
            filling.connect_ex(full.getsockname())
        yield full.getsockname()


async def serve(address: str) -> tuple[asyncio.Server, list[asyncio.StreamReader]]:
    """A server, and the connections that it has got."""
    arrived: list[asyncio.StreamReader] = []
    return await asyncio.start_server(lambda reader, writer: arrived.append(reader), address, 0), arrived


def flow_to(server: asyncio.Server, listener: int) -> Flow:
    return Flow(TCP, listener, server.sockets[0].getsockname()[:2])


def test_an_address_that_drops_syns_does_not_hold_up_the_other_family(
    play_streams: Callable[..., None], silent: tuple[str, int]
) -> None:
    async def scenario(node: Node) -> None:
        server, arrived = await serve("::1")
        dead, live = Flow(TCP, 0, silent), flow_to(server, 1)
        answer = await ConnectionDoor(node.streams).answer(OpenConnection((dead, live), id=3))
        assert (answer.id, answer.hop, answer.unreachable, answer.late) == (3, live, (), (dead,))
        # The loser is given up, and no failure.
        assert len(node.streams) == 1
        node.streams.send([Outgoing(message(), live)])
        await until(lambda: arrived)
        assert await arrived[0].readuntil(b"\r\n") == b"OPTIONS sip:bob@example.com SIP/2.0\r\n"
        assert node.counters[catalogue.CONNECTIONS_OPENED] == 1
        assert node.counters[catalogue.CONNECTIONS_FAILED] == 0
        server.close()

    play_streams(scenario)


def test_the_first_address_that_answers_is_the_only_one_that_is_tried(play_streams: Callable[..., None]) -> None:
    async def scenario(node: Node) -> None:
        first, of_first = await serve("127.0.0.1")
        second, of_second = await serve("::1")
        hops = flow_to(first, 0), flow_to(second, 1)
        answer = await ConnectionDoor(node.streams).answer(OpenConnection(hops))
        assert (answer.hop, answer.unreachable, answer.late) == (hops[0], (), ())
        await until(lambda: of_first)
        assert not of_second
        # It is open: nothing is opened for the next request.
        again = await ConnectionDoor(node.streams).answer(OpenConnection(hops))
        assert again.hop == hops[0] and node.counters[catalogue.CONNECTIONS_OPENED] == 1
        first.close()
        second.close()

    play_streams(scenario)


def test_a_refused_address_lets_the_next_one_begin_at_once(play_streams: Callable[..., None]) -> None:
    async def scenario(node: Node) -> None:
        server, _ = await serve("::1")
        with socket.create_server(("127.0.0.1", 0)) as closed:
            refused = Flow(TCP, 0, closed.getsockname())
        live = flow_to(server, 1)
        answer = await ConnectionDoor(node.streams).answer(OpenConnection((refused, live)))
        assert (answer.hop, answer.unreachable, answer.late) == (live, (refused,), ())
        assert node.counters[catalogue.CONNECTIONS_FAILED] == 1
        server.close()
        await server.wait_closed()
        answer = await ConnectionDoor(node.streams).answer(OpenConnection((refused, Flow(TCP, 1, ("::1", 1)))))
        assert answer.hop is None and len(answer.unreachable) == 2

    play_streams(scenario)


def test_a_message_that_waits_for_the_loser_still_has_its_connection(
    play_streams: Callable[..., None], silent: tuple[str, int]
) -> None:
    async def scenario(node: Node) -> None:
        server, _ = await serve("::1")
        dead = Flow(TCP, 0, silent)
        node.streams.send([Outgoing(message(), dead)])
        answer = await ConnectionDoor(node.streams).answer(OpenConnection((dead, flow_to(server, 1))))
        assert answer.late == (dead,)
        await until(lambda: node.streams.failures)
        assert [outgoing.flow for outgoing in node.streams.take_failures()] == [dead]
        assert node.counters[catalogue.CONNECTIONS_FAILED] == 1
        server.close()

    play_streams(scenario, connect_timeout_ms=600)


def test_where_there_is_no_room_nothing_is_tried(play_streams: Callable[..., None]) -> None:
    async def scenario(node: Node) -> None:
        server, _ = await serve("::1")
        await node.dial_proven()
        hops = Flow(TCP, 0, ("127.0.0.1", 9)), flow_to(server, 1)
        answer = await ConnectionDoor(node.streams).answer(OpenConnection(hops))
        assert answer.hop is None and node.counters[catalogue.CONNECTIONS_REFUSED] == 2
        server.close()

    play_streams(scenario, connections_max=1)
