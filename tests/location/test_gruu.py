"""Public GRUUs are made from the address and the instance, and understood again (RFC 5627 4.1, 5.4, 6.1)."""

from __future__ import annotations

import pytest

from appliance.location.gruu import NOT_OURS, instance_from_parameter, instance_of, public_gruu
from appliance.sip.uri import parse_uri

AOR = b"sip:callee@example.com"


@pytest.mark.parametrize(
    "instance",
    [
        b"urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        b"urn:gsma:imei:90420156-025763-0",
        b'odd;one=1?"<>%\x00',
    ],
)
def test_what_is_made_is_understood(instance: bytes) -> None:
    gruu = parse_uri(public_gruu(AOR, instance))
    assert instance_of(gruu) == instance
    assert gruu.equals(parse_uri(AOR))  # RFC 5627 5.4


def test_different_instances_make_different_uris_rfc_5627_5_4() -> None:
    assert not parse_uri(public_gruu(AOR, b"urn:uuid:1")).equals(parse_uri(public_gruu(AOR, b"urn:uuid:2")))


def test_a_plain_address_names_no_instance_and_a_temporary_gruu_is_none_of_ours() -> None:
    assert instance_of(parse_uri(AOR)) == b""
    assert instance_of(parse_uri(b"sip:tgruu.7hs==jd7vnzga5w7fajsc7-ajd6fabz0f8g5@example.com;gr")) == NOT_OURS


def test_the_instance_in_a_contact_parameter() -> None:
    assert instance_from_parameter(b'"<urn:uuid:1>"') == b"urn:uuid:1"
    assert instance_from_parameter(b'"plain"') == b"plain"
