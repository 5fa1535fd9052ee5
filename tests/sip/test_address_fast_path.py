"""From and To judged without being taken apart (RFC 3261 20.10, 25.1): what is said of one agrees with the parser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sip.address_fast_path import plain_tag
from appliance.sip.errors import MalformedMessage
from appliance.sip.headers import parse_name_addr


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        (b"<sip:alice@example.com>", b""),
        (b"<sip:alice@example.com>;tag=1928301774", b"1928301774"),
        (b"Alice <sip:alice@example.com:5061>;tag=a.b", b"a.b"),
        (b"<sip:example.com>", b""),
        (b"<sip:example.com:5060>;tag=1", b"1"),
        (b'"Alice, \\"home\\"" <sip:+4930123456@192.0.2.4>;tag=x', b"x"),
    ],
)
def test_plain_ones(value: bytes, tag: bytes) -> None:
    assert plain_tag(value, 0, len(value)) == tag


@pytest.mark.parametrize(
    "value",
    [
        b"sip:alice@example.com;tag=1",
        b"<sips:alice@example.com>",
        b"<tel:+4930123456>;tag=1",
        b"<sip:alice@example.com;transport=tcp>",
        b"<sip:al%69ce@example.com>",
        b"<sip:alice:secret@example.com>",
        b"<sip:alice@[2001:db8::1]>",
        b"<sip:alice@example.com>;x=1;tag=2",
        b"<sip:alice@example.com>;tag=1;tag=2",
        b"<sip:alice@example.com> ;tag=1",
        b"<sip:alice@example.com>;tag=",
        b"<sip:alice@example.com:0>",
        b"<sip:alice@example.com:>",
        b"<sip:alice@example.com",
        b"<sip:@example.com>",
        b"<sip:>",
        b"<sip:5060:example.com>",
        b"<sip:alice@>",
        b'"Alice <sip:alice@example.com>',
        b"A, B <sip:alice@example.com>",
        b"",
    ],
)
def test_others_are_for_the_parser(value: bytes) -> None:
    assert plain_tag(value, 0, len(value)) is None


pieces = st.sampled_from(
    [
        *b'< > sip: sips: alice @ example.com : 5060 70000 ; tag = 1 " \\ , %41 ? [::1] & +'.split(),
        b" ",
        b"\t",
        b"\xc3\xa4",
    ]
)
plain = st.sampled_from([b"<sip:alice@example.com>;tag=1", b'"A" <sip:a@b:5060>', b"A <sip:a@b>;tag=x"])


@given(
    st.one_of(
        st.lists(pieces, max_size=14).map(b"".join),
        st.tuples(plain, st.integers(0, 30), pieces).map(
            lambda given: given[0][: given[1]] + given[2] + given[0][given[1] :]
        ),
    )
)
def test_whatever_is_plain_is_well_formed_and_has_that_tag(value: bytes) -> None:
    tag = plain_tag(value, 0, len(value))
    if tag is not None:
        try:
            assert (parse_name_addr(value).tag) == tag
        except MalformedMessage as fault:
            pytest.fail(f"{value!r} is not well-formed: {fault}")
