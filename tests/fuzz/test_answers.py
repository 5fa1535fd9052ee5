"""Octets of servers, managers and other nodes: any, and some that are nearly right."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import examples
from tests.fuzz.answers_target import consume_answer

WORDS = st.sampled_from(
    [
        *("sip:a@b", "sips:", "redirect", "reject", "403", "04000", "registrar", "table", "default", "lookup", "enum"),
        *("e164.arpa", "trusted", "tel:+1", "\r\n", "\ud800", "\x1b", "%0d", "@", ";", "?", "<", ">", ","),
    ]
)
TEXT = st.lists(WORDS | st.text(max_size=5), max_size=6).map(" ".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["uri", "q", "status", "reason"]), inner, max_size=3),
    max_leaves=8,
)
ANSWERS = st.dictionaries(
    st.sampled_from(["targets", "redirect", "reject", "registrar", "table"]), JSON, max_size=3
)
NUMBERS = st.sampled_from(["0", "1", "65535", "65536", "-1", "1" * 5000, "\u0663", ""])
FIELDS = st.lists(
    NUMBERS
    | st.sampled_from(["s", "u", "SIP+D2U", "SIPS+D2T", "E2U+sip", "!^.*$!sip:a@b!", "!(.*)!sip:\\1@b!i", ".", "a.b"])
    | st.text(max_size=4),
    min_size=3,
    max_size=7,
)
WHOIS = st.lists(
    st.sampled_from(["% 226 Done", "% 500 No", "% 4", "# FULL", " sip: a", "+x", "-sip:x", "% \u0662\u0662\u0666"])
    | st.text(max_size=6),
    max_size=8,
)


@settings(max_examples=examples(300), deadline=None)
@given(st.binary(max_size=200))
def test_any_octets(data: bytes) -> None:
    consume_answer(data)


@settings(max_examples=examples(300), deadline=None)
@given(ANSWERS)
def test_answers_of_http(answer: dict[str, Any]) -> None:
    consume_answer(json.dumps(answer).encode())


@settings(max_examples=examples(300), deadline=None)
@given(TEXT)
def test_texts_of_databases_and_directories(text: str) -> None:
    consume_answer(text.encode("utf-8", "surrogatepass"))


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(st.tuples(FIELDS, st.sampled_from([" ", "\t"])), max_size=4))
def test_records_of_dns(records: list[tuple[list[str], str]]) -> None:
    consume_answer("\n".join(by.join(fields) for fields, by in records).encode("utf-8", "surrogatepass"))


@settings(max_examples=examples(300), deadline=None)
@given(WHOIS)
def test_lines_of_whois(lines: list[str]) -> None:
    consume_answer("\n".join(lines).encode("utf-8", "surrogatepass"))


@settings(max_examples=examples(300), deadline=None)
@given(
    st.binary(min_size=12, max_size=12),
    st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=12)), max_size=9),
)
def test_attributes_of_stun(transaction: bytes, attributes: list[tuple[int, bytes]]) -> None:
    """RFC 5389 6, 15."""
    body = b"".join(
        kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value + bytes(-len(value) % 4)
        for kind, value in attributes
    )
    consume_answer(b"\0\1" + len(body).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + transaction + body)
