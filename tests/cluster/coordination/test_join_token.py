"""Tokens: what an operator carries from one machine to the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.cluster.coordination.join_token import PREFIX, JoinToken, TokenUnusable

URLS = ("https://etcd1.example.net:2379", "https://[2001:db8::1]:2379")
TOKEN = JoinToken("west", URLS, bytes(range(16)))


def test_a_token_is_read_as_it_was_written() -> None:
    text = TOKEN.to_text()
    assert text.startswith(PREFIX) and text.isprintable() and " " not in text
    assert JoinToken.from_text(text) == TOKEN


def test_the_secret_is_not_in_what_etcd_knows() -> None:
    assert TOKEN.secret.hex() not in TOKEN.hash_hex and len(TOKEN.hash_hex) == 64


@pytest.mark.parametrize("end", [1, 5, 20, 100])
def test_a_token_that_was_cut_off_is_said_to_be_incomplete(end: int) -> None:
    with pytest.raises(TokenUnusable, match="incomplete or was changed"):
        JoinToken.from_text(TOKEN.to_text()[:-end])


@pytest.mark.parametrize("text", ["", "hello", "sbx2.AAAA", PREFIX + "A" * 10_000])
def test_what_is_no_token_is_said_to_be_none(text: str) -> None:
    with pytest.raises(TokenUnusable, match="This is no token"):
        JoinToken.from_text(text)


@given(st.text(max_size=200))
def test_any_text_is_refused_in_words(text: str) -> None:
    with pytest.raises(TokenUnusable):
        JoinToken.from_text(PREFIX + text)
