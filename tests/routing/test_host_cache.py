"""The cache of hosts (RFC 3263 4.2)."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.routing.host_cache import HostCache, literal_address


@pytest.mark.parametrize(
    ("host", "address"),
    [
        (b"192.0.2.1", "192.0.2.1"),
        (b"[2001:db8::1]", "2001:db8::1"),
        (b"[2001:0DB8:0::1]", "2001:db8::1"),
        (b"example.com", ""),
        (b"192.0.2", ""),
        (b"192.0.2.256", ""),
        (b"192.0.2.01", ""),
        (b"192.0.2.0", "192.0.2.0"),
        (b"192.0.2.", ""),
        (b".192.0.2.1", ""),
        (b"192.0.2.1.1", ""),
        (b"192.0.2.1111111111111111111", ""),
        (b"\xff\xfe", ""),
        (b"", ""),
    ],
)
def test_a_literal_is_its_own_address(host: bytes, address: str) -> None:
    assert literal_address(host) == address


@given(st.from_regex(r"\A[0-9.a:\[\]]{0,20}\Z").map(str.encode))
def test_a_literal_is_what_the_library_takes_for_one(host: bytes) -> None:
    """RFC 3986 3.2.2, whatever is written there."""
    text = host[1:-1] if host[:1] == b"[" else host
    try:
        expected = ipaddress.ip_address(text.decode()).compressed
    except ValueError:
        expected = ""
    assert literal_address(host) == expected


def test_a_literal_needs_no_question() -> None:
    assert HostCache(10).find(b"[2001:db8::1]", 0.0) == ("2001:db8::1",)


def test_a_name_is_unknown_until_it_is_answered_and_again_when_its_time_is_over() -> None:
    hosts = HostCache(10)
    assert hosts.find(b"gate.example.net", 0.0) is None
    hosts.remember(b"gate.example.net", ("192.0.2.60", "192.0.2.61"), 30.0)
    assert hosts.find(b"gate.example.net", 29.9) == ("192.0.2.60", "192.0.2.61")
    assert hosts.find(b"gate.example.net", 30.0) is None


def test_a_host_without_addresses_is_known_to_have_none() -> None:
    hosts = HostCache(10)
    hosts.remember(b"nothing.example.net", (), 5.0)
    assert hosts.find(b"nothing.example.net", 1.0) == ()


def test_the_cache_is_bounded_and_the_oldest_goes() -> None:
    hosts = HostCache(3)
    for number in range(5):
        hosts.remember(b"host%d" % number, ("192.0.2.1",), 100.0)
    assert len(hosts) == 3
    assert hosts.find(b"host1", 0.0) is None
    assert hosts.find(b"host4", 0.0) == ("192.0.2.1",)


def test_an_answer_that_comes_again_takes_no_second_place() -> None:
    hosts = HostCache(2)
    hosts.remember(b"one", ("192.0.2.1",), 100.0)
    hosts.remember(b"two", ("192.0.2.2",), 100.0)
    hosts.remember(b"one", ("192.0.2.3",), 100.0)
    assert hosts.find(b"two", 0.0) == ("192.0.2.2",)
    assert hosts.find(b"one", 0.0) == ("192.0.2.3",)
