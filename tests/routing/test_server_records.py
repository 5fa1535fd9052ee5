"""NAPTR and SRV records as DNS has them, and what is left out (RFC 3263 4.1, RFC 2782)."""

from __future__ import annotations

import pytest

from appliance.routing.server_records import (
    NOWHERE,
    RECORDS_MAX,
    NaptrRecord,
    SrvRecord,
    is_domain_name,
    parse_naptr,
    parse_srv,
    srv_name,
)
from appliance.transport.flow import TCP, TLS, UDP


def naptr(order: int, service: str, name: str, flags: str = "s", regexp: str = "") -> str:
    return "\t".join((str(order), "50", flags, service, regexp, name))


def test_servers_come_by_priority_with_their_names_in_one_spelling() -> None:
    assert parse_srv(["20 0 5060 b.example.com.", "10 60 5070 A.Example.COM."]) == (
        SrvRecord(10, 60, 5070, b"a.example.com"),
        SrvRecord(20, 0, 5060, b"b.example.com"),
    )


def test_the_order_in_which_a_name_server_turns_its_records_is_of_no_account() -> None:
    """RFC 3263 4.4: the same order for each retransmission."""
    texts = ["1 1 5060 a.example.com.", "1 1 5060 b.example.com.", "1 1 5061 a.example.com."]
    assert parse_srv(texts) == parse_srv(reversed(texts))


def test_no_service_at_all() -> None:
    """RFC 2782: a target of "."."""
    assert parse_srv(["0 0 0 ."]) == (SrvRecord(0, 0, 0, NOWHERE),)


@pytest.mark.parametrize(
    "text",
    [
        "", "1 1 5060", "1 1 5060 a.example.com. more", "-1 1 5060 a.example.com.", "70000 1 5060 a.example.com.",
        "1 1 0 a.example.com.", "1 1 65536 a.example.com.", "1 1 5060 a..example.com.", "1 1 5060 a b.example.com.",
        "1 1 5060 a\\032b.example.com.", "1 1 5060 <script>.example.com.", f"1 1 5060 {'a' * 64}.example.com.",
        "1 1 5060 " + "a.b.c.d." * 40, "1 1 5060 -a.example.com.", "1 1 5060 b\u00fccher.example.",
        "1 1 \u0661 a.example.",
        "1 1 5060 192.0.2.1;maddr=x.",
    ],
)  # fmt: skip
def test_what_is_no_server_is_left_out(text: str) -> None:
    assert parse_srv([text, "5 5 5060 good.example.com."]) == (SrvRecord(5, 5, 5060, b"good.example.com"),)


def test_of_hundreds_of_records_the_first_count() -> None:
    texts = [f"{priority} 1 5060 host{priority}.example.com." for priority in reversed(range(700))]
    assert [record.priority for record in parse_srv(texts)] == list(range(RECORDS_MAX))
    assert len(parse_naptr([naptr(order, "SIP+D2U", "a.example.com.") for order in range(700)])) == RECORDS_MAX


def test_the_example_of_the_rfc() -> None:
    """RFC 3263 4.1."""
    texts = [
        naptr(100, "SIP+D2U", "_sip._udp.example.com."),
        naptr(50, "SIPS+D2T", "_sips._tcp.example.com."),
        naptr(90, "sip+d2t", "_sip._tcp.example.com."),
    ]
    assert parse_naptr(texts) == (
        NaptrRecord(50, 50, TLS, b"_sips._tcp.example.com"),
        NaptrRecord(90, 50, TCP, b"_sip._tcp.example.com"),
        NaptrRecord(100, 50, UDP, b"_sip._udp.example.com"),
    )


@pytest.mark.parametrize(
    "text",
    [
        naptr(1, "SIP+D2S", "_sip._sctp.example.com."),
        naptr(1, "E2U+sip", "_sip._udp.example.com."),
        naptr(1, "SIP+D2U", "_sip._udp.example.com.", flags="u"),
        naptr(1, "SIP+D2U", "_sip._udp.example.com.", flags=""),
        naptr(1, "SIP+D2U", "_sip._udp.example.com.", regexp="!^.*$!sip:a@b!"),
        naptr(1, "SIP+D2U", "."),
        naptr(99999, "SIP+D2U", "_sip._udp.example.com."),
        "1 2 s SIP+D2U",
    ],
)
def test_services_of_other_kinds_are_left_out(text: str) -> None:
    assert parse_naptr([text]) == ()


@pytest.mark.parametrize(
    ("transport", "domain", "name"),
    [
        (UDP, b"example.com", b"_sip._udp.example.com"),
        (TCP, b"example.com", b"_sip._tcp.example.com"),
        (TLS, b"example.com", b"_sips._tcp.example.com"),
        (UDP, b"a." * 120 + b"example.com", b""),
        (UDP, b"exa mple.com", b""),
    ],
)
def test_the_name_of_a_service(transport: int, domain: bytes, name: bytes) -> None:
    assert srv_name(transport, domain) == name


def test_names_that_dns_can_have() -> None:
    assert is_domain_name(b"a" * 63 + b".example")
    assert not any(is_domain_name(name) for name in (b"", b".", b"a.", b".a", b"a" * 64, b"\xff", b"a\0b", b"a.b\n"))
