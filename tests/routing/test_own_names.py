"""Which names are the appliance's own (RFC 3261 16.4, 16.5)."""

from __future__ import annotations

import pytest

from appliance.catalogue.authentication_settings import DigestSettings
from appliance.catalogue.cluster_settings import NodeSettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.routing.own_names import OwnNames
from appliance.sip.uri import parse_uri


def names(**changes: object) -> OwnNames:
    listeners = (
        ListenerSettings(name="v4", address="192.0.2.1"),
        ListenerSettings(name="v6", address="2001:db8::1", port=5070),
        ListenerSettings(name="inside", address="10.0.0.1", advertise="198.51.100.7"),
    )
    return OwnNames(Settings(domains=("example.com", "example.net"), listeners=listeners, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("uri", "listener"),
    [
        (b"sip:192.0.2.1", 0),
        (b"sip:192.0.2.1:5060;lr", 0),
        (b"sip:192.0.2.1:5070", -1),
        (b"sip:[2001:db8::1]:5070;lr", 1),
        (b"sip:[2001:DB8::1]:5070", 1),
        (b"sip:[2001:db8::1]", -1),
        (b"sip:198.51.100.7", 2),
        (b"sip:10.0.0.1", 2),
        (b"sip:example.com", -1),
    ],
)
def test_a_listener_is_named_by_host_and_port(uri: bytes, listener: int) -> None:
    """RFC 3261 16.4."""
    assert names().listener_of(parse_uri(uri)) == listener
    assert names().is_me(parse_uri(uri)) == (listener >= 0)


def test_the_advertised_address_stands_in_via() -> None:
    """RFC 3261 18.1.1."""
    assert names().sent_bys == [b"192.0.2.1:5060", b"[2001:db8::1]:5070", b"198.51.100.7:5060"]


@pytest.mark.parametrize(
    ("uri", "is_ours"),
    [
        (b"sip:bob@example.com", True),
        (b"sip:bob@EXAMPLE.com:5080", True),
        (b"sip:bob@example.net", True),
        (b"sip:bob@sub.example.com", False),
        (b"sip:bob@192.0.2.1", True),
        # Another port on our host is another server.
        (b"sip:bob@192.0.2.1:5080", False),
        (b"sip:bob@elsewhere.example.org", False),
    ],
)
def test_responsibility(uri: bytes, is_ours: bool) -> None:
    """RFC 3261 16.5."""
    assert names().is_responsible_for(parse_uri(uri)) == is_ours


def test_each_domain_is_a_realm_of_its_own_unless_one_is_set() -> None:
    assert names().aor_of(b"bob", b"example.net") == b"sip:bob@example.net"
    one = names(digest=DigestSettings(realm="example.com"))
    assert one.aor_of(b"bob", b"example.net") == one.aor_of(b"bob", b"example.com") == b"sip:bob@example.com"


def test_a_listener_s_host_that_is_a_domain_is_ours_without_a_port() -> None:
    """Phones write `REGISTER sip:192.0.2.1` whatever port they send it to (RFC 3261 10.2)."""
    listener = ListenerSettings(address="192.0.2.1", port=5070)
    own = OwnNames(Settings(domains=("192.0.2.1",), listeners=(listener,)))
    assert own.is_responsible_for(parse_uri(b"sip:192.0.2.1"))
    assert own.is_responsible_for(parse_uri(b"sip:192.0.2.1:5070"))
    assert not own.is_responsible_for(parse_uri(b"sip:192.0.2.1:5060"))


def test_the_addresses_of_a_listener_on_other_nodes_are_ours() -> None:
    """RFC 3261 16.4, 16.5: the nodes of a cluster are one element; a Via names one of them (18.1.2)."""
    second = NodeSettings("b", listeners=("v4 192.0.2.2", "v6 2001:db8::2"))
    one = names(nodes=(second, NodeSettings("c", listeners=("v4 192.0.2.3",))))
    for uri, listener in ((b"sip:192.0.2.2;lr", 0), (b"sip:192.0.2.3:5060", 0), (b"sip:[2001:db8::2]:5070", 1)):
        assert one.listener_of(parse_uri(uri)) == listener
        assert one.is_own_route(parse_uri(uri))
        assert not one.is_own_sent_by(parse_uri(uri).host, parse_uri(uri).port)
    assert one.is_responsible_for(parse_uri(b"sip:bob@192.0.2.3"))
    assert not one.is_own_route(parse_uri(b"sip:192.0.2.2:5080;lr"))
    assert not one.is_own_route(parse_uri(b"sip:192.0.2.4;lr"))
