"""Peers by address, network, port and transport."""

from __future__ import annotations

import pytest

from appliance.catalogue.errors import ValueFault
from appliance.catalogue.peers import Peer, Peers

UDP, TCP, TLS = 0, 1, 2


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("192.0.2.1 certificate-name SIP:Carrier.Example", "192.0.2.1 certificate-name carrier.example"),
        ("192.0.2.1 transport TCP port 5060", "192.0.2.1 port 5060 transport tcp"),
    ],
)
def test_a_peer_is_kept_as_it_is_printed(typed: str, kept: str) -> None:
    assert Peer().read(typed.split()) == kept
    assert Peer().read(Peer().write(kept)) == kept


@pytest.mark.parametrize(
    "typed",
    [
        *("", "trunk", "192.0.2.1/24", "192.0.2.0/33", "192.0.2.1 port", "192.0.2.1 port 0", "192.0.2.1 via udp"),
        *("192.0.2.1 transport udp certificate-name a.example", "192.0.2.1 certificate-name *.example"),
    ],
)
def test_what_is_no_peer(typed: str) -> None:
    with pytest.raises(ValueFault):
        Peer().read(typed.split())


def test_an_address_within_a_network_is_pointed_out() -> None:
    with pytest.raises(ValueFault) as fault:
        Peer().read(["192.0.2.1/24"])
    assert "192.0.2.0/24" in fault.value.remedy


def test_who_is_a_peer() -> None:
    peers = Peers(["192.0.2.1", "198.51.100.0/24", "2001:db8::/32", "203.0.113.1 port 5060 transport udp"])
    assert peers.has("192.0.2.1", 9, UDP) and not peers.has("192.0.2.2", 9, UDP)
    assert peers.has("198.51.100.77", 9, TCP) and not peers.has("198.51.101.1", 9, TCP)
    assert peers.has("2001:db8:1::1", 9, UDP) and not peers.has("2001:db9::1", 9, UDP)
    assert peers.has("203.0.113.1", 5060, UDP)
    assert not peers.has("203.0.113.1", 5061, UDP) and not peers.has("203.0.113.1", 5060, TCP)
    assert peers.has_address("203.0.113.1") and not peers.has_address("203.0.113.2")


def test_a_connection_of_a_peer_comes_from_any_port() -> None:
    assert Peers(["203.0.113.1 port 5060 transport tcp"]).has("203.0.113.1", 40000, TCP)


def test_a_peer_with_a_certificate_name_is_one_by_tls_only() -> None:
    """RFC 5922 7.4: by TLS the handshake has proved it."""
    peers = Peers(["192.0.2.0/24 certificate-name a.example", "192.0.2.1 certificate-name b.example", "192.0.2.9"])
    assert peers.has("192.0.2.1", 9, TLS)
    assert not peers.has("192.0.2.1", 9, TCP) and not peers.has("192.0.2.1", 9, UDP)
    assert peers.certificate_names("192.0.2.1") == ("a.example", "b.example")
    assert peers.certificate_names("198.51.100.1") == ()
