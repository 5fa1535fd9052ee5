"""Whom a certificate names (RFC 5922 7.1, 7.2)."""

from __future__ import annotations

import pytest

from appliance.security.certificate_names import identities_of, is_proved


def certificate(*names: tuple[str, str]) -> dict[str, object]:
    return {"subject": ((("commonName", "subject.example"),),), "subjectAltName": names}


@pytest.mark.parametrize(
    ("names", "domains"),
    [
        ([("DNS", "A.example"), ("DNS", "b.example.")], {"a.example", "b.example"}),
        ([("URI", "SIP:Carrier.example"), ("DNS", "a.example")], {"carrier.example"}),
        ([("URI", "sip:carrier.example:5061;lr")], {"carrier.example"}),
        ([("URI", "sip:alice@carrier.example"), ("DNS", "a.example")], {"a.example"}),
        ([("URI", "sips:carrier.example"), ("URI", "https://carrier.example")], set()),
        ([("email", "carrier.example"), ("IP Address", "192.0.2.1")], set()),
        ([("DNS", "."), ("DNS", ""), ("DNS", "a.example")], {"a.example"}),
        ([], set()),
    ],
)
def test_what_is_a_domain(names: list[tuple[str, str]], domains: set[str]) -> None:
    assert identities_of(certificate(*names)) == domains


@pytest.mark.parametrize(
    ("name", "is_so"),
    [("A.Example", True), ("b.a.example", False), ("example", False), ("x.w.example", False), ("*.w.example", True)],
)
def test_names_are_compared_whole(name: str, is_so: bool) -> None:
    assert is_proved(certificate(("DNS", "a.example"), ("DNS", "*.w.example")), name) is is_so


def test_addresses_have_entries_of_their_own() -> None:
    """RFC 5280 4.2.1.6."""
    holder = certificate(("DNS", "192.0.2.2"), ("IP Address", "192.0.2.1"), ("IP Address", "2001:DB8:0:0:0:0:0:1"))
    assert is_proved(holder, "192.0.2.1") and is_proved(holder, "2001:db8::1")
    assert not is_proved(holder, "192.0.2.2")


def test_an_entry_that_is_no_address_proves_none() -> None:
    """As Python shows an entry that has not 4 or 16 octets."""
    holder = certificate(("IP Address", "<invalid>"), ("IP Address", "192.0.2.1"))
    assert is_proved(holder, "192.0.2.1")
    assert not is_proved(holder, "192.0.2.2")
