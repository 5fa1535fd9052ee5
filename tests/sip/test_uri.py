"""URIs: parsing, comparison by RFC 3261 19.1.4, addresses-of-record by 10.3 step 5, tel by RFC 3966."""

from __future__ import annotations

import pytest

from appliance.sip.errors import MalformedMessage
from appliance.sip.uri import Uri, canonical_aor, canonical_user, escaped_user, parse_uri
from appliance.sip.via import parse_via

# RFC 3261 19.1.4, "The URIs within each of the following sets are equivalent".
EQUIVALENT = [
    (b"sip:%61lice@atlanta.com;transport=TCP", b"sip:alice@AtLanTa.CoM;Transport=tcp"),
    (b"sip:carol@chicago.com", b"sip:carol@chicago.com;newparam=5"),
    (b"sip:carol@chicago.com", b"sip:carol@chicago.com;security=on"),
    (b"sip:carol@chicago.com", b"sip:carol@chicago.com;security=off"),
    (
        b"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
        b"sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
    ),
    (
        b"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
        b"sip:alice@atlanta.com?priority=urgent&subject=project%20x",
    ),
    (b"sip:a@[2001:DB8::1]:5060", b"SIP:a@[2001:db8::1]:5060"),
]
# The same section, "are not equivalent", and what its rules say besides.
DIFFERENT = [
    (b"SIP:ALICE@AtLanTa.CoM;Transport=udp", b"sip:alice@AtLanTa.CoM;Transport=UDP"),
    (b"sip:bob@biloxi.com", b"sip:bob@biloxi.com:5060"),
    (b"sip:bob@biloxi.com", b"sip:bob@biloxi.com;transport=udp"),
    (b"sip:bob@biloxi.com", b"sip:bob@biloxi.com:6000;transport=tcp"),
    (b"sip:carol@chicago.com", b"sip:carol@chicago.com?Subject=next%20meeting"),
    (b"sip:bob@phone21.boxesbybob.com", b"sip:bob@192.0.2.4"),
    (b"sip:carol@chicago.com;security=on", b"sip:carol@chicago.com;security=off"),
    (b"sip:carol@chicago.com", b"sips:carol@chicago.com"),
    (b"sip:carol@chicago.com", b"sip:chicago.com"),
    (b"sip:carol:x@chicago.com", b"sip:carol@chicago.com"),
    (b"sip:carol@chicago.com", b"sip:carol@chicago.com;user=phone"),
    (b"sip:carol@chicago.com", b"sip:carol@chicago.com;maddr=192.0.2.9"),
    (b"sip:carol@chicago.com", b"sip:carol@chicago.com;ttl=15"),
    # RFC 2396: ";" is reserved, so it is not the same as its escape.
    (b"sip:a;b@chicago.com", b"sip:a%3Bb@chicago.com"),
]


@pytest.mark.parametrize(("ours", "theirs"), EQUIVALENT)
def test_equivalent_uris(ours: bytes, theirs: bytes) -> None:
    assert parse_uri(ours).equals(parse_uri(theirs))
    assert parse_uri(theirs).equals(parse_uri(ours))


@pytest.mark.parametrize(("ours", "theirs"), DIFFERENT)
def test_different_uris(ours: bytes, theirs: bytes) -> None:
    assert not parse_uri(ours).equals(parse_uri(theirs))
    assert not parse_uri(theirs).equals(parse_uri(ours))


def test_every_part_of_a_sip_uri() -> None:
    """RFC 3261 19.1.1."""
    uri = parse_uri(b"SIPS:Mara%20Q:pass@Dock.Example:5071;Transport=TCP;lr;x=%41?Subject=hi&b=c")
    assert (uri.scheme, uri.user, uri.password, uri.host, uri.port) == (
        b"sips",
        b"Mara%20Q",
        b"pass",
        b"dock.example",
        5071,
    )
    assert uri.parameters == {b"transport": b"TCP", b"lr": None, b"x": b"%41"}
    assert uri.headers == b"Subject=hi&b=c"
    assert uri.has_lr
    assert (uri.parameter(b"x"), uri.parameter(b"lr"), uri.parameter(b"none")) == (b"A", b"", None)


