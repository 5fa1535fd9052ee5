"""The cache of hosts (RFC 3263 4.2)."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.catalogue.settings import Settings
from appliance.routing.host_cache import ADDRESSES_MAX, HostCache, literal_address
from appliance.routing.lookup_questions import HostAnswer, LookupHost


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


def test_a_literal_needs_no_question_and_is_read_once() -> None:
    hosts = HostCache(Settings())
    assert [hosts.literal(b"[2001:db8::1]") for _ in range(2)] == ["2001:db8::1"] * 2
    assert hosts.literal(b"gate.example.net") == ""


def test_of_one_host_so_many_addresses_count() -> None:
    hosts = HostCache(Settings())
    many = tuple(f"192.0.2.{number}" for number in range(200))
    hosts.keep(LookupHost(b"swarm.example.net"), HostAnswer(1, many, False, 60.0), 0.0)
    assert hosts.find(b"swarm.example.net", 1.0) == many[:ADDRESSES_MAX]
