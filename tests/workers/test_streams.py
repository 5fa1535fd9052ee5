"""TCP connections over loopback (RFC 3261 18.1.1, 18.2.2, 18.3, 18.4; RFC 5626 3.5.1), on both event loops."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from appliance import clock
from appliance.catalogue import counters as catalogue
from appliance.transport.flow import TCP, Flow, Outgoing
from appliance.workers.opening_connections import WAITING_MAX
from tests.workers.streams_bench import Node, message, response, until


def test_a_message_arrives_with_the_flow_of_its_connection(play_streams: Callable[..., None]) -> None:
    async def scenario(node: Node) -> None:
        phone = await node.dial()
        whole = message(body=b"hello")
        for index in range(len(whole)):
            await phone.send(whole[index : index + 1])
        await until(lambda: node.received)
        ((data, flow),) = node.received
        assert data == whole
        assert (flow.transport, flow.listener, flow.remote, flow.process) == (TCP, 0, phone.address, 4)
        assert flow.connection > 1000
        node.streams.send([Outgoing(b"answer", flow)])
        assert await phone.reader.readexactly(6) == b"answer"
        assert node.counters[catalogue.CONNECTIONS_ACCEPTED] == 1

    play_streams(scenario)


def test_small_messages_are_not_held_back(play_streams: Callable[..., None]) -> None:
    """TCP_NODELAY on both kinds of connections."""

    async def scenario(node: Node) -> None:
        await node.dial()
        await until(lambda: len(node.streams) == 1)
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        node.streams.send([Outgoing(message(), Flow(TCP, 0, server.sockets[0].getsockname()))])
        await until(lambda: node.counters[catalogue.TCP_MESSAGES_SENT])
        for connection in node.streams._connections.values():
            assert connection.transport is not None
            endpoint = connection.transport.get_extra_info("socket")
            assert endpoint.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        server.close()

    play_streams(scenario)


def test_over_ipv6(play_streams: Callable[..., None]) -> None:
    async def scenario(node: Node) -> None:
        phone = await node.dial()
        await phone.send(message())
        await until(lambda: node.received)
        assert node.received[0][1].remote == phone.address
        assert phone.address[0] == "::1"
        peer = await asyncio.start_server(lambda reader, writer: None, "::1", 0)
        node.streams.send([Outgoing(message(), Flow(TCP, 1, peer.sockets[0].getsockname()[:2]))])
        await until(lambda: node.counters[catalogue.CONNECTIONS_OPENED])
        peer.close()

    play_streams(scenario, listener=1)


def test_a_ping_gets_a_pong(play_streams: Callable[..., None]) -> None:
    """RFC 5626 3.5.1."""

    async def scenario(node: Node) -> None:
        phone = await node.dial()
        await phone.send(b"\r\n\r\n")
        assert await phone.reader.readexactly(2) == b"\r\n"
        await phone.send(message() + b"\r\n\r\n" + message("b"))
        assert await phone.reader.readexactly(2) == b"\r\n"
        await until(lambda: len(node.received) == 2)
        assert node.counters[catalogue.KEEPALIVES_RECEIVED] == 2

    play_streams(scenario)


def test_a_stream_out_of_step_is_answered_and_closed(play_streams: Callable[..., None]) -> None:
    """RFC 3261 18.3; what came before is not lost."""

    async def scenario(node: Node) -> None:
        phone = await node.dial()
        await phone.send(message("good") + message("bad").replace(b"Content-Length: 0\r\n", b""))
        head = await phone.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"SIP/2.0 400 Content-Length Missing on Stream\r\n")
        assert b"Call-ID: bad" in head and b"To: <sip:bob@example.com>;tag=" in head
        assert await phone.is_closed()
        assert [data for data, _ in node.received] == [message("good")]
        assert node.counters[catalogue.CONNECTIONS_CLOSED_MALFORMED] == 1
        await until(lambda: len(node.streams) == 0)

    play_streams(scenario)


def test_what_came_before_a_stream_fell_out_of_step_gets_its_answer(play_streams: Callable[..., None]) -> None:
    """RFC 3261 18.2.2: by the connection of the request; the stack answers at the end of the turn."""

    async def scenario(node: Node) -> None:
        answer = response("SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1")

        def answer_soon(batch: list[tuple[bytes, Flow]], now: float) -> None:
            asyncio.get_running_loop().call_soon(node.streams.send, [Outgoing(answer, flow) for _, flow in batch])

        node.streams._arrived = answer_soon
        phone = await node.dial()
        await phone.send(message() + b"\0\0\0")
        assert await phone.reader.readexactly(len(answer)) == answer
        assert await phone.is_closed()

    play_streams(scenario)


def test_what_is_not_sip_is_closed_without_a_word(play_streams: Callable[..., None]) -> None:
    async def scenario(node: Node) -> None:
        phone = await node.dial()
        await phone.send(b"\x16\x03\x01\x02\x00\x01")
        assert await phone.reader.read(100) == b""

    play_streams(scenario)


def test_one_connection_serves_all_messages_to_an_address(play_streams: Callable[..., None]) -> None:
    """RFC 3261 18.1.1; messages sent while it opens wait for it, in order."""

    async def scenario(node: Node) -> None:
        arrived = bytearray()
        opened = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            opened.append(writer.get_extra_info("peername"))
            while data := await reader.read(65536):
                arrived.extend(data)

        peer = await asyncio.start_server(serve, "127.0.0.1", 0)
        flow = Flow(TCP, 0, peer.sockets[0].getsockname())
        sent = [message(str(number)) for number in range(50)]
        node.streams.send([Outgoing(data, flow) for data in sent[:30]])
        node.streams.send([Outgoing(data, flow) for data in sent[30:40]])
        await until(lambda: len(arrived) == sum(map(len, sent[:40])))
        node.streams.send([Outgoing(data, flow) for data in sent[40:]])
        await until(lambda: len(arrived) == sum(map(len, sent)))
        assert bytes(arrived) == b"".join(sent)
        assert len(opened) == 1
        assert opened[0][0] == "127.0.0.1"
        assert node.streams.failures == []
        peer.close()

    play_streams(scenario)


def test_nothing_overtakes_what_waits_for_a_connection(play_streams: Callable[..., None]) -> None:
    """Not in the turns either between its being there and the task's being told; a BYE would come before its ACK."""

    async def scenario(node: Node) -> None:
        arrived = bytearray()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(65536):
                arrived.extend(data)

        peer = await asyncio.start_server(serve, "127.0.0.1", 0)
        flow = Flow(TCP, 0, peer.sockets[0].getsockname())
        sent = []
        while not node.counters[catalogue.TCP_MESSAGES_SENT]:
            sent.append(Outgoing(b"%04d " % len(sent), flow))
            node.streams.send(sent[-1:])
            await asyncio.sleep(0)
        node.streams.send([Outgoing(b"end", flow)])
        # Not all of them may wait.
        refused = node.streams.take_failures()
        await until(lambda: b"end" in arrived)
        assert bytes(arrived) == b"".join(each.data for each in sent if each not in refused) + b"end"
        peer.close()

    play_streams(scenario)


