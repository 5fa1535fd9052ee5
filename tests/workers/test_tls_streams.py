"""TLS connections: messages, handshakes and their bounds (RFC 3261 26.2, RFC 8446), by both event loops."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable
from itertools import islice

import pytest

from appliance import clock
from appliance.catalogue import counters as catalogue
from appliance.tls_contexts import TlsContexts
from appliance.transport.flow import TLS, Outgoing
from appliance.workers import handshakes
from appliance.workers.handshakes import Handshakes
from appliance.workers.tls_connection import TlsConnection
from tests.certificate_authority import CertificateAuthority
from tests.workers.streams_bench import Phone, accepted, message, until
from tests.workers.tls_bench import RecordPhone, SecureNode, secure_settings


def test_messages_go_both_ways(play_tls: Callable[..., None]) -> None:
    async def scenario(node: SecureNode) -> None:
        phone = await node.dial()
        whole = message(body=b"h" * 15000)
        await phone.send(whole + b"\r\n\r\n" + whole)
        await until(lambda: len(node.received) == 2)
        data, flow = node.received[0]
        assert data == whole and flow.transport == TLS and flow.remote == phone.address
        assert await phone.reader.readexactly(2) == b"\r\n"
        answer = b"a" * 40000
        node.streams.send([Outgoing(answer, flow)])
        assert await phone.reader.readexactly(len(answer)) == answer
        assert node.counters[catalogue.HANDSHAKES_COMPLETED] == 1

    play_tls(scenario)


def test_the_end_of_a_stream_is_told_to_the_peer(play_tls: Callable[..., None]) -> None:
    """RFC 8446 6.1: close_notify, after what was sent."""

    async def scenario(node: SecureNode) -> None:
        phone = await node.dial()
        await phone.send(message("bad").replace(b"Content-Length: 0\r\n", b""))
        head = await phone.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"SIP/2.0 400 Content-Length Missing on Stream\r\n")
        assert await phone.reader.read() == b""

    play_tls(scenario)


def test_what_follows_close_notify_is_ignored(play_tls: Callable[..., None]) -> None:
    """RFC 8446 6.1: it takes no memory and no more time for the answers, which still go out."""

    async def scenario(node: SecureNode) -> None:
        phone = RecordPhone(Phone(*await asyncio.open_connection(*node.address)), node.context())
        await phone.work(phone.end.do_handshake)
        await phone.work(lambda: phone.end.write(message()))
        await until(lambda: node.received)
        (connection,) = node.streams._connections.values()
        assert isinstance(connection, TlsConnection)
        await phone.finish()
        await until(lambda: connection.is_ending)
        finished_at = clock.monotonic()
        for _ in range(50):
            connection.buffer_updated(len(node.streams.read_buffer))
        connection.eof_received()
        assert connection.incoming.pending == 0
        assert node.streams._ages._answering.older(finished_at) == [connection]
        node.streams.send([Outgoing(accepted("OPTIONS"), node.received[0][1])])
        assert await phone.work(lambda: phone.end.read(65536)) == accepted("OPTIONS")
        assert len(node.received) == 1

    play_tls(scenario)


def test_a_peer_that_asks_for_new_keys_and_reads_none_is_closed(play_tls: Callable[..., None]) -> None:
    """RFC 8446 4.6.3: each KeyUpdate is answered by one, and these answers are octets that wait as any others."""

    async def scenario(node: SecureNode) -> None:
        unread = socket.socket()
        unread.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        unread.setblocking(False)
        await asyncio.get_running_loop().sock_connect(unread, node.address)
        phone = RecordPhone(Phone(*await asyncio.open_connection(sock=unread)), node.context())
        await phone.work(phone.end.do_handshake)
        await until(lambda: len(node.streams) == 1)
        (connection,) = node.streams._connections.values()
        assert connection.transport is not None
        connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        phone.phone.writer.transport.pause_reading()  # type: ignore[attr-defined]
        # A message that never becomes whole: some octets of it, and many keys, and so on.
        octets = iter(message(body=b"h" * 19_000)[:-1])
        for _ in range(70):
            phone.end.write(bytes(islice(octets, 256)))
            await phone.ask_for_new_keys(500)
            if connection.is_ending:
                break
        assert node.counters[catalogue.CONNECTIONS_CLOSED_SLOW] == 1
        await until(lambda: len(node.streams) == 0)

    play_tls(scenario)


def test_a_peer_that_sends_records_without_octets_of_messages_is_closed(play_tls: Callable[..., None]) -> None:
    """RFC 8446 4.6.3: keys again and again cost as much as messages, and are not worth it. Some are in order."""

    async def scenario(node: SecureNode) -> None:
        phone = RecordPhone(Phone(*await asyncio.open_connection(*node.address)), node.context())
        await phone.work(phone.end.do_handshake)
        await phone.ask_for_new_keys(1000)
        await phone.work(lambda: phone.end.write(message()))
        await until(lambda: node.received)
        for _ in range(20):
            await phone.ask_for_new_keys(500)
        await until(lambda: len(node.streams) == 0)
        assert node.counters[catalogue.CONNECTIONS_CLOSED_MALFORMED] == 1

    play_tls(scenario)


@pytest.mark.parametrize("octets", [b"GET / HTTP/1.1\r\n\r\n", message(), b"\0\0\0\0"])
def test_what_is_not_tls_is_closed(play_tls: Callable[..., None], octets: bytes) -> None:
    async def scenario(node: SecureNode) -> None:
        stranger = Phone(*await asyncio.open_connection(*node.address))
        await stranger.send(octets)
        assert await stranger.is_closed()
        await until(lambda: len(node.streams) == 0)
        assert node.counters[catalogue.HANDSHAKES_NOT_TLS] == 1
        assert not node.received

    play_tls(scenario)


@pytest.mark.parametrize("octets", [b"\x16\x03\x01\x00\x05hello", b"\x16\xff\xff\xff\xff" + b"x" * 20000])
def test_a_garbled_handshake_is_closed(play_tls: Callable[..., None], octets: bytes) -> None:
    async def scenario(node: SecureNode) -> None:
        stranger = Phone(*await asyncio.open_connection(*node.address))
        await stranger.send(octets)
        assert await stranger.is_closed()
        await until(lambda: len(node.streams) == 0)
        assert node.counters[catalogue.HANDSHAKES_FAILED] == 1
        assert len(node.handshakes) == 0

    play_tls(scenario)


def test_a_handshake_in_too_many_pieces_is_closed(play_tls: Callable[..., None]) -> None:
    async def scenario(node: SecureNode) -> None:
        stranger = Phone(*await asyncio.open_connection(*node.address))
        with pytest.raises(ConnectionError):
            for octet in b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc" + bytes(500):
                await stranger.send(bytes((octet,)))
                await asyncio.sleep(0.002)
        assert node.counters[catalogue.HANDSHAKES_FAILED] == 1

    play_tls(scenario)


def test_half_a_handshake_is_given_up_in_time(play_tls: Callable[..., None]) -> None:
    async def scenario(node: SecureNode) -> None:
        stranger = Phone(*await asyncio.open_connection(*node.address))
        await stranger.send(b"\x16\x03\x01\x02\x00\x01")
        await until(lambda: len(node.handshakes) == 1)
        node.streams.sweep(clock.monotonic() + 4)
        assert len(node.handshakes) == 1
        node.streams.sweep(clock.monotonic() + 6)
        assert await stranger.is_closed()
        assert node.counters[catalogue.HANDSHAKES_TIMED_OUT] == 1
        await until(lambda: len(node.streams) == 0)

    play_tls(scenario)


def test_the_oldest_handshake_makes_room(play_tls: Callable[..., None]) -> None:
    async def scenario(node: SecureNode) -> None:
        strangers = []
        for count in (1, 2, 3, 3):
            strangers.append(Phone(*await asyncio.open_connection(*node.address)))
            await strangers[-1].send(b"\x16\x03\x01\x02\x00\x01")
            await until(lambda count=count: len(node.handshakes) == count)
        assert await strangers[0].is_closed()
        phone = await node.dial()
        await phone.send(message())
        await until(lambda: node.received)
        assert node.counters[catalogue.HANDSHAKES_DISPLACED] == 2

    play_tls(scenario, handshakes_max=3)


@pytest.mark.parametrize("way", ["displaced", "timed out", "closed"])
def test_no_step_is_made_of_a_handshake_that_is_gone(
    play_tls: Callable[..., None], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """What waits for the thread is bounded by `handshakes_max`."""
    made = []

    def step(*given: object) -> handshakes.Step:
        made.append(given)
        return handshakes.Step(handshakes.Outcome.WAITS)

    monkeypatch.setattr(handshakes, "step", step)

    async def scenario(node: SecureNode) -> None:
        is_free = threading.Event()
        node.handshakes._thread.submit(is_free.wait)
        try:
            for count in range(1, 11):
                stranger = Phone(*await asyncio.open_connection(*node.address))
                await stranger.send(b"\x16\x03\x01\x02\x00\x01")
                await until(
                    lambda count=count: len(node.handshakes) + node.counters[catalogue.HANDSHAKES_DISPLACED] == count
                )
            if way == "timed out":
                node.streams.sweep(clock.monotonic() + 6)
            elif way == "closed":
                for connection in list(node.streams._connections.values()):
                    connection.abort()
            if way != "displaced":
                await until(lambda: len(node.streams) == 0)
        finally:
            is_free.set()
        await asyncio.wrap_future(node.handshakes._thread.submit(int))
        assert len(made) == (3 if way == "displaced" else 0)

    play_tls(scenario, handshakes_max=3)


def test_calls_come_before_handshakes(authority: CertificateAuthority) -> None:
    """The thread is nicer than the worker, whatever strangers ask of it."""
    settings = secure_settings(authority)
    handshakes = Handshakes(TlsContexts(settings), settings.tls, [])
    niceness = handshakes._thread.submit(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())).result()
    assert niceness >= 5
    handshakes.close()
