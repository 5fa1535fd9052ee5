"""Connections that peers have opened, reused for requests to them (RFC 5923, RFC 5922), on both event loops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from appliance.catalogue import counters as catalogue
from appliance.transport.flow import Flow, Outgoing
from tests.certificate_authority import CertificateAuthority
from tests.workers.streams_bench import Phone, message, until
from tests.workers.tls_bench import SecureNode, Server, by_name

CARRIER = "URI:sip:carrier.example,URI:sip:sbc.carrier.example"


def aliased(sent_by: str, parameters: str = ";alias") -> bytes:
    return message(via=f"SIP/2.0/TLS {sent_by};branch=z9hG4bK1{parameters}")


async def dial(node: SecureNode, names: str) -> Phone:
    """A peer with a certificate of these names; without one where there are none."""
    context = node.context()
    if names:
        context.load_cert_chain(*node.authority.issue("peer", names))
    return Phone(*await asyncio.open_connection(*node.address, ssl=context, server_hostname="proxy.example"))


async def is_reused(node: SecureNode, peer: Phone, flow: Flow) -> bool:
    """Does a request by this flow come to the peer by the connection that it has opened?"""
    node.streams.send([Outgoing(message("to-peer"), flow)])
    await until(lambda: node.counters[catalogue.TCP_MESSAGES_SENT] or node.counters[catalogue.CONNECTIONS_FAILED])
    if not node.counters[catalogue.TCP_MESSAGES_SENT]:
        return False
    return b"to-peer" in await peer.reader.readuntil(b"\r\n\r\n")


@pytest.fixture
def node(authority: CertificateAuthority) -> SecureNode:
    return SecureNode(authority, listener={"client_certificate": "request"})


@pytest.mark.parametrize("name", ["carrier.example", "sbc.carrier.example"])
def test_requests_for_what_the_certificate_proves_go_by_the_connection_of_the_peer(
    play_streams: Callable[..., None], node: SecureNode, name: str
) -> None:
    """RFC 5923 8.2: the source address, the port of the Via, and one of the identities of the certificate."""

    async def scenario(node: SecureNode) -> None:
        peer = await dial(node, CARRIER)
        await peer.send(aliased("sbc.carrier.example:7061"))
        await until(lambda: node.counters[catalogue.CONNECTIONS_ALIASED])
        assert await is_reused(node, peer, by_name(("127.0.0.1", 7061), name))
        assert node.counters[catalogue.CONNECTIONS_OPENED] == 0

    play_streams(scenario, node=node)


def test_the_port_is_that_of_sips_where_the_via_has_none(play_streams: Callable[..., None], node: SecureNode) -> None:
    """RFC 5923 8.2: 5061."""

    async def scenario(node: SecureNode) -> None:
        peer = await dial(node, CARRIER)
        await peer.send(aliased("SBC.carrier.example"))
        await until(lambda: node.counters[catalogue.CONNECTIONS_ALIASED])
        assert await is_reused(node, peer, by_name(("127.0.0.1", 5061), "carrier.example"))

    play_streams(scenario, node=node)


def test_the_address_itself_is_proved_by_an_entry_of_its_own(
    play_streams: Callable[..., None], node: SecureNode
) -> None:
    """RFC 5280 4.2.1.6: where a route names the address and no domain."""

    async def scenario(node: SecureNode) -> None:
        peer = await dial(node, "IP:127.0.0.1")
        await peer.send(aliased("127.0.0.1:7061"))
        await until(lambda: node.counters[catalogue.CONNECTIONS_ALIASED])
        assert await is_reused(node, peer, by_name(("127.0.0.1", 7061), ""))

    play_streams(scenario, node=node)


@pytest.mark.parametrize(
    ("names", "sent_by", "parameters"),
    [
        ("", "sbc.carrier.example:7061", ";alias"),
        ("DNS:stranger.example", "sbc.carrier.example:7061", ";alias"),
        ("DNS:stranger.example", "stranger.example:7061", ";alias"),
        ("DNS:*.carrier.example", "sbc.carrier.example:7061", ";alias"),
        (CARRIER, "127.0.0.1:7061", ";alias"),
        (CARRIER, "sbc.carrier.example:7061", ""),
        (CARRIER, "sbc.carrier.example:7061", ';x="a;alias"'),
    ],
)
def test_no_one_gets_what_is_for_another(
    play_streams: Callable[..., None], node: SecureNode, names: str, sent_by: str, parameters: str
) -> None:
    """RFC 5923 9.2: no certificate, another domain, a wildcard (RFC 5922 7.2), an address that is not proved."""

    async def scenario(node: SecureNode) -> None:
        peer = await dial(node, names)
        await peer.send(aliased(sent_by, parameters))
        await until(lambda: node.received)
        for name in ("carrier.example", ""):
            assert not await is_reused(node, peer, by_name(("127.0.0.1", 7061), name))

    play_streams(scenario, node=node)


def test_a_connection_without_tls_has_no_alias(play_streams: Callable[..., None]) -> None:
    """RFC 5923 9: nothing is proved there."""

    async def scenario(node: SecureNode) -> None:
        peer = await node.dial()
        await peer.send(message(via="SIP/2.0/TCP 127.0.0.1:7061;branch=z9hG4bK1;alias"))
        await until(lambda: node.received)
        assert node.counters[catalogue.CONNECTIONS_ALIASED] == 0

    play_streams(scenario)


def test_an_alias_takes_nothing_from_a_connection_that_is_there(
    play_streams: Callable[..., None], node: SecureNode
) -> None:
    """RFC 5923 8.1: what goes by a connection of ours goes on by it."""

    async def scenario(node: SecureNode) -> None:
        server = Server(node.authority, CARRIER)
        flow = by_name(await server.start(), "carrier.example")
        node.streams.send([Outgoing(message("first"), flow)])
        await until(lambda: server.received)
        peer = await dial(node, CARRIER)
        await peer.send(aliased(f"carrier.example:{flow.remote[1]}"))
        await until(lambda: node.counters[catalogue.CONNECTIONS_ALIASED])
        node.streams.send([Outgoing(message("second"), flow)])
        await until(lambda: b"second" in server.received)

    play_streams(scenario, node=node)


def test_with_the_connection_its_aliases_end(play_streams: Callable[..., None], node: SecureNode) -> None:
    """RFC 5923 8.2: a new connection is opened then. Siblings hear of both."""

    async def scenario(node: SecureNode) -> None:
        peer = await dial(node, "DNS:carrier.example")
        await peer.send(aliased("carrier.example:7061"))
        await until(lambda: node.counters[catalogue.CONNECTIONS_ALIASED])
        way = by_name(("127.0.0.1", 7061), "carrier.example").way()
        opened, _ = node.streams.take_changes()
        assert way in [flow.way() for flow in opened]
        peer.writer.close()
        await until(lambda: node.streams.has_changes)
        _, closed = node.streams.take_changes()
        assert way in [flow.way() for flow in closed]
        assert not await is_reused(node, peer, by_name(("127.0.0.1", 7061), "carrier.example"))

    play_streams(scenario, node=node)
