"""A called number is a value wherever a lookup puts it: nothing that a stranger dials changes what is asked."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.routing.lookup_templates import LookupValues, filled, in_ldap_filter, in_url, in_whois_query

# What may be dialled (called_number.py), and what may not but might get here all the same.
DIALLED = st.text(alphabet="0123456789*#+", min_size=1, max_size=32)
ANYTHING = st.text(max_size=32)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("+4930123456", "(telephoneNumber=\\2b4930123456)"),
        ("*", "(telephoneNumber=\\2a)"),
        ("*)(uid=*", "(telephoneNumber=\\2a\\29\\28uid\\3d\\2a)"),
        ("1\0", "(telephoneNumber=1\\00)"),
        ("\\2a", "(telephoneNumber=\\5c2a)"),
        ("\u00e4", "(telephoneNumber=\\c3\\a4)"),
    ],
)
def test_rfc4515_3_a_value_in_a_filter(number: str, text: str) -> None:
    assert filled("(telephoneNumber={number})", LookupValues(number), in_ldap_filter) == text


@pytest.mark.parametrize(
    ("number", "url"),
    [
        ("+49301", "http://a/r/%2B49301?n=49301&c=%2A1"),
        ("1#2", "http://a/r/1%232?n=1%232&c=%2A1"),
        ("../x?y&z=1", "http://a/r/..%2Fx%3Fy%26z%3D1?n=..%2Fx%3Fy%26z%3D1&c=%2A1"),
    ],
)
def test_rfc3986_2_1_a_value_in_a_url(number: str, url: str) -> None:
    assert filled("http://a/r/{number}?n={digits}&c={caller}", LookupValues(number, "*1"), in_url) == url


@pytest.mark.parametrize(
    ("number", "query"),
    [("+49301", "phone=\\+49301"), ("1*", "phone=1\\*"), ("1:hold;x=\r\n", "phone=1\\:hold\\;x\\=\\\r\\\n")],
)
def test_rfc1835_2_2_2_a_value_in_a_search(number: str, query: str) -> None:
    assert filled("phone={number}", LookupValues(number), in_whois_query) == query


@given(ANYTHING, ANYTHING)
def test_no_value_changes_a_filter(number: str, caller: str) -> None:
    text = filled("(&(a={number})(b={caller}))", LookupValues(number, caller), in_ldap_filter)
    assert re.fullmatch(r"\(&\(a=(?:[A-Za-z0-9]|\\[0-9a-f]{2})*\)\(b=(?:[A-Za-z0-9]|\\[0-9a-f]{2})*\)\)", text)


@given(DIALLED, DIALLED)
def test_no_value_changes_a_url(number: str, caller: str) -> None:
    parts = urlsplit(filled("http://a.example/{number}/x?n={number}&c={caller}", LookupValues(number, caller), in_url))
    assert (parts.netloc, parts.fragment) == ("a.example", "")
    assert parts.path.count("/") == 2
    assert parse_qsl(parts.query) == [("n", number), ("c", caller)]


@given(DIALLED)
def test_no_value_is_more_than_one_term_of_a_search(number: str) -> None:
    query = filled("phone={number}", LookupValues(number), in_whois_query)
    assert not re.search(r"(?<!\\)[*#+:;,]", query.partition("=")[2])


def test_a_value_that_looks_like_a_placeholder_stays_a_value() -> None:
    assert filled("{number}", LookupValues("{caller}", "1"), str) == "{caller}"
