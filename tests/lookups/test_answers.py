"""Answers of lookup servers as octets: what they say, and that servers that lie say nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from appliance.lookups.http_lookup import results_in
from appliance.lookups.lookup_client import AnswerUnusable, ServerFailed
from appliance.lookups.whois_lookup import values_in


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"targets": []}, []),
        ({"targets": ["sip:a", {"uri": "sip:c", "q": 0.3}, {"uri": "sip:b", "q": 0.5}]}, ["sip:a", "sip:b", "sip:c"]),
        ({"targets": ["sip:a@b"], "redirect": True}, ["redirect sip:a@b"]),
        ({"reject": {"status": 403, "reason": "No"}}, ["reject 403 No"]),
        ({"reject": {"status": 404}}, ["reject 404"]),
        ({"registrar": True}, ["registrar"]),
        ({"table": "east"}, ["table east"]),
    ],
)
def test_json_says_where_a_number_is(answer: Any, found: list[str]) -> None:
    assert results_in(json.dumps(answer).encode()) == found


NO_ANSWERS = (
    *(b"", b"null", b"[]", b'"sip:a@b"', b"{}", b'{"targets": "sip:a@b"}', b'{"targets": [1]}', b'{"targets": [null]}'),
    *(b'{"targets": [{"uri": 1}]}', b'{"targets": [{"uri": "sip:a", "q": "1"}]}', b'{"targets": [NaN]}'),
    *(b'{"targets": [{"uri": "sip:a", "q": 7}]}', b'{"targets": [{"uri": "sip:a", "q": true}]}', b"[" * 60000),
    *(b'{"reject": 403}', b'{"reject": {"status": "403"}}', b'{"reject": {"status": true}}', b'{"table": 1}', b"\xff"),
)


@pytest.mark.parametrize("body", NO_ANSWERS)
def test_json_of_wrong_types_says_nothing(body: bytes) -> None:
    with pytest.raises(AnswerUnusable):
        results_in(body)


FOUND = [
    "% 220-LOCAL WHOIS++ server ready",
    "% 200 Command okay",
    "# FULL USER EXAMPLE.COM ALICE",
    " name: Alice",
    " SIP: sip:alice@",
    "+example.com",
    " phone: +4930123",
    "# END",
    "# FULL USER EXAMPLE.COM DESK",
    " sip: sip:desk@example.com",
    "# END",
    "% 226 Transaction complete",
]


def test_rfc1835_values_of_the_attributes_of_all_records() -> None:
    assert values_in(FOUND, ("sip",)) == ["sip:alice@example.com", "sip:desk@example.com"]
    assert values_in(FOUND[:2] + FOUND[-1:], ("sip",)) == []


def test_rfc1835_a_transaction_that_is_not_complete_says_nothing() -> None:
    with pytest.raises(AnswerUnusable, match="not complete"):
        values_in([*FOUND[:-1], "% 203 Bye, bye"], ("sip",))


def test_rfc1835_failures_are_told_apart() -> None:
    with pytest.raises(ServerFailed, match="401"):
        values_in([FOUND[0], "% 401 Service not available"], ("sip",))
    with pytest.raises(AnswerUnusable, match="500"):
        values_in([FOUND[0], "% 500 Syntax error"], ("sip",))