def test_a_request_to_where_a_phone_came_from_uses_its_connection(play_streams: Callable[..., None]) -> None:
    """RFC 3261 18.1.1: the remote address of an open connection, whichever end opened it."""

    async def scenario(node: Node) -> None:
        phone = await node.dial()
        await phone.send(message())
        await until(lambda: node.received)
        node.streams.send([Outgoing(b"request", Flow(TCP, 0, phone.address))])
        assert await phone.reader.readexactly(7) == b"request"
        assert node.counters[catalogue.CONNECTIONS_OPENED] == 0

    play_streams(scenario)


def test_a_connection_that_cannot_be_opened_fails_everything_that_waits(play_streams: Callable[..., None]) -> None:
    """RFC 3261 18.4."""

    async def scenario(node: Node) -> None:
        with socket.create_server(("127.0.0.1", 0)) as gone:
            closed_port = Flow(TCP, 0, gone.getsockname())
        sent = [Outgoing(message(str(number)), closed_port, b"z9hG4bK%d" % number) for number in range(3)]
        node.streams.send(sent)
        await until(lambda: node.changes)
        assert node.streams.take_failures() == sent
        assert node.counters[catalogue.CONNECTIONS_FAILED] == 1
        assert len(node.streams) == 0

    play_streams(scenario)


