"""Structured header values: Via, name-addr, Contact, CSeq, credentials (RFC 3261 20, 25.1)."""

from __future__ import annotations

import pytest

from appliance.sip.errors import MalformedMessage
from appliance.sip.headers import (
    STAR,
    parse_auth,
    parse_contact,
    parse_delta_seconds,
    parse_name_addr,
    parse_q,
)
from appliance.sip.via import new_via, parse_via


def test_every_part_of_a_via() -> None:
    via = parse_via(
        b"SIP/2.0/udp Dock.Example:5070;branch=z9hG4bKa;Received=192.0.2.9;rport=4040;maddr=224.2.0.1;ttl=16;x"
    )
    assert (via.transport, via.host, via.port, via.branch) == (b"UDP", b"dock.example", 5070, b"z9hG4bKa")
    assert (via.received, via.rport, via.maddr, via.ttl) == (b"192.0.2.9", 4040, b"224.2.0.1", 16)


def test_a_via_with_the_least() -> None:
    via = parse_via(b"SIP/2.0/TCP dock.example")
    assert (via.port, via.branch, via.received, via.rport, via.maddr, via.ttl) == (0, b"", b"", -1, b"", -1)


def test_rport_without_value_asks_for_it() -> None:
    """RFC 3581 3."""
    assert parse_via(b"SIP/2.0/UDP dock.example;rport").rport == 0


@pytest.mark.parametrize(
    ("value", "sent_by"),
    [
        (b"SIP/2.0/UDP Dock.Example", b"dock.example:5060"),
        (b"SIP/2.0/TLS dock.example", b"dock.example:5061"),
        (b"SIP/2.0/WSS dock.example", b"dock.example:443"),
        (b"SIP/2.0/UDP [2001:DB8::1]", b"[2001:db8::1]:5060"),
        (b"SIP/2.0/UDP [2001:db8::1]:5062;branch=x", b"[2001:db8::1]:5062"),
        (b"SIP / 2.0 / UDP  dock.example : 5070 ; branch = x", b"dock.example:5070"),
        (b"SIP/2.0/UDP\r\n dock.example\r\n ;branch=x", b"dock.example:5060"),
    ],
)
def test_sent_by_in_normal_form(value: bytes, sent_by: bytes) -> None:
    assert parse_via(value).sent_by == sent_by


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"SIP",
        b"SIP/2.0",
        b"SIP/2.0/",
        b"SIP/2.0/UDP",
        b"SIP/2.0/UDP ",
        b"SIP//UDP a",
        b"/2.0/UDP a",
        b"SIP/2.0/UDP;branch=x",
        b"SIP/2.0/UDP a;",
        b"SIP/2.0/UDP a;;branch=x",
        b"SIP/2.0/UDP a b",
        b"SIP/2.0/UDP a:b",
        b"SIP/2.0/UDP a:70000",
        b"SIP/2.0/UDP 2001:db8::1",
        b"SIP/2.0/UDP a;branch=x;branch=y",
        b"SIP/2.0/UDP a;rport=x",
        b"SIP/2.0/UDP a;rport=70000",
        b"SIP/2.0/UDP a;ttl=256",
        b'SIP/2.0/UDP a;x="y',
        b"SIP/2.0/UDP a;x=",
    ],
)
def test_malformed_vias(value: bytes) -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse_via(value)
    assert caught.value.status == 400
    assert caught.value.reason.endswith("Via")


def test_via_of_ours() -> None:
    via = new_via(b"UDP", b"[2001:db8::1]:5060", b"z9hG4bKx", rport=True)
    assert via.text == b"SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bKx;rport"
    parsed = parse_via(via.text)
    for name in ("branch", "host", "maddr", "port", "received", "rport", "sent_by", "text", "transport", "ttl"):
        assert getattr(via, name) == getattr(parsed, name), name


