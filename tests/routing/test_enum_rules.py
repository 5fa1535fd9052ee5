"""ENUM: domains of numbers, and what NAPTR records make of them (RFC 6116, RFC 3402, RFC 3403)."""

from __future__ import annotations

import pytest

from appliance.catalogue.limit_settings import LimitSettings
from appliance.catalogue.settings import Settings
from appliance.routing.enum_cache import EnumCache
from appliance.routing.enum_rules import enum_domain, is_simple, uris_of
from appliance.routing.kept_answers import TTL_MIN_S
from appliance.routing.lookup_questions import EnumAnswer, FindEnum

NUMBER = b"+442079460148"


def _uris(*records: str) -> list[bytes]:
    return [uri.text for uri in uris_of(NUMBER, [record.replace("|", "\t") for record in records])]


def test_the_domain_is_that_of_rfc_6116() -> None:
    assert enum_domain(NUMBER, b"e164.arpa") == b"8.4.1.0.6.4.9.7.0.2.4.4.e164.arpa"
    for other in (b"4711", b"+", b"+44*", b"+1234567890123456"):
        assert enum_domain(other, b"e164.arpa") == b""


@pytest.mark.parametrize(
    ("record", "uri"),
    [
        ("100|10|u|E2U+sip|!^.*$!sip:info@example.com!", b"sip:info@example.com"),
        ("100|10|U|e2u+SIP|!^.*$!sips:info@example.com!i", b"sips:info@example.com"),
        ("100|10|u|E2U+pstn:sip+sip|/^\\+44(.*)$/sip:0\\1@gw.example/", b"sip:02079460148@gw.example"),
        ("100|10|u|sip+E2U|!^(\\+44)([0-9]*)$!sip:\\2@gw.example!", b"sip:2079460148@gw.example"),
        ("100|10|u|E2U+sip|!^\\+44!sip:\\0@gw.example!", b"sip:+44@gw.example"),
    ],
)
def test_a_record_makes_a_uri(record: str, uri: bytes) -> None:
    assert _uris(record) == [uri]


@pytest.mark.parametrize(
    "record",
    [
        "",
        "100|10|u|E2U+sip",
        "x|10|u|E2U+sip|!^.*$!sip:a@b!",
        "100|10||E2U+sip|!^.*$!sip:a@b!",
        "100|10|u|E2U+email:mailto|!^.*$!mailto:a@b!",
        "100|10|u|E2U+sip|!^.*$!tel:+1!",
        "100|10|u|E2U+sip|!^.*$!sip:a b!",
        "100|10|u|E2U+sip|!^\\+1(.*)$!sip:\\1@b!",
        "100|10|u|E2U+sip|!^.*$!sip:a@b",
        "100|10|u|E2U+sip|!!!",
        "100|10|u|E2U+sip|!^(.*)*$!sip:a@b!",
        "100|10|u|E2U+sip|!^.*$!sip:\\1@b!",
        "100|10|u|E2U+sip|!^[9-0]$!sip:a@b!",
        "100|10|u|E2U+sip|!^[+-*]$!sip:a@b!",
        "100|10|u|E2U+sip|!^.*$!sip:\ud800@b!",
        "100|10|u|E2U+sip|!^.*$!sip:\u00fc@b!",
        "\u00b2|10|u|E2U+sip|!^.*$!sip:a@b!",
    ],
)
def test_a_record_that_cannot_be_used_is_passed_over(record: str) -> None:
    assert _uris(record) == []


def test_the_lowest_order_counts_by_preference() -> None:
    one, other = "!^.*$!sip:one@x.example!", "!^.*$!sip:other@x.example!"
    assert _uris(f"20|1|u|E2U+sip|{one}", f"10|9|u|E2U+sip|{other}", f"10|2|u|E2U+sip|{one}") == [
        b"sip:one@x.example",
        b"sip:other@x.example",
    ]


@pytest.mark.parametrize(
    "expression", ["(a+)+", "(.*)*", "a*b*c*d*", "(?:a)", "a{1,9}", "(a|b)", "[a-z]*", "((.)*)", "^^"]
)
def test_an_expression_that_may_take_long_is_not_tried(expression: str) -> None:
    """RFC 6116 6: records are data of others."""
    assert not is_simple(expression)


def test_answers_are_kept_for_their_time_and_bounded() -> None:
    cache = EnumCache(Settings(limits=LimitSettings(hosts_cached_max=2)))
    for name in (b"a", b"b", b"c"):
        cache.keep(FindEnum(name), EnumAnswer(1, (name.decode(),), False, 0.0), 100.0)
    assert len(cache) == 2
    assert cache.find(b"a", 100.0) is None
    assert cache.find(b"c", 100.0) == ("c",)
    assert cache.find(b"c", 100.0 + TTL_MIN_S) is None