@pytest.mark.parametrize("remote", [("example.com", 5060), ("::1%", 5060), ("127.0.0.1", 0), ("", 5060), ("\u0661", 1)])
def test_an_address_that_is_none_is_a_failure(play_streams: Callable[..., None], remote: tuple[str, int]) -> None:
    async def scenario(node: Node) -> None:
        bad = Outgoing(message(), Flow(TCP, 0, remote))
        node.streams.send([bad])
        await until(lambda: node.changes)
        assert node.streams.take_failures() == [bad]

    play_streams(scenario)


def test_a_silent_address_is_given_up(play_streams: Callable[..., None]) -> None:
    """A full backlog never answers."""

    async def scenario(node: Node) -> None:
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            deaf.listen(0)
            fillers = [socket.socket() for _ in range(4)]
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(deaf.getsockname())
            waiting = Outgoing(message(), Flow(TCP, 0, deaf.getsockname()))
            node.streams.send([waiting])
            await until(lambda: node.changes)
            assert node.streams.take_failures() == [waiting]
            for filler in fillers:
                filler.close()

    play_streams(scenario, connect_timeout_ms=50)


def test_messages_that_wait_for_a_connection_are_bounded(play_streams: Callable[..., None]) -> None:
    async def scenario(node: Node) -> None:
        with socket.create_server(("127.0.0.1", 0)) as peer:
            flow = Flow(TCP, 0, peer.getsockname())
            node.streams.send([Outgoing(b"x", flow) for _ in range(WAITING_MAX + 5)])
            assert len(node.streams.take_failures()) == 5
            assert node.counters[catalogue.DROPPED_QUEUE_FULL] == 5
            await until(lambda: node.counters[catalogue.TCP_MESSAGES_SENT] == WAITING_MAX)

    play_streams(scenario)


def test_a_response_whose_connection_is_gone_opens_one_to_its_sent_by(play_streams: Callable[..., None]) -> None:
    """RFC 3261 18.2.2."""

    async def scenario(node: Node) -> None:
        arrived = bytearray()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            arrived.extend(await reader.read(65536))

        peer = await asyncio.start_server(serve, "127.0.0.1", 0)
        phone = await node.dial()
        await phone.send(message())
        await until(lambda: node.received)
        flow = node.received[0][1]
        phone.writer.transport.abort()
        await until(lambda: node.streams._connections[flow.connection].is_ending)
        node.streams.sweep(clock.monotonic() + 60)
        assert len(node.streams) == 0
        data = response(f"SIP/2.0/TCP 127.0.0.1:{peer.sockets[0].getsockname()[1]};branch=z9hG4bK1")
        request = Outgoing(message(), flow, b"z9hG4bK2")
        node.streams.send([Outgoing(data, flow), request])
        assert node.streams.take_failures() == [request]
        await until(lambda: arrived == data)
        peer.close()

    play_streams(scenario)