@pytest.mark.parametrize(
    ("value", "display", "uri", "parameters"),
    [
        (b"<sip:a@b>", b"", b"sip:a@b", {}),
        (b"sip:a@b;tag=1", b"", b"sip:a@b", {b"tag": b"1"}),
        (b"sip:a@b ; tag = 1", b"", b"sip:a@b", {b"tag": b"1"}),
        (b"Mara <sip:a@b;lr>;tag=1;X", b"Mara", b"sip:a@b;lr", {b"tag": b"1", b"x": None}),
        (b"Mara<sip:a@b>", b"Mara", b"sip:a@b", {}),
        (b"Mara\tof  the dock <sip:a@b>", b"Mara\tof  the dock", b"sip:a@b", {}),
        (b"J\xc3\xb6rg <sip:a@b>", b"J\xc3\xb6rg", b"sip:a@b", {}),
        (b'"a, \\"b\\" <c>" <sip:a@b>', b'"a, \\"b\\" <c>"', b"sip:a@b", {}),
        (b'""<sip:a@b>', b'""', b"sip:a@b", {}),
        (b'<sip:a@b>;x="q;\\"z"', b"", b"sip:a@b", {b"x": b'"q;\\"z"'}),
        (b"<sip:a@b>;x=[2001:db8::1]", b"", b"sip:a@b", {b"x": b"[2001:db8::1]"}),
        (b"<tel:+49-40>;tag=1", b"", b"tel:+49-40", {b"tag": b"1"}),
    ],
)
def test_name_addrs(value: bytes, display: bytes, uri: bytes, parameters: dict[bytes, bytes | None]) -> None:
    address = parse_name_addr(value, "To")
    assert (address.display, address.uri.text, address.parameters) == (display, uri, parameters)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "URI Without Scheme in To"),
        (b"<>", "URI Without Scheme in To"),
        (b'"Mara <sip:a@b>', "Unbalanced Quotes in To"),
        (b'Mara" <sip:a@b>', "Unbalanced Quotes in To"),
        (b'"Mara\\" <sip:a@b>', "Unbalanced Quotes in To"),
        (b'"Mara" sip:a@b', "Display Name Without Angle Brackets in To"),
        (b"Quay, Mara <sip:a@b>", "Unquoted Comma in Display Name of To"),
        (b"Quay: Mara <sip:a@b>", "Malformed Display Name in To"),
        (b"<sip:a@b", "Unbalanced Angle Brackets in To"),
        (b"< sip:a@b >", "Whitespace in URI in To"),
        (b"<sip:a@b> tag=1", "Malformed Parameter in To"),
        (b"<sip:a@b>;;tag=1", "Empty Parameter in To"),
        (b"<sip:a@b>;tag=", "Malformed Parameter in To"),
        (b"<sip:a@b>;tag=1;TAG=2", "Repeated Parameter in To"),
        (b"sip:a@b?x=y", "URI Needs Angle Brackets in To"),
        (b"sip:a,c@b", "URI Needs Angle Brackets in To"),
        (b'<sip:a@b>;x="y', "Unbalanced Quotes in To"),
    ],
)
def test_malformed_name_addrs(value: bytes, reason: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse_name_addr(value, "To")
    assert caught.value.reason == reason


def test_contacts() -> None:
    contact = parse_contact(b'"Mara" <sip:m@192.0.2.1>;q=0.75;expires=120;+sip.instance="<urn:uuid:1>"')
    assert (contact.q, contact.expires, contact.is_star) == (750, 120, False)
    assert contact.parameters[b"+sip.instance"] == b'"<urn:uuid:1>"'
    plain = parse_contact(b"sip:m@192.0.2.1")
    assert (plain.q, plain.expires) == (1000, None)
    assert parse_contact(b"*") is STAR
    assert STAR.is_star


@pytest.mark.parametrize(
    ("text", "seconds"), [(b"0", 0), (b"7", 7), (b"x", 3600), (b"-1", 3600), (b"99999999999999", 2**32 - 1)]
)
def test_expires_of_a_contact(text: bytes, seconds: int) -> None:
    """RFC 3261 20.10: what is malformed counts as 3600."""
    assert parse_contact(b"<sip:m@192.0.2.1>;expires=" + text).expires == seconds


@pytest.mark.parametrize(
    ("text", "q"),
    [
        (b"0", 0),
        (b"1", 1000),
        (b"0.", 0),
        (b"0.5", 500),
        (b"0.123", 123),
        (b"1.000", 1000),
        (b".5", 500),
        (b"0.1239", 123),
    ],
)
def test_q_in_thousandths(text: bytes, q: int) -> None:
    assert parse_q(text) == q


@pytest.mark.parametrize("text", [b"", b".", b"2", b"1.1", b"-1", b"0.x", b"0,5", b"10"])
def test_malformed_q(text: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse_q(text)


def test_delta_seconds() -> None:
    assert parse_delta_seconds(b"3600") == 3600
    assert parse_delta_seconds(b"9" * 5000) == 2**32 - 1
    assert parse_delta_seconds(b"soon") is None


def test_credentials_of_digest() -> None:
    scheme, parameters = parse_auth(b'Digest  username="a\\"b", realm = "dock" ,nc=00000001,URI="sip:x,y"')
    assert scheme == b"digest"
    assert parameters == {b"username": b'a"b', b"realm": b"dock", b"nc": b"00000001", b"uri": b"sip:x,y"}


@pytest.mark.parametrize("value", [b"Digest username", b'Digest username="a', b"Digest a=1, a=2", b'Digest a="x"y'])
def test_malformed_credentials_of_digest(value: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse_auth(value)


@pytest.mark.parametrize("value", [b"Basic bWFyYTpkb2Nr", b'Strange "', b"Strange", b""])
def test_other_schemes_may_carry_anything(value: bytes) -> None:
    scheme, parameters = parse_auth(value)
    assert scheme == value.split(b" ")[0].lower()
    assert isinstance(parameters, dict)


@pytest.mark.parametrize("space", [b" ", b"\t", b" \t ", b"\r\n "])
def test_any_linear_white_space_ends_the_scheme_of_credentials(space: bytes) -> None:
    """RFC 3261 25.1: credentials = "Digest" LWS digest-response."""
    assert parse_auth(b"Digest" + space + b'username="bob"') == (b"digest", {b"username": b"bob"})