@pytest.mark.parametrize(
    "text",
    [
        b"sip:dock.example",
        b"sip:mara@dock.example",
        b"sip:mara@[2001:db8::7]:5070;lr",
        b"sip:a:b@dock.example;x=1;y?h=v",
        b"sip:*67#@dock.example",
        b"tel:+49-40-555;ext=7",
    ],
)
def test_write_gives_back_what_was_parsed(text: bytes) -> None:
    assert parse_uri(text).write() == text == parse_uri(text).text


def test_a_uri_from_parts() -> None:
    uri = Uri(b"sip", b"mara", b"dock.example", 5070, {b"lr": None, b"transport": b"tcp"})
    assert uri.text == b"sip:mara@dock.example:5070;lr;transport=tcp"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "URI Without Scheme"),
        (b"mara@dock.example", "URI Without Scheme"),
        (b":mara@dock.example", "URI Without Scheme"),
        (b"si_p:mara@dock.example", "Malformed URI Scheme"),
        (b"<sip:mara@dock.example>", "URI Inside Angle Brackets"),
        (b"sip:mara@dock.example ;lr", "Whitespace in URI"),
        (b'sip:ma"ra@dock.example', "Illegal Character in URI"),
        (b"sip:m\x00ra@dock.example", "Illegal Character in URI"),
        (b"sip:m\xc3\xa4ra@dock.example", "Illegal Character in URI"),
        (b"sip:m%4xra@dock.example", "Malformed Escape in URI"),
        (b"sip:mara%4", "Malformed Escape in URI"),
        (b"sip:@dock.example", "Empty User in URI"),
        (b"sip:mara@dock@example", "More Than One At Sign in URI"),
        (b"sip:", "Malformed Host"),
        (b"sip:mara@", "Malformed Host"),
        (b"sip:mara@do~ck.example", "Malformed Host"),
        (b"sip:mara@2001:db8::1", "Malformed Port"),
        (b"sip:mara@[2001:db8::1", "Malformed IPv6 Reference"),
        (b"sip:mara@[dock]", "Malformed IPv6 Reference"),
        (b"sip:mara@[]", "Malformed IPv6 Reference"),
        (b"sip:mara@[::1]x", "Malformed Port"),
        (b"sip:mara@dock.example:", "Malformed Port"),
        (b"sip:mara@dock.example:0", "Malformed Port"),
        (b"sip:mara@dock.example:65536", "Malformed Port"),
        (b"sip:mara@dock.example:999999999999999999999", "Malformed Port"),
        (b"sip:mara@dock.example;", "Empty Parameter in URI"),
        (b"sip:mara@dock.example;=x", "Empty Parameter in URI"),
        (b"sip:mara@dock.example;lr;LR", "Repeated Parameter in URI"),
        (b"tel:", "Malformed Telephone Number"),
        (b"tel:+", "Malformed Telephone Number"),
        (b"tel:+49A", "Malformed Telephone Number"),
        (b"tel:mara", "Malformed Telephone Number"),
    ],
)
def test_malformed_uris(text: bytes, reason: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse_uri(text)
    assert (caught.value.status, caught.value.reason) == (400, reason)


@pytest.mark.parametrize(
    ("text", "aor"),
    [
        (b"sip:Mara@Dock.Example:5070;transport=tcp?x=y", b"sip:Mara@dock.example"),
        (b"sips:mara:secret@dock.example", b"sip:mara@dock.example"),
        (b"sip:%6Dar%61@dock.example", b"sip:mara@dock.example"),
        (b"sip:a%00b@dock.example", b"sip:a%00b@dock.example"),
        (b"sip:a%40b%3a@dock.example", b"sip:a%40b%3A@dock.example"),
        (b"sip:a%2541@dock.example", b"sip:a%2541@dock.example"),
        (b"sip:*67#@dock.example", b"sip:*67%23@dock.example"),
        (b"sip:*67%23@dock.example", b"sip:*67%23@dock.example"),
        (b"sip:dock.example", b"sip:dock.example"),
        (b"sip:mara@[2001:DB8::1]", b"sip:mara@[2001:db8::1]"),
        (b"tel:+49-(40)555.12;ext=5", b"tel:+494055512"),
        (b"tel:555-1;phone-context=+49-40", b"tel:5551;phone-context=+4940"),
        (b"tel:555-1;phone-context=Dock.Example", b"tel:5551;phone-context=dock.example"),
        (b"bottle:post", b"bottle:post"),
    ],
)
def test_canonical_addresses_of_record(text: bytes, aor: bytes) -> None:
    """RFC 3261 10.3 step 5."""
    assert canonical_aor(parse_uri(text)) == aor


@pytest.mark.parametrize(
    ("ours", "theirs", "are_equal"),
    [
        (b"tel:+1-201-555-0123", b"tel:+12015550123", True),
        (b"tel:+1(201)555.0123", b"TEL:+1-201-5550123", True),
        (b"tel:+12015550123", b"tel:+12015550124", False),
        (b"tel:7042;phone-context=dock.example", b"tel:7042;phone-context=DOCK.example", True),
        (b"tel:7042;phone-context=dock.example", b"tel:7042;phone-context=quay.example", False),
        (b"tel:+7042", b"tel:7042", False),
        (b"tel:*6A#", b"tel:*6a#", True),
    ],
)
def test_tel_comparison(ours: bytes, theirs: bytes, are_equal: bool) -> None:
    """RFC 3966 4: visual separators and case do not count."""
    assert parse_uri(ours).equals(parse_uri(theirs)) is are_equal


def test_tel_parts() -> None:
    uri = parse_uri(b"tel:863-1234;phone-context=+1-914-555")
    assert (uri.scheme, uri.user, uri.host) == (b"tel", b"863-1234", b"")
    assert uri.parameter(b"phone-context") == b"+1-914-555"
    assert not uri.is_sip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"sip:mara@dock.example?Route=%3Csip:evil%3E", b"sip:mara@dock.example"),
        (b"sip:mara@dock.example;method=BYE;lr?a=b", b"sip:mara@dock.example;lr"),
        (b"sip:MARA@Dock.example;lr", b"sip:MARA@Dock.example;lr"),
    ],
)
def test_a_request_uri_made_from_a_contact(text: bytes, expected: bytes) -> None:
    """RFC 3261 19.1.5."""
    assert parse_uri(text).without_headers() == expected