def test_a_connection_that_is_closing_takes_nothing(play_streams: Callable[..., None]) -> None:
    """RFC 3261 18.2.2, 18.4: from the turn on in which it is closed, not only when its end is told."""

    async def scenario(node: Node) -> None:
        arrived = bytearray()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            arrived.extend(await reader.read(65536))

        peer = await asyncio.start_server(serve, "127.0.0.1", 0)
        phone = await node.dial()
        await phone.send(message())
        await until(lambda: node.received)
        flow = node.received[0][1]
        data = response(f"SIP/2.0/TCP 127.0.0.1:{peer.sockets[0].getsockname()[1]};branch=z9hG4bK1")
        request = Outgoing(message(), flow, b"z9hG4bK2")
        node.streams._connections[flow.connection].abort()
        node.streams.send([Outgoing(data, flow), request])
        assert node.streams.take_failures() == [request]
        await until(lambda: arrived == data)
        assert node.counters[catalogue.TCP_MESSAGES_SENT] == 1
        peer.close()

    play_streams(scenario)


def test_a_peer_that_sends_no_more_still_gets_its_answers(play_streams: Callable[..., None]) -> None:
    async def scenario(node: Node) -> None:
        phone = await node.dial()
        phone.writer.write(message())
        phone.writer.write_eof()
        await until(lambda: node.received)
        flow = node.received[0][1]
        await until(lambda: node.streams._connections[flow.connection].is_ending)
        answer = response("SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1")
        request = Outgoing(message(), flow, b"z9hG4bK2")
        node.streams.send([Outgoing(answer, flow), request])
        assert await phone.reader.readexactly(len(answer)) == answer
        assert node.streams.take_failures() == [request]
        node.streams.sweep(clock.monotonic() + 60)
        assert await phone.is_closed()

    play_streams(scenario)


def test_a_peer_that_sends_no_more_gets_the_answer_of_a_phone_that_rings_for_long(
    play_streams: Callable[..., None],
) -> None:
    """RFC 3261 18.4 and 17: what is under way is answered as long as the kernel can send; then the connection ends."""

    async def scenario(node: Node) -> None:
        phone = await node.dial_proven()
        phone.writer.write(message("call"))
        phone.writer.write_eof()
        await until(lambda: len(node.received) == 2)
        flow = node.received[1][1]
        await until(lambda: node.streams._connections[flow.connection].is_ending)
        node.streams.sweep(clock.monotonic() + 100)
        ringing, answer = b"SIP/2.0 180 Ringing\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n"
        node.streams.send([Outgoing(ringing, flow), Outgoing(answer, flow)])
        assert await phone.reader.readexactly(len(ringing + answer)) == ringing + answer
        assert node.streams.take_failures() == []
        node.streams.sweep(clock.monotonic() + 6)
        assert await phone.is_closed()

    play_streams(scenario)


def test_what_is_sent_together_leaves_together(play_streams: Callable[..., None]) -> None:
    """One write for each connection, in order."""

    async def scenario(node: Node) -> None:
        phone, other = await node.dial(), await node.dial()
        await phone.send(message("a"))
        await other.send(message("b"))
        await until(lambda: len(node.received) == 2)
        flows = [flow for _, flow in node.received]
        node.streams.send([Outgoing(b"%d" % number, flow) for number in range(3) for flow in flows])
        assert await phone.reader.read(65536) == b"012"
        assert await other.reader.read(65536) == b"012"
        assert node.counters[catalogue.TCP_MESSAGES_SENT] == 6

    play_streams(scenario)


def test_what_waits_for_a_connection_that_makes_room_has_failed(play_streams: Callable[..., None]) -> None:
    """RFC 3261 18.4: the second message needs a connection, and there is room for one only."""

    async def scenario(node: Node) -> None:
        phone = await node.dial()
        await phone.send(message())
        await until(lambda: node.received)
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        there = Flow(TCP, 0, server.sockets[0].getsockname())
        lost = Outgoing(response("SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1"), node.received[0][1])
        node.streams.send([lost, Outgoing(message("b"), there)])
        assert node.streams.take_failures() == [lost]
        assert await phone.is_closed()
        await until(lambda: node.counters[catalogue.TCP_MESSAGES_SENT] == 1)
        server.close()

    play_streams(scenario, connections_max=1)
