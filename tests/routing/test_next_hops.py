"""From a URI to flows (RFC 3261 16.6 step 7, 18.1.1; RFC 3263 4)."""

from __future__ import annotations

import pytest

from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.routing.host_cache import HostCache
from appliance.routing.lookup_questions import LookupHost
from appliance.routing.next_hops import NextHops
from appliance.routing.server_cache import ServerCache
from appliance.routing.server_location import AnswersNeeded
from appliance.sip.siphash import SipHash
from appliance.sip.uri import parse_uri
from appliance.transport.flow import TCP, UDP, Flow

V4 = ListenerSettings(name="v4", address="192.0.2.1")
UDP_ONLY = ListenerSettings(name="udp", address="10.0.0.1", transports=(UDP,))
V6 = ListenerSettings(name="v6", address="2001:db8::1")


SETTINGS = Settings()
CHOICE = SipHash(b"0123456789abcdef")


def next_hops(*listeners: ListenerSettings, hosts: HostCache | None = None) -> NextHops:
    return NextHops(listeners, hosts or HostCache(SETTINGS), ServerCache(SETTINGS), CHOICE)


def find(uri: bytes, request_len: int = 0, came_in: int = 0) -> list[tuple[int, int, tuple[str, int]]]:
    hosts = HostCache(SETTINGS)
    hosts.store(b"both.example.net", ("2001:db8::60", "192.0.2.60"), 100.0, 0.0)
    flows = next_hops(V4, UDP_ONLY, V6, hosts=hosts).find(parse_uri(uri), request_len, came_in, b"a", 0.0)
    return [(flow.transport, flow.listener, flow.remote) for flow in flows]


@pytest.mark.parametrize(
    ("uri", "flow"),
    [
        (b"sip:bob@192.0.2.4", (UDP, 0, ("192.0.2.4", 5060))),
        (b"sip:bob@192.0.2.4:5070", (UDP, 0, ("192.0.2.4", 5070))),
        (b"sip:bob@192.0.2.4;transport=TCP", (TCP, 0, ("192.0.2.4", 5060))),
        (b"sip:bob@[2001:db8::4]", (UDP, 2, ("2001:db8::4", 5060))),
        (b"sip:bob@example.net;maddr=192.0.2.5", (UDP, 0, ("192.0.2.5", 5060))),
    ],
)
def test_a_literal_is_one_hop(uri: bytes, flow: tuple[int, int, tuple[str, int]]) -> None:
    assert find(uri) == [flow]


@pytest.mark.parametrize("host", [b"224.0.1.75", b"255.255.255.255", b"[ff02::1]", b"x.example;maddr=239.1.2.3"])
def test_no_group_and_no_broadcast_address_is_a_hop(host: bytes) -> None:
    """RFC 3261 18.1.1: what comes by unicast goes on by unicast."""
    assert find(b"sip:bob@" + host) == []


def test_every_address_of_a_host_is_a_hop_in_its_order() -> None:
    """RFC 3263 4.3."""
    assert find(b"sip:both.example.net:5060") == [(UDP, 2, ("2001:db8::60", 5060)), (UDP, 0, ("192.0.2.60", 5060))]


def test_an_unknown_host_is_reported_not_resolved() -> None:
    with pytest.raises(AnswersNeeded) as caught:
        find(b"sip:bob@gate.example.net:5070")
    assert caught.value.questions == [LookupHost(b"gate.example.net")]


def test_a_long_request_goes_by_tcp_and_falls_back() -> None:
    """RFC 3261 18.1.1."""
    assert [hop[0] for hop in find(b"sip:bob@192.0.2.4", request_len=1300)] == [UDP]
    assert [hop[0] for hop in find(b"sip:bob@192.0.2.4", request_len=1301)] == [TCP, UDP]


def test_the_way_out_is_the_way_in_where_that_serves() -> None:
    assert find(b"sip:bob@192.0.2.4", came_in=1) == [(UDP, 1, ("192.0.2.4", 5060))]
    assert find(b"sip:bob@192.0.2.4;transport=tcp", came_in=1) == [(TCP, 0, ("192.0.2.4", 5060))]


@pytest.mark.parametrize(
    "uri", [b"sips:bob@192.0.2.4", b"sip:bob@192.0.2.4;transport=tls", b"sip:b@192.0.2.4;transport=x"]
)
def test_what_is_not_spoken_is_not_reachable(uri: bytes) -> None:
    """RFC 3261 26.2.2: sips never goes in the clear."""
    assert find(uri) == []


def test_an_address_without_a_listener_of_its_family_is_not_reachable() -> None:
    hops = next_hops(V4)
    assert hops.find(parse_uri(b"sip:bob@[2001:db8::4]"), 0, 0, b"a", 0.0) == []
    assert hops.flow_to(UDP, b"2001:db8::4", 5060) is None


def test_a_flow_for_a_response_needs_an_address() -> None:
    hops = next_hops(V4)
    assert hops.flow_to(UDP, b"192.0.2.4", 5070) == Flow(UDP, 0, ("192.0.2.4", 5070))
    assert hops.flow_to(UDP, b"client.example.net", 5060) is None
