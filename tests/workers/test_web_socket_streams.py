"""WebSocket connections of a worker, with TLS and without, by both event loops (RFC 7118, RFC 6455)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress

import pytest
from websockets.frames import Opcode

from appliance import clock
from appliance.catalogue import counters as catalogue
from appliance.catalogue.transports import WS, WSS
from appliance.transport.flow import Flow, Outgoing
from tests.certificate_authority import CertificateAuthority
from tests.workers.streams_bench import accepted, message, response, until
from tests.workers.web_socket_bench import Browser, WebSocketNode


@pytest.fixture(params=["ws", "wss"])
def play_ws(
    request: pytest.FixtureRequest, play_streams: Callable[..., None], authority: CertificateAuthority
) -> Callable[..., None]:
    def run(scenario: Callable[[WebSocketNode], object], **named: object) -> None:
        secured = authority if request.param == "wss" else None
        play_streams(scenario, node=WebSocketNode(secured, **named))  # type: ignore[arg-type]

    return run


def test_messages_go_both_ways(play_ws: Callable[..., None]) -> None:
    async def scenario(node: WebSocketNode) -> None:
        browser = await node.browse()
        whole = message(body=b"h" * 15000)
        await browser.send(whole)
        await until(lambda: node.received)
        data, flow = node.received[0]
        assert data == whole and flow.transport == (WSS if node.authority else WS)
        answers = [Outgoing(accepted(), flow), Outgoing(message("b"), flow)]
        node.streams.send(answers)
        assert [await browser.next_frame() for _ in answers] == [(Opcode.TEXT, each.data) for each in answers]
        assert node.counters[catalogue.WEB_SOCKETS_OPENED] == 1 and len(node.streams) == 1

    play_ws(scenario)


def test_keep_alives_are_answered(play_ws: Callable[..., None]) -> None:
    """RFC 7118 6: Ping by Pong, and the double CRLF by a CRLF, each in a message of its own."""

    async def scenario(node: WebSocketNode) -> None:
        browser = await node.browse()
        browser.end.send_ping(b"1")
        for _ in range(2):
            browser.end.send_text(b"\r\n\r\n")
        await browser.flush()
        assert await browser.next_frame() == (Opcode.PONG, b"1")
        assert [await browser.next_frame() for _ in range(2)] == [(Opcode.TEXT, b"\r\n")] * 2
        assert node.counters[catalogue.KEEPALIVES_RECEIVED] == 2 and not node.received

    play_ws(scenario)


def test_a_silent_connection_is_sent_a_ping_and_goes_on(play_ws: Callable[..., None]) -> None:
    """RFC 6455 5.5.2: the browser answers by itself."""

    async def scenario(node: WebSocketNode) -> None:
        browser = await node.browse()
        await browser.send(message())
        await until(lambda: node.received)
        begin = clock.monotonic()
        node.streams.sweep(begin + 30)
        assert node.counters[catalogue.WEB_SOCKET_PINGS_SENT] == 0
        node.streams.sweep(begin + 61)
        assert node.counters[catalogue.WEB_SOCKET_PINGS_SENT] == 1
        assert await browser.next_frame() == (Opcode.PING, b"")
        await browser.flush()
        await until(lambda: not len(node.streams._ages._pinged))
        node.streams.sweep(clock.monotonic() + 1)
        assert len(node.streams) == 1 and node.counters[catalogue.WEB_SOCKETS_UNANSWERED] == 0

    play_ws(scenario, connection_unproven_s=1000)


def test_one_that_does_not_answer_is_closed(play_ws: Callable[..., None]) -> None:
    async def scenario(node: WebSocketNode) -> None:
        browser = await node.browse()
        await browser.send(message())
        await until(lambda: node.received)
        begin = clock.monotonic()
        node.streams.sweep(begin + 70)
        node.streams.sweep(begin + 80)
        assert len(node.streams) == 1
        node.streams.sweep(begin + 90)
        assert len(node.streams) == 0
        assert node.counters[catalogue.WEB_SOCKETS_UNANSWERED] == 1
        assert node.counters[catalogue.WEB_SOCKET_PINGS_SENT] == 1

    play_ws(scenario, connection_unproven_s=1000)


def test_no_ping_is_sent_where_it_is_off(play_ws: Callable[..., None]) -> None:
    async def scenario(node: WebSocketNode) -> None:
        browser = await node.browse()
        await browser.send(message())
        await until(lambda: node.received)
        node.streams.sweep(clock.monotonic() + 500)
        assert len(node.streams) == 1 and node.counters[catalogue.WEB_SOCKET_PINGS_SENT] == 0

    play_ws(scenario, connection_unproven_s=1000, web_socket_ping_s=0)


def test_a_page_that_is_not_in_the_list_is_refused(play_ws: Callable[..., None]) -> None:
    async def scenario(node: WebSocketNode) -> None:
        stranger = Browser(await node.dial(), origin="https://evil.example")
        assert await stranger.shake_hands() == 403
        assert await stranger.phone.is_closed()
        await node.browse(origin="https://phone.example")
        assert node.counters[catalogue.WEB_SOCKETS_ORIGIN_REFUSED] == 1
        assert node.counters[catalogue.WEB_SOCKETS_OPENED] == 1

    play_ws(scenario, origins=("https://phone.example",))


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", message(), b"\0\1\2"])
def test_what_is_no_handshake_is_closed(play_ws: Callable[..., None], data: bytes) -> None:
    async def scenario(node: WebSocketNode) -> None:
        phone = await node.dial()
        await phone.send(data)
        reply = await phone.reader.read()
        is_http = data.startswith(b"GET")
        assert reply.startswith(b"HTTP/1.1 426 ") if is_http else reply == b""
        counter = catalogue.WEB_SOCKETS_NOT_UPGRADED if is_http else catalogue.WEB_SOCKETS_REFUSED
        assert node.counters[counter] == 1 and not node.received
        await until(lambda: len(node.streams) == 0)

    play_ws(scenario)


def test_a_slow_handshake_is_given_up(play_ws: Callable[..., None]) -> None:
    async def scenario(node: WebSocketNode) -> None:
        slow, silent, idle = await node.dial(), await node.dial(), await node.browse()
        await slow.send(b"GET / HTTP/1.1\r\n")
        await until(lambda: len(node.streams) == 3)
        await until(lambda: sum(1 for _ in node.streams._ages._partial.older(clock.monotonic() + 1)) == 1)
        node.streams.sweep(clock.monotonic() + 1000)
        for phone in (slow, silent, idle.phone):
            assert await phone.is_closed()
        assert node.counters[catalogue.WEB_SOCKETS_TIMED_OUT] == 2
        assert node.counters[catalogue.CONNECTIONS_CLOSED_IDLE] == 1

    play_ws(scenario)


def test_close_is_answered_after_what_came_before(play_ws: Callable[..., None]) -> None:
    async def scenario(node: WebSocketNode) -> None:
        browser = await node.browse()
        browser.end.send_text(message())
        browser.end.send_close(1001)
        await browser.flush()
        assert (await browser.next_frame())[0] is Opcode.CLOSE
        assert await browser.phone.is_closed()
        assert len(node.received) == 1
        await until(lambda: len(node.streams) == 0)

    play_ws(scenario)


def test_the_end_of_the_worker_is_told(play_ws: Callable[..., None]) -> None:
    async def scenario(node: WebSocketNode) -> None:
        browser = await node.browse()
        node.streams.close()
        assert (await browser.next_frame())[0] is Opcode.CLOSE
        assert await browser.phone.is_closed()

    play_ws(scenario)


def test_a_phone_whose_connection_is_gone_is_reached_by_no_other(play_ws: Callable[..., None]) -> None:
    """RFC 7118 5: neither a response nor a request opens a connection."""

    async def scenario(node: WebSocketNode) -> None:
        browser = await node.browse()
        await browser.send(message())
        await until(lambda: node.received)
        flow: Flow = node.received[0][1]
        (connection,) = node.streams._connections.values()
        connection.abort()
        await until(lambda: len(node.streams) == 0)
        outgoings = [Outgoing(response("SIP/2.0/WS a.invalid;branch=z9hG4bK1"), flow), Outgoing(message(), flow)]
        node.streams.send(outgoings)
        assert node.streams.take_failures() == outgoings and len(node.streams) == 0

    play_ws(scenario)


def test_a_peer_that_reads_no_pongs_is_closed(play_ws: Callable[..., None]) -> None:
    async def scenario(node: WebSocketNode) -> None:
        browser = await node.browse(buffer_len=4096)
        await until(lambda: len(node.streams) == 1)
        (connection,) = node.streams._connections.values()
        assert connection.transport is not None
        connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        browser.phone.writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(5000):
            # A message pays for some Pings.
            for _ in range(10):
                browser.end.send_ping(b"p" * 125)
            browser.end.send_text(message(body=b"x" * 1000))
            with suppress(ConnectionError):
                await browser.flush()
            await asyncio.sleep(0)
            if connection.is_ending:
                break
        assert node.counters[catalogue.CONNECTIONS_CLOSED_SLOW] == 1
        await until(lambda: len(node.streams) == 0)

    play_ws(scenario)
