"""Who is proved by which certificate, and how certificates are chosen, renewed and end (RFC 5922, RFC 6066 3)."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from appliance import clock
from appliance.catalogue import counters as catalogue
from appliance.catalogue.certificate_settings import CertificateSettings
from appliance.catalogue.limit_settings import LimitSettings
from appliance.tls_contexts import TlsContexts
from appliance.transport.flow import TLS, Outgoing
from appliance.workers.handshakes import Handshakes
from tests.certificate_authority import CertificateAuthority
from tests.workers.streams_bench import Node, Phone, message, until
from tests.workers.tls_bench import SecureNode, Server, by_name, secure_settings


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


def test_a_server_without_a_trusted_issuer_gets_nothing(
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


def test_the_address_of_a_peer_with_a_certificate_proves_nothing_before_it_is_shown(
    play_streams: Callable[..., None], authority: CertificateAuthority
) -> None:
    """Where a peer may be anywhere, strangers are strangers: they have a share of connections, and make room."""
    peers = ("0.0.0.0/0 certificate-name carrier.example",)
    node = SecureNode(authority, listener={"client_certificate": "request", "peers": peers})
    limits = LimitSettings(connections_per_source_max=2)
    node.streams.reconfigure(node.settings.listeners, limits, node.streams.syntax)

    async def scenario(node: SecureNode) -> None:
        for _ in range(4):
            await asyncio.open_connection(*node.address)
        await until(lambda: node.counters[catalogue.CONNECTIONS_DISPLACED] == 2)
        assert len(node.streams) == 2
        # Who has shown the certificate has no share to keep to.
        context = node.context()
        context.load_cert_chain(*authority.issue("client", "DNS:carrier.example"))
        for _ in range(4):
            phone = Phone(*await asyncio.open_connection(*node.address, ssl=context, server_hostname="proxy.example"))
            await phone.send(message())
        await until(lambda: len(node.received) == 4)
        assert all(row.proven for row in node.streams.rows(10).rows if row.state == "open")

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


def test_the_connection_of_a_certificate_that_is_revoked_is_closed(
    play_streams: Callable[..., None], authority: CertificateAuthority
) -> None:
    """RFC 5280 5: a list is replaced while connections are open; those of other certificates go on."""
    revoked = str(authority.revoke())
    node = SecureNode(authority, listener={"client_certificate": "request"}, revoked=revoked)

    async def dial(node: SecureNode, *certificate: Path) -> Phone:
        context = node.context()
        if certificate:
            context.load_cert_chain(*certificate)
        return Phone(*await asyncio.open_connection(*node.address, ssl=context, server_hostname="proxy.example"))

    async def scenario(node: SecureNode) -> None:
        good, bad = (authority.issue(name, f"DNS:{name}.example") for name in ("good", "bad"))
        phones = [await dial(node, *good), await dial(node), await dial(node, *bad), await dial(node, *bad)]
        await until(lambda: node.counters[catalogue.HANDSHAKES_COMPLETED] == 4)
        authority.revoke(bad[0])
        # Two searches find the same connections, which have not ended when the second one is done.
        node.handshakes.sweep(clock.monotonic() + 20)
        node.handshakes.sweep(clock.monotonic() + 40)
        await until(lambda: len(node.streams) == 2)
        assert node.counters[catalogue.CERTIFICATES_REFUSED] == 2
        for phone in phones[2:]:
            with suppress(ConnectionError):
                assert await phone.is_closed()
        for phone in phones[:2]:
            await phone.send(message())
        await until(lambda: len(node.received) == 2)
        assert len(node.streams) == 2

    play_streams(scenario, node=node)


def test_the_connection_to_a_server_that_is_revoked_is_closed(
    play_streams: Callable[..., None], authority: CertificateAuthority
) -> None:
    node = SecureNode(authority, revoked=str(authority.revoke()))

    async def scenario(node: SecureNode) -> None:
        server = Server(authority, "DNS:carrier.example")
        address = await server.start()
        node.streams.send([Outgoing(message(), by_name(address, "carrier.example"))])
        await until(lambda: bytes(server.received) == message())
        authority.revoke(authority.chain("server"))
        node.handshakes.sweep(clock.monotonic() + 20)
        await until(lambda: len(node.streams) == 0)
        # The next connection is refused in the handshake.
        node.streams.send([Outgoing(message(), by_name(address, "carrier.example"))])
        await until(lambda: node.streams.failures)
        assert node.counters[catalogue.CERTIFICATES_REFUSED] == 2
        assert bytes(server.received) == message()
        server.server.close()

    play_streams(scenario, node=node)


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
