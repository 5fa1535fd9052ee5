"""TCP connections over loopback (RFC 3261 18.1.1, 18.2.2, 18.3, 18.4; RFC 5626 3.5.1), on both event loops."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from appliance import clock
from appliance.catalogue import counters as catalogue
from appliance.catalogue.settings import LimitSettings, ListenerSettings
from appliance.sip.parser import SyntaxLimits
from appliance.transport.flow import TCP, Flow, Outgoing
from appliance.transport.framing import PING
from appliance.workers.streams import WAITING_MAX, Streams

SYNTAX = SyntaxLimits(message_len_max=20000, header_count_max=50, header_len_max=1024, uri_len_max=512)
LISTENERS = (ListenerSettings(), ListenerSettings(name="six", address="::1"))

Scenario = Callable[["Node"], Coroutine[Any, Any, None]]


def message(call_id: str = "a", body: bytes = b"", via: str = "SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1") -> bytes:
    return (
        f"OPTIONS sip:bob@example.com SIP/2.0\r\nVia: {via}\r\nFrom: <sip:alice@example.com>;tag=1\r\n"
        f"To: <sip:bob@example.com>\r\nCall-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def response(via: str) -> bytes:
    return f"SIP/2.0 200 OK\r\nVia: {via}\r\nContent-Length: 0\r\n\r\n".encode()


class Node:
    """The connections of a worker, and what they said."""

    def __init__(self, **limits: int) -> None:
        self.counters = [0] * len(catalogue.COUNTERS)
        self.received: list[tuple[bytes, Flow]] = []
        self.changes = 0
        self.streams = Streams(
            4, LISTENERS, LimitSettings(**limits), SYNTAX, self.counters, 1000, self._arrived, self._changed
        )
        self.address = ("", 0)
        self.limits = limits

    async def listen(self, listener: int = 0) -> None:
        family = socket.AF_INET6 if ":" in LISTENERS[listener].address else socket.AF_INET
        listening = socket.create_server((LISTENERS[listener].address, 0), family=family)
        self.address = listening.getsockname()[:2]
        await self.streams.listen(listener, listening)

    def _arrived(self, batch: list[tuple[bytes, Flow]], now: float) -> None:
        self.received += batch

    def _changed(self) -> None:
        self.changes += 1

    async def dial(self) -> Phone:
        return Phone(*await asyncio.open_connection(*self.address))


class Phone:
    """The other end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.address = writer.get_extra_info("sockname")[:2]

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def is_closed(self) -> bool:
        """The peer has closed, with or without a reset; what came before is skipped."""
        try:
            async with asyncio.timeout(5):
                while await self.reader.read(65536):
                    pass
        except ConnectionError:
            pass
        return True


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not is_so():
            await asyncio.sleep(0.001)


