"""Called numbers and their normal form (RFC 3966, RFC 3261 19.1.6, RFC 4694)."""

from __future__ import annotations

import pytest

from appliance.catalogue.routing_settings import RoutePolicySettings
from appliance.routing.called_number import called_number
from appliance.routing.dial_plan import DialPlan
from appliance.routing.route_entry import RouteEntry
from appliance.sip.uri import parse_uri

BERLIN = RoutePolicySettings(
    international_prefix="00",
    national_prefix="0",
    country_code="49",
    area_code="30",
    local_length=6,
    emergency=("110", "112"),
    contexts=("+49", "pbx.example.com"),
)
NEW_JERSEY = RoutePolicySettings(
    international_prefix="011", national_prefix="1", country_code="1", national_length=10, emergency=("911",)
)


def _forms(uri: str, settings: RoutePolicySettings) -> tuple[bytes, bytes]:
    number = called_number(parse_uri(uri.encode()))
    assert number is not None
    plan = DialPlan(settings)
    return plan.normal_form(number), plan.routing_form(number)


@pytest.mark.parametrize(
    ("uri", "normal"),
    [
        ("sip:+1-973-555-1212@example.com;user=phone", b"+19735551212"),
        ("sip:%2B19735551212@example.com", b"+19735551212"),
        ("tel:+1-973-(555).1212", b"+19735551212"),
        ("sips:0044201234567@example.com", b"+44201234567"),
        ("sip:089123456@example.com", b"+4989123456"),
        ("sip:123456@example.com", b"+4930123456"),
        ("sip:4711@example.com", b"4711"),
        ("sip:110@example.com", b"110"),
        ("sip:*21#@example.com", b"*21#"),
        # RFC 3966 5.1.5: a context is no prefix; and one that is not understood makes a number of no use.
        ("tel:4711;phone-context=pbx.example.com", b"4711"),
        ("tel:089123456;phone-context=+4-9", b"+4989123456"),
        ("sip:4711;phone-context=+33@example.com;user=phone", b""),
        ("sip:00@example.com", b"00"),
    ],
)
def test_normal_form_in_berlin(uri: str, normal: bytes) -> None:
    assert _forms(uri, BERLIN)[0] == normal


@pytest.mark.parametrize(
    ("dialled", "normal"),
    [("911", b"911"), ("9735551212", b"+19735551212"), ("19735551212", b"+19735551212"), ("01149301", b"+49301")],
)
def test_normal_form_in_new_jersey(dialled: str, normal: bytes) -> None:
    assert _forms(f"sip:{dialled}@example.com", NEW_JERSEY)[0] == normal


@pytest.mark.parametrize(
    ("parameters", "routing"),
    [
        (";npdi;rn=+1-404-555-0000", b"+14045550000"),
        (";npdi", b"+12025331234"),
        (";rn=0815;rn-context=+49", b"0815"),
        # RFC 4694 4: a local routing number needs a context that is understood.
        (";rn=0815;rn-context=+33", b""),
        (";rn=0815", b""),
        (";rn=+1404D", b""),
    ],
)
def test_ported_number_goes_by_its_routing_number(parameters: str, routing: bytes) -> None:
    assert _forms(f"tel:+1-202-533-1234{parameters}", BERLIN) == (b"+12025331234", routing)
    assert _forms(f"sip:+1-202-533-1234{parameters}@example.com;user=phone", BERLIN) == (b"+12025331234", routing)


def test_other_parameters_are_kept() -> None:
    number = called_number(parse_uri(b"tel:4711;phone-context=pbx.example.com;ext=12;npdi"))
    assert number is not None
    assert number.parameters == b";ext=12;npdi"


def test_escapes_are_undone_for_reading_only() -> None:
    """RFC 3261 19.1.2, 25.1: what is escaped in a parameter remains so, and ends no parameter."""
    number = called_number(parse_uri(b"sip:%2B49;phone-context=%2B4%39;x=%20SIP%2F2.0%0D%0AA%3A;y=%3Brn=1@example.com"))
    assert number is not None
    assert (number.digits, number.context, number.routing) == (b"+49", b"+49", b"")
    assert number.parameters == b";x=%20SIP%2F2.0%0D%0AA%3A;y=%3Brn=1"
    ported = called_number(parse_uri(b"sip:+1202;%72n=%2B1-404@example.com"))
    assert ported is not None
    assert ported.routing == b"+1404"


@pytest.mark.parametrize("parameters", ["x=%0D%0AA%3A1", "x=%00", "x=%40evil.example", "x=%3E", "x=%25", "x=%20"])
def test_the_uri_for_a_next_hop_has_nothing_that_must_be_escaped(parameters: str) -> None:
    """RFC 3261 25.1 user."""
    number = called_number(parse_uri(f"sip:+4989;{parameters}@example.com".encode()))
    assert number is not None
    uri = RouteEntry("sip:gw.example").uri_for(number.digits, number.parameters)
    assert uri.text == f"sip:+4989;{parameters}@gw.example;user=phone".encode()


def test_what_a_user_part_may_not_have_is_escaped() -> None:
    """RFC 3261 19.1.6: a tel URI may have octets that a user part may not."""
    number = called_number(parse_uri(b"tel:*21#;x=a:b@[c]"))
    assert number is not None
    uri = RouteEntry("sip:gw.example").uri_for(number.digits, number.parameters)
    assert uri.text == b"sip:*21%23;x=a%3Ab%40%5Bc%5D@gw.example;user=phone"


@pytest.mark.parametrize(
    "uri",
    [
        "sip:+49%3Brn=+1@example.com",
        "sip:+49%0D%0A@example.com",
        "sip:+49;%6d-billing=x@example.com",
        "sip:alice@example.com",
        "sip:example.com",
        "sip:+@example.com",
        "sip:12+3@example.com",
        "sip:1%0023@example.com",
        # RFC 3966 5.4
        "tel:+19735551212;m-billing=x",
        "sip:" + 33 * "1" + "@example.com",
        "mailto:1@example.com",
    ],
)
def test_no_number(uri: str) -> None:
    assert called_number(parse_uri(uri.encode())) is None
