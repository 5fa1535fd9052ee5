"""Who may use the agent (RFC 3584 5.2, RFC 3414, RFC 3418): before anything else is done with a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.catalogue.snmp_settings import SnmpSettings
from appliance.management.snmp.access import (
    AUTH_PRIV,
    MODEL_USM,
    MODEL_V2C,
    NO_AUTH_NO_PRIV,
    Access,
    Principal,
    Verdict,
)
from appliance.management.snmp.message_header import MalformedDatagram, version_and_community

KEY = "00" * 32


def message(community: bytes, version: int = 1, tail: bytes = b"\xa0\x00") -> bytes:
    inside = bytes([2, 1, version, 4, len(community)]) + community + tail
    return bytes([0x30, len(inside)]) + inside


def access() -> Access:
    communities = ("public", "far from 192.0.2.0/24 2001:db8::/32", "secret from 192.0.2.7/32 read-write")
    return Access(SnmpSettings(communities=communities, users=(f"monitor sha256 key {KEY} {KEY}",)))


@pytest.mark.parametrize(
    ("community", "source", "verdict"),
    [
        (b"public", "127.0.0.1", Verdict.ADMITTED),
        (b"public", "::1", Verdict.ADMITTED),
        (b"public", "192.0.2.1", Verdict.BAD_COMMUNITY),
        (b"far", "192.0.2.1", Verdict.ADMITTED),
        (b"far", "::ffff:192.0.2.1", Verdict.ADMITTED),
        (b"far", "2001:db8::9", Verdict.ADMITTED),
        (b"far", "fe80::1%eth0", Verdict.BAD_COMMUNITY),
        (b"wrong", "127.0.0.1", Verdict.BAD_COMMUNITY),
        (b"", "127.0.0.1", Verdict.BAD_COMMUNITY),
    ],
)
def test_a_community_may_be_used_from_its_networks(community: bytes, source: str, verdict: Verdict) -> None:
    assert access().look(message(community), source) is verdict


def test_version_1_is_refused() -> None:
    """It has no 64-bit counters."""
    assert access().look(message(b"public", version=0), "127.0.0.1") is Verdict.BAD_VERSION


def test_a_user_needs_authentication_and_privacy() -> None:
    rights = access()
    assert rights.may_read(Principal(MODEL_USM, "monitor", AUTH_PRIV))
    assert not rights.may_read(Principal(MODEL_USM, "monitor", NO_AUTH_NO_PRIV))
    assert not rights.may_read(Principal(MODEL_USM, "public", AUTH_PRIV))


def test_only_read_write_may_write() -> None:
    rights = access()
    assert rights.may_write(Principal(MODEL_V2C, "secret", NO_AUTH_NO_PRIV))
    assert not rights.may_write(Principal(MODEL_V2C, "public", NO_AUTH_NO_PRIV))
    assert not rights.may_write(Principal(MODEL_USM, "monitor", AUTH_PRIV))


@given(st.binary(max_size=64))
def test_no_octets_raise_anything_else(octets: bytes) -> None:
    try:
        version_and_community(octets)
    except MalformedDatagram:
        return


@given(st.binary(max_size=8), st.integers(0, 40))
def test_a_message_cut_short_is_malformed(community: bytes, length: int) -> None:
    whole = message(community)
    if length < len(whole):
        assert access().look(whole[:length], "127.0.0.1") is Verdict.MALFORMED