@pytest.fixture(params=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Runs a scenario with a node that listens, on one of the event loops."""

    def run(scenario: Scenario, listener: int = 0, **limits: int) -> None:
        async def whole() -> None:
            node = Node(**limits)
            await node.listen(listener)
            try:
                await scenario(node)
            finally:
                node.streams.close()
                await asyncio.sleep(0)

        loop_factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(whole())

    return run


def test_a_message_arrives_with_the_flow_of_its_connection(play: Callable[..., None]) -> None:
    async def scenario(node: Node) -> None:
        phone = await node.dial()
        whole = message(body=b"hello")
        for index in range(len(whole)):
            await phone.send(whole[index : index + 1])
        await until(lambda: node.received)
        ((data, flow),) = node.received
        assert data == whole
        assert (flow.transport, flow.listener, flow.remote, flow.worker) == (TCP, 0, phone.address, 4)
        assert flow.connection > 1000
        node.streams.send([Outgoing(b"answer", flow)])
        assert await phone.reader.readexactly(6) == b"answer"
        assert node.counters[catalogue.CONNECTIONS_ACCEPTED] == 1

    play(scenario)


def test_small_messages_are_not_held_back(play: Callable[..., None]) -> None:
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

    play(scenario)


def test_over_ipv6(play: Callable[..., None]) -> None:
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

    play(scenario, listener=1)


def test_a_ping_gets_a_pong(play: Callable[..., None]) -> None:
    """RFC 5626 3.5.1."""

    async def scenario(node: Node) -> None:
        phone = await node.dial()
        await phone.send(b"\r\n\r\n")
        assert await phone.reader.readexactly(2) == b"\r\n"
        await phone.send(message() + b"\r\n\r\n" + message("b"))
        assert await phone.reader.readexactly(2) == b"\r\n"
        await until(lambda: len(node.received) == 2)
        assert node.counters[catalogue.KEEPALIVES_RECEIVED] == 2

    play(scenario)


def test_a_stream_out_of_step_is_answered_and_closed(play: Callable[..., None]) -> None:
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

    play(scenario)


def test_what_came_before_a_stream_fell_out_of_step_gets_its_answer(play: Callable[..., None]) -> None:
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

    play(scenario)


def test_what_is_not_sip_is_closed_without_a_word(play: Callable[..., None]) -> None:
    async def scenario(node: Node) -> None:
        phone = await node.dial()
        await phone.send(b"\x16\x03\x01\x02\x00\x01")
        assert await phone.reader.read(100) == b""

    play(scenario)


def test_one_connection_serves_all_messages_to_an_address(play: Callable[..., None]) -> None:
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

    play(scenario)


def test_nothing_overtakes_what_waits_for_a_connection(play: Callable[..., None]) -> None:
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

    play(scenario)


def test_a_request_to_where_a_phone_came_from_uses_its_connection(play: Callable[..., None]) -> None:
    """RFC 3261 18.1.1: the remote address of an open connection, whoever opened it."""

    async def scenario(node: Node) -> None:
        phone = await node.dial()
        await phone.send(message())
        await until(lambda: node.received)
        node.streams.send([Outgoing(b"request", Flow(TCP, 0, phone.address))])
        assert await phone.reader.readexactly(7) == b"request"
        assert node.counters[catalogue.CONNECTIONS_OPENED] == 0

    play(scenario)


def test_a_connection_that_cannot_be_opened_fails_everything_that_waits(play: Callable[..., None]) -> None:
    """RFC 3261 18.4."""

    async def scenario(node: Node) -> None:
        with socket.create_server(("127.0.0.1", 0)) as gone:
            nobody = Flow(TCP, 0, gone.getsockname())
        sent = [Outgoing(message(str(number)), nobody, b"z9hG4bK%d" % number) for number in range(3)]
        node.streams.send(sent)
        await until(lambda: node.changes)
        assert node.streams.take_failures() == sent
        assert node.counters[catalogue.CONNECTIONS_FAILED] == 1
        assert len(node.streams) == 0

    play(scenario)


@pytest.mark.parametrize("remote", [("example.com", 5060), ("::1%", 5060), ("127.0.0.1", 0), ("", 5060), ("\u0661", 1)])
def test_an_address_that_is_none_is_a_failure(play: Callable[..., None], remote: tuple[str, int]) -> None:
    async def scenario(node: Node) -> None:
        bad = Outgoing(message(), Flow(TCP, 0, remote))
        node.streams.send([bad])
        await until(lambda: node.changes)
        assert node.streams.take_failures() == [bad]

    play(scenario)


def test_a_silent_address_is_given_up(play: Callable[..., None]) -> None:
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

    play(scenario, connect_timeout_ms=50)


def test_messages_that_wait_for_a_connection_are_bounded(play: Callable[..., None]) -> None:
    async def scenario(node: Node) -> None:
        with socket.create_server(("127.0.0.1", 0)) as peer:
            flow = Flow(TCP, 0, peer.getsockname())
            node.streams.send([Outgoing(b"x", flow) for _ in range(WAITING_MAX + 5)])
            assert len(node.streams.take_failures()) == 5
            assert node.counters[catalogue.DROPPED_QUEUE_FULL] == 5
            await until(lambda: node.counters[catalogue.TCP_MESSAGES_SENT] == WAITING_MAX)

    play(scenario)


def test_a_response_whose_connection_is_gone_opens_one_to_the_port_of_its_sent_by(play: Callable[..., None]) -> None:
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

    play(scenario)


def test_a_connection_that_is_closing_takes_nothing(play: Callable[..., None]) -> None:
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

    play(scenario)


def test_a_peer_that_sends_no_more_still_gets_its_answers(play: Callable[..., None]) -> None:
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

    play(scenario)


def test_over_the_limit_connections_are_closed_at_once(play: Callable[..., None]) -> None:
    async def scenario(node: Node) -> None:
        phones = [await node.dial() for _ in range(3)]
        await until(lambda: len(node.streams) == 3)
        refused = await node.dial()
        assert await refused.is_closed()
        assert node.counters[catalogue.CONNECTIONS_REFUSED] == 1
        for phone in phones:
            await phone.send(message())
        await until(lambda: len(node.received) == 3)
        outgoing = Outgoing(b"x", Flow(TCP, 0, ("127.0.0.1", 9)))
        node.streams.send([outgoing])
        assert node.streams.take_failures() == [outgoing]

    play(scenario, connections_max=3)


def test_an_incomplete_message_has_its_time(play: Callable[..., None]) -> None:
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

    play(scenario, partial_message_s=15)


def test_who_says_nothing_is_closed(play: Callable[..., None]) -> None:
    """A stranger soon, a phone that has spoken after `connection idle`."""

    async def scenario(node: Node) -> None:
        stranger, phone = await node.dial(), await node.dial()
        await phone.send(message())
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

    play(scenario, partial_message_s=15, connection_idle_s=900)


def test_a_peer_that_does_not_read_is_closed(play: Callable[..., None]) -> None:
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

    play(scenario, connection_queue_kib=64)


def test_who_is_closed_for_not_reading_pongs_is_not_told_as_open(play: Callable[..., None]) -> None:
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

    play(scenario, connection_queue_kib=1)


def test_of_two_connections_from_one_port_each_is_told_as_closed(play: Callable[..., None]) -> None:
    """A peer can have two where the listener has two addresses; the first would be known for ever."""

    async def scenario(node: Node) -> None:
        listening = socket.create_server(("0.0.0.0", 0))
        await node.streams.listen(0, listening)
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

    play(scenario)


def test_half_open_connections_cost_no_more_than_the_limit(play: Callable[..., None]) -> None:
    async def scenario(node: Node) -> None:
        phones = [await node.dial() for _ in range(60)]
        ends = (catalogue.CONNECTIONS_REFUSED, catalogue.CONNECTIONS_ACCEPTED)
        await until(lambda: sum(node.counters[end] for end in ends) == 60)
        assert len(node.streams) == 20
        node.streams.sweep(clock.monotonic() + 16)
        assert len(node.streams) == 0
        for phone in phones:
            phone.writer.transport.abort()

    play(scenario, connections_max=20, partial_message_s=15)


def test_ids_of_connections_are_never_used_again(play: Callable[..., None]) -> None:
    async def scenario(node: Node) -> None:
        for _ in range(5):
            phone = await node.dial()
            await phone.send(message())
            phone.writer.close()
        await until(lambda: len(node.received) == 5)
        assert len({flow.connection for _, flow in node.received}) == 5

    play(scenario)
