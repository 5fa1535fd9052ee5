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
from appliance.management.snmp.message_header import MalformedDatagram, header_of

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


def test_without_users_no_sender_gets_even_a_report() -> None:
    """RFC 3414 4: it is longer than the request that asks for it, and any stranger may ask."""
    asking = message_v3(GET, flags=4)
    assert access().look(asking, "192.0.2.1") is Verdict.ADMITTED
    assert Access(SnmpSettings(communities=("public",))).look(asking, "127.0.0.1") is Verdict.UNEXPECTED


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


GET, RESPONSE, INFORM, REPORT = b"\xa0\x00", b"\xa2\x00", b"\xa6\x00", b"\xa8\x00"


def message_v3(pdu: bytes, flags: int = 0) -> bytes:
    """In clear text, or encrypted without a PDU."""
    scoped = bytes([0x30, 4 + len(pdu), 4, 0, 4, 0]) + pdu if pdu else bytes([4, 1, 9])
    inside = bytes([2, 1, 3, 0x30, 14, 2, 1, 1, 2, 3, 0, 255, 255, 4, 1, flags, 2, 1, 3, 4, 0]) + scoped
    return bytes([0x30, len(inside)]) + inside


def informing() -> Access:
    targets = (
        "noc 192.0.2.9 port 1162 community public inform",
        "six 2001:db8::9 user monitor inform",
        "old 192.0.2.8 community public",
    )
    return Access(SnmpSettings(users=(f"monitor sha256 key {KEY} {KEY}",), targets=targets))


@pytest.mark.parametrize(
    ("source", "port", "verdict"),
    [
        ("192.0.2.9", 1162, Verdict.ADMITTED),
        ("2001:db8::9", 162, Verdict.ADMITTED),
        ("192.0.2.9", 1163, Verdict.UNEXPECTED),
        ("192.0.2.7", 1162, Verdict.UNEXPECTED),
        ("192.0.2.8", 162, Verdict.UNEXPECTED),
    ],
)
def test_only_a_target_of_informs_answers_them(source: str, port: int, verdict: Verdict) -> None:
    """RFC 3416 4.2.7: a trap has no answer."""
    assert informing().look_at_answer(message(b"public", tail=RESPONSE), source, port) is verdict


@pytest.mark.parametrize(
    ("datagram", "verdict"),
    [
        (message(b"public", tail=RESPONSE), Verdict.ADMITTED),
        (message(b"public", tail=GET), Verdict.UNEXPECTED),
        (message(b"public", tail=INFORM), Verdict.UNEXPECTED),
        (message(b"public", version=0, tail=RESPONSE), Verdict.BAD_VERSION),
        (message_v3(REPORT), Verdict.ADMITTED),
        (message_v3(RESPONSE), Verdict.ADMITTED),
        (message_v3(GET), Verdict.UNEXPECTED),
        (message_v3(b"", flags=3), Verdict.ADMITTED),
        (message_v3(b"", flags=7), Verdict.UNEXPECTED),
        (message_v3(REPORT)[:-3], Verdict.MALFORMED),
    ],
)
def test_a_target_may_send_only_responses_and_reports(datagram: bytes, verdict: Verdict) -> None:
    """RFC 3412 6.4: neither is reportable, also where it is encrypted."""
    assert informing().look_at_answer(datagram, "192.0.2.9", 1162) is verdict


@pytest.mark.parametrize("pdu", [RESPONSE, REPORT])
def test_an_answer_is_not_taken_where_requests_are(pdu: bytes) -> None:
    assert access().look(message(b"public", tail=pdu), "127.0.0.1") is Verdict.UNEXPECTED
    assert access().look(message_v3(pdu), "192.0.2.1") is Verdict.UNEXPECTED


@pytest.mark.parametrize("datagram", [message_v3(GET, flags=4), message_v3(b"", flags=7)])
def test_a_request_of_version_3_goes_to_the_engine(datagram: bytes) -> None:
    assert access().look(datagram, "192.0.2.1") is Verdict.ADMITTED


def element(tag: int, content: bytes) -> bytes:
    return bytes([tag, 0x82]) + len(content).to_bytes(2, "big") + content


def long_v3(pdu: bytes = GET, head: bytes = b"", security: bytes = b"", tail: bytes = b"") -> bytes:
    """With much in one place."""
    numbers = bytes([2, 1, 1, 2, 3, 0, 255, 255, 4, 1, 4, 2, 1, 3]) + head
    scoped = element(0x30, bytes([4, 0, 4, 0]) + pdu) if pdu else bytes([4, 1, 9])
    return element(0x30, bytes([2, 1, 3]) + element(0x30, numbers) + element(4, security) + scoped + tail)


MANY = 5000 * b"\x04\x00"


@pytest.mark.parametrize(
    "datagram",
    [long_v3(MANY), long_v3(head=MANY), long_v3(security=MANY), long_v3(b"", tail=MANY)],
    ids=["request", "global data", "security parameters", "after its end"],
)
def test_what_a_stranger_could_have_decoded_is_short(datagram: bytes) -> None:
    """RFC 3414 3.2: the engine reads all of a message before it knows who has sent it."""
    assert access().look(long_v3(), "192.0.2.1") is Verdict.ADMITTED
    assert access().look(datagram, "192.0.2.1") is Verdict.MALFORMED


def test_an_encrypted_request_may_be_long() -> None:
    assert access().look(element(0x30, long_v3(b"")[4:-3] + element(4, bytes(5000))), "192.0.2.1") is Verdict.ADMITTED


@given(st.binary(max_size=64))
def test_no_octets_raise_anything_else(octets: bytes) -> None:
    try:
        header_of(octets)
    except MalformedDatagram:
        return


@given(st.binary(max_size=8), st.integers(0, 40))
def test_a_message_cut_short_is_malformed(community: bytes, length: int) -> None:
    whole = message(community)
    if length < len(whole):
        assert access().look(whole[:length], "127.0.0.1") is Verdict.MALFORMED
