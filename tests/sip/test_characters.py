"""Scanning steps shared by all parsers (RFC 3261 25.1)."""

from __future__ import annotations

import pytest

from appliance.sip.characters import (
    UNRESERVED,
    end_of_quoted,
    escape,
    has_bad_escape,
    index_of,
    is_token,
    number,
    part,
    skip_space,
    trimmed,
    unescape,
)


def test_numbers_are_capped_and_never_negative() -> None:
    assert [number(text) for text in (b"0", b"007", b"4294967296")] == [0, 7, 4294967296]
    assert number(b"9" * 10000) == number(b"0" * 50 + b"9" * 20) == 1 << 40
    assert [number(text) for text in (b"", b"-1", b"+1", b" 1", b"1 ", b"1_0", b"\xb2")] == [-1] * 7


def test_escapes_are_undone_once() -> None:
    assert unescape(b"%2541%41%4") == b"%41A%4"
    assert unescape(b"%%41%zz%") == b"%A%zz%"
    assert escape(b"a b\xff", UNRESERVED) == b"a%20b%FF"
    assert [has_bad_escape(text) for text in (b"%41", b"%4", b"%", b"%4g", b"a")] == [False, True, True, True, False]


def test_parts_stay_inside_their_text() -> None:
    assert part(b"abc", 1, 3) == b"bc"
    assert part(b"abc", 2, 1) == b""
    with pytest.raises(IndexError):
        part(b"abc", 1, 4)
    with pytest.raises(IndexError):
        part(b"abc", -1, 2)


def test_steps() -> None:
    assert (index_of(b"a;b", 59, 0), index_of(b"a;b", 59, 2), index_of(b"", 59, 0)) == (1, -1, -1)
    assert (skip_space(b" \t\r\nx", 0), skip_space(b"  ", 0)) == (4, 2)
    assert (trimmed(b" a b ", 0, 5), trimmed(b"   ", 0, 3)) == (b"a b", b"")
    assert (end_of_quoted(b'"a\\"b"c', 0), end_of_quoted(b'"a\\"', 0), end_of_quoted(b'"', 0)) == (6, -1, -1)
    assert [is_token(text) for text in (b"a-b.c", b"", b"a b")] == [True, False, False]
