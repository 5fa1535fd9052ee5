"""TLS connections over loopback (RFC 3261 26.2, RFC 5922 7.3, RFC 8446), on both event loops."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance import clock
from appliance.catalogue import counters as catalogue
from appliance.catalogue.certificate_settings import CertificateSettings, TlsSettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.tls_contexts import TlsContexts
from appliance.transport.flow import NO_CONNECTION, TLS, Flow, Outgoing
from appliance.transport.process_id import NO_PROCESS
from appliance.workers import handshakes
from appliance.workers.handshakes import Handshakes
from appliance.workers.tls_connection import TlsConnection
from tests.certificate_authority import CertificateAuthority
from tests.workers.streams_bench import Node, Phone, accepted, message, until


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("authority"))


class SecureNode(Node):
    """A node that listens by TLS with a certificate of an authority, and trusts it."""

    def __init__(self, authority: CertificateAuthority, listener: dict[str, Any] | None = None, **tls: int) -> None:
        self.authority = authority
        self.settings = secure_settings(authority, tls=tls, **(listener or {}))
        super().__init__()
        self.streams.reconfigure(self.settings.listeners, self.settings.limits, self.streams.syntax)
        self.handshakes.reconfigure(TlsContexts(self.settings), self.settings.tls)

    async def listen(self, listener: int = 0) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self.address = listening.getsockname()[:2]
        await self.streams.listen(listener, TLS, listening)

    def context(self) -> ssl.SSLContext:
        """That of a phone which trusts the authority."""
        return ssl.create_default_context(cafile=str(self.authority.trust))

    async def dial(self) -> Phone:
        return Phone(
            *await asyncio.open_connection(*self.address, ssl=self.context(), server_hostname="proxy.example")
        )


def secure_settings(
    authority: CertificateAuthority, name: str = "proxy", tls: dict[str, Any] | None = None, **listener: Any
) -> Settings:
    chain, key = authority.issue(name, "DNS:proxy.example,IP:127.0.0.1")
    return Settings(
        listeners=(ListenerSettings(port=5061, transports=(TLS,), certificates=("own",), **listener),),
        certificates=(CertificateSettings(name="own", chain=str(chain), key=str(key)),),
        tls=TlsSettings(trust=str(authority.trust), **(tls or {})),
    )


@pytest.fixture
def play_tls(
    play_streams: Callable[..., None], authority: CertificateAuthority
) -> Callable[..., None]:
    def run(scenario: Callable[[SecureNode], object], **limits: int) -> None:
        play_streams(scenario, node=SecureNode(authority, **limits))

    return run


class RecordPhone:
    """A phone that may send octets of its own between the records of TLS."""

    def __init__(self, phone: Phone, context: ssl.SSLContext) -> None:
        self.phone = phone
        self.incoming = ssl.MemoryBIO()
        self.sealed = ssl.MemoryBIO()
        self.end = context.wrap_bio(self.incoming, self.sealed, server_hostname="proxy.example")

    async def work(self, operation: Callable[[], Any]) -> Any:
        """Send and read until the operation is done."""
        while True:
            try:
                return operation()
            except ssl.SSLWantReadError:
                await self.flush()
                self.incoming.write(await self.phone.reader.read(65536))
            finally:
                await self.flush()

    async def flush(self) -> None:
        if self.sealed.pending:
            await self.phone.send(self.sealed.read())

    async def finish(self) -> None:
        """Send close_notify."""
        with suppress(ssl.SSLWantReadError):
            self.end.unwrap()
        await self.flush()


class Server:
    """A TLS server at the other end: what it got, and over how many connections."""

    def __init__(self, authority: CertificateAuthority, names: str) -> None:
        self.received = bytearray()
        self.greeting = b""
        self.handshakes: list[ssl.SSLObject] = []
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(*authority.issue("server", names))

    async def start(self) -> tuple[str, int]:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        address: tuple[str, int] = self.server.sockets[0].getsockname()
        return address

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.handshakes.append(writer.get_extra_info("ssl_object"))
        writer.write(self.greeting)
        while data := await reader.read(65536):
            self.received += data


def by_name(address: tuple[str, int], name: str) -> Flow:
    return Flow(TLS, 0, address, NO_PROCESS, NO_CONNECTION, name)


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
        assert node.streams._answering.older(finished_at) == [connection]
        node.streams.send([Outgoing(accepted("OPTIONS"), node.received[0][1])])
        assert await phone.work(lambda: phone.end.read(65536)) == accepted("OPTIONS")
        assert len(node.received) == 1

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


def test_a_connection_to_a_name_is_opened_and_used_again(
    play_tls: Callable[..., None], authority: CertificateAuthority
) -> None:
    """RFC 5922 7.3: the certificate names the domain; RFC 3261 18.1.1: one connection for all."""

    async def scenario(node: SecureNode) -> None:
        server = Server(authority, "DNS:carrier.example")
        address = await server.start()
        sent = [message(str(number)) for number in range(20)]
        node.streams.send([Outgoing(data, by_name(address, "carrier.example")) for data in sent[:10]])
        await until(lambda: len(server.received) == sum(map(len, sent[:10])))
        node.streams.send([Outgoing(data, by_name(address, "carrier.example")) for data in sent[10:]])
        await until(lambda: bytes(server.received) == b"".join(sent))
        assert len(server.handshakes) == 1
        server.server.close()

    play_tls(scenario)


@pytest.mark.parametrize("names", ["DNS:other.example", "DNS:*.example", "URI:sip:other.example,DNS:carrier.example"])
def test_a_certificate_with_another_name_gets_nothing(
    play_tls: Callable[..., None], authority: CertificateAuthority, names: str
) -> None:
    """RFC 5922 7.1, 7.2, 7.3; the message has failed (RFC 3261 18.4)."""

    async def scenario(node: SecureNode) -> None:
        server = Server(authority, names)
        address = await server.start()
        node.streams.send([Outgoing(message(), by_name(address, "carrier.example"))])
        await until(lambda: node.streams.failures)
        assert node.counters[catalogue.CERTIFICATE_NAMES_REFUSED] == 1
        assert node.counters[catalogue.CONNECTIONS_FAILED] == 1
        assert len(node.streams) == 0 and not server.received
        server.server.close()

    play_tls(scenario)


def test_an_address_is_proved_by_an_entry_of_its_own(
    play_tls: Callable[..., None], authority: CertificateAuthority
) -> None:
    async def scenario(node: SecureNode) -> None:
        server = Server(authority, "IP:127.0.0.1")
        address = await server.start()
        node.streams.send([Outgoing(message(), by_name(address, ""))])
        await until(lambda: bytes(server.received) == message())
        server.server.close()

    play_tls(scenario)


def test_a_server_that_nobody_vouches_for_gets_nothing(
    play_tls: Callable[..., None], tmp_path: Path
) -> None:
    async def scenario(node: SecureNode) -> None:
        server = Server(CertificateAuthority(tmp_path / "other"), "DNS:carrier.example")
        address = await server.start()
        node.streams.send([Outgoing(message(), by_name(address, "carrier.example"))])
        await until(lambda: node.streams.failures)
        assert node.counters[catalogue.CERTIFICATES_REFUSED] == 1
        assert not server.received
        server.server.close()

    play_tls(scenario)


def test_a_session_is_resumed(play_tls: Callable[..., None], authority: CertificateAuthority) -> None:
    """RFC 8446 2.2."""

    async def scenario(node: SecureNode) -> None:
        server = Server(authority, "DNS:carrier.example")
        address = await server.start()
        # The tickets of the server come before what it says.
        server.greeting = b"\r\n\r\n"
        for count in (1, 2):
            node.streams.send([Outgoing(message(), by_name(address, "carrier.example"))])
            await until(lambda count=count: node.counters[catalogue.KEEPALIVES_RECEIVED] == count)
            node.streams.let_go([0], clock.monotonic())
            await until(lambda: len(node.streams) == 0)
        assert node.counters[catalogue.HANDSHAKES_RESUMED] == 1
        server.server.close()

    play_tls(scenario)


def test_a_new_certificate_is_shown_to_new_connections_only(
    play_tls: Callable[..., None], authority: CertificateAuthority
) -> None:
    async def scenario(node: SecureNode) -> None:
        phone = await node.dial()
        settings = secure_settings(authority, "renewed")
        node.handshakes.reconfigure(TlsContexts(settings, node.handshakes.contexts), settings.tls)
        other = await node.dial()
        shown = [end.writer.get_extra_info("ssl_object").getpeercert()["serialNumber"] for end in (phone, other)]
        assert shown[0] != shown[1]
        for end in (phone, other):
            await end.send(message())
        await until(lambda: len(node.received) == 2)

    play_tls(scenario)


def test_contexts_are_kept_where_nothing_has_changed(authority: CertificateAuthority) -> None:
    settings = secure_settings(authority)
    former = TlsContexts(settings)
    later = TlsContexts(settings, former)
    assert later.server(0) is former.server(0) is not None
    assert later.client is former.client


def test_without_a_certificate_nothing_is_accepted(play_streams: Callable[..., None]) -> None:
    async def scenario(node: Node) -> None:
        assert isinstance(node.handshakes, Handshakes)
        listening = socket.create_server(("127.0.0.1", 0))
        address = listening.getsockname()
        await node.streams.listen(0, TLS, listening)
        stranger = Phone(*await asyncio.open_connection(*address))
        await stranger.send(b"\x16\x03\x01\x02\x00\x01")
        assert await stranger.is_closed()
        assert node.counters[catalogue.HANDSHAKES_FAILED] == 1

    play_streams(scenario)


@pytest.mark.parametrize(
    ("names", "is_accepted"), [("DNS:carrier.example", True), ("DNS:other.example", False), ("", False)]
)
def test_a_peer_is_proved_by_its_certificate(
    play_streams: Callable[..., None], authority: CertificateAuthority, names: str, is_accepted: bool
) -> None:
    """RFC 5922 7.4: another name, or none, fails the handshake."""
    peers = ("127.0.0.0/8 certificate-name carrier.example",)
    node = SecureNode(authority, listener={"client_certificate": "request", "peers": peers})

    async def scenario(node: SecureNode) -> None:
        context = node.context()
        if names:
            context.load_cert_chain(*authority.issue("client", names))
        phone = Phone(*await asyncio.open_connection(*node.address, ssl=context, server_hostname="proxy.example"))
        await phone.send(message())
        if is_accepted:
            await until(lambda: node.received)
            assert node.counters[catalogue.CERTIFICATE_NAMES_REFUSED] == 0
            # A connection that has not proved what is configured now does not stay.
            other = secure_settings(
                authority, client_certificate="request", peers=("127.0.0.1 certificate-name b.example",)
            )
            node.streams.reconfigure(other.listeners, other.limits, node.streams.syntax)
        else:
            await until(lambda: node.counters[catalogue.CERTIFICATE_NAMES_REFUSED] == 1)
            assert any("carrier.example" in alarm for alarm in node.handshakes.alarms(clock.monotonic(), 0.0))
            assert not node.received
        with suppress(ConnectionError):
            assert await phone.is_closed()

    play_streams(scenario, node=node)


@pytest.mark.parametrize("policy", ["request", "require"])
def test_clients_without_a_certificate(
    play_streams: Callable[..., None], authority: CertificateAuthority, policy: str
) -> None:
    async def scenario(node: SecureNode) -> None:
        phone = await node.dial()
        with suppress(ConnectionError):
            await phone.send(message())
        if policy == "request":
            await until(lambda: node.received)
        else:
            await until(lambda: node.counters[catalogue.HANDSHAKES_FAILED] == 1)
            assert not node.received

    play_streams(scenario, node=SecureNode(authority, listener={"client_certificate": policy}))


def test_files_that_have_changed_are_read_again(play_tls: Callable[..., None]) -> None:
    """Connections that are there go on; a file that cannot be used leaves the former certificate in force."""

    async def scenario(node: SecureNode) -> None:
        own = node.settings.certificates[0]
        phone = await node.dial()
        former = node.handshakes.contexts
        await until(lambda: node.counters[catalogue.HANDSHAKES_COMPLETED] == 1)
        shutil.copy("/dev/null", own.chain)
        node.handshakes.sweep(clock.monotonic() + 20)
        await until(lambda: node.handshakes.contexts.faults)
        assert node.handshakes.contexts is former
        renewed = [await node.dial()]
        await until(lambda: node.counters[catalogue.HANDSHAKES_COMPLETED] == 2)
        node.authority.issue("proxy", "DNS:proxy.example")
        node.handshakes.sweep(clock.monotonic() + 40)
        await until(lambda: node.handshakes.contexts is not former)
        renewed.append(await node.dial())
        ends = [end.writer.get_extra_info("ssl_object").getpeercert() for end in (phone, *renewed)]
        assert ends[0]["serialNumber"] == ends[1]["serialNumber"] != ends[2]["serialNumber"]
        await renewed[0].send(message())
        await until(lambda: node.received)
        assert not any("unusable" in alarm for alarm in node.handshakes.alarms(0.0, clock.wall_time()))

    play_tls(scenario)


def test_the_name_that_is_asked_for_chooses_the_certificate(
    play_streams: Callable[..., None], authority: CertificateAuthority
) -> None:
    """RFC 6066 3; the first one where no name is asked for, or another one."""

    async def scenario(node: SecureNode) -> None:
        chain, key = authority.issue("second", "DNS:second.example")
        second = CertificateSettings(name="second", chain=str(chain), key=str(key))
        listener = replace(node.settings.listeners[0], certificates=("own", "second"))
        settings = replace(
            node.settings, listeners=(listener,), certificates=(*node.settings.certificates, second)
        )
        node.handshakes.reconfigure(TlsContexts(settings), settings.tls)
        context = node.context()
        context.check_hostname = False
        for name, expected in (
            ("second.example", "second.example"),
            ("SECOND.example", "second.example"),
            ("proxy.example", "proxy.example"),
            ("third.example", "proxy.example"),
            ("", "proxy.example"),
        ):
            _, writer = await asyncio.open_connection(*node.address, ssl=context, server_hostname=name)
            shown = writer.get_extra_info("ssl_object").getpeercert()["subjectAltName"]
            assert ("DNS", expected) in shown
            writer.close()

    play_streams(scenario, node=SecureNode(authority))


@pytest.mark.parametrize(
    ("days", "alarm"),
    [
        (31, ""),
        (29, "certificate-expires "),
        (8, "certificate-expires "),
        (6, "certificate-expires-soon "),
        (0, "certificate-expired "),
        (-1, "certificate-expired "),
    ],
)
def test_the_end_of_a_certificate_is_announced(authority: CertificateAuthority, days: int, alarm: str) -> None:
    settings = secure_settings(authority, "ending")
    contexts = TlsContexts(settings)
    wall_time = contexts.ends["own"] - days * 86400 - 60
    alarms = Handshakes(contexts, settings.tls, []).alarms(0.0, wall_time)
    assert [found.startswith(alarm) for found in alarms] == ([True] if alarm else [])


def test_calls_come_before_handshakes(authority: CertificateAuthority) -> None:
    """The thread is nicer than the worker, whatever strangers ask of it."""
    settings = secure_settings(authority)
    handshakes = Handshakes(TlsContexts(settings), settings.tls, [])
    niceness = handshakes._thread.submit(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())).result()
    assert niceness >= 5
    handshakes.close()