def test_unknown_schemes_are_kept_whole() -> None:
    uri = parse_uri(b"Soap.Beep://192.0.2.1:3002/x?y")
    assert (uri.scheme, uri.user, uri.host, uri.text) == (
        b"soap.beep",
        b"//192.0.2.1:3002/x?y",
        b"",
        b"Soap.Beep://192.0.2.1:3002/x?y",
    )


@pytest.mark.parametrize("name", [b"ben", b"a b", b"a%62", b'"', b"a>\r\nX: y", "ö".encode()])
def test_a_name_as_a_user_part_stands_for_that_name_only(name: bytes) -> None:
    """RFC 3261 19.1.2: so that two names never make one address."""
    user = escaped_user(name)
    assert canonical_user(user) == user
    assert parse_uri(b"sip:" + user + b"@example.com").user == user
    assert (user == name) == (name == b"ben")


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        (b"[2001:DB8:0:0::1]", b"[2001:db8::1]"),
        (b"[2001:0db8::0001]", b"[2001:db8::1]"),
        (b"[::1::2]", b"[::1::2]"),
        (b"Example.COM.", b"example.com"),
        (b"192.0.2.1", b"192.0.2.1"),
    ],
)
def test_hosts_have_one_spelling_rfc_5954_4_2(written: bytes, compared: bytes) -> None:
    uri = parse_uri(b"sip:bob@" + written + b":5070")
    assert (uri.host, uri.port) == (compared, 5070)
    assert uri.text == b"sip:bob@" + written + b":5070"
    via = parse_via(b"SIP/2.0/UDP " + written + b":5070;branch=z9hG4bK1")
    assert (via.host, via.sent_by) == (compared, compared + b":5070")
