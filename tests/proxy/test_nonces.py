"""Digest nonces (RFC 7616 3.3, 3.4, 5.4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.proxy.nonces import NONCE_LEN, WINDOW, Nonces, NonceState

KEY = b"0123456789abcdef"
LIFETIME_S = 300


def nonces(limit: int = 100, worker: int = 0, started_at: float = 1000.0, key: bytes = KEY) -> Nonces:
    return Nonces(key, worker, limit, LIFETIME_S, started_at)


def test_a_nonce_is_fresh_for_its_life_and_costs_no_memory_until_used() -> None:
    book = nonces()
    nonce = book.issue(1000.0)
    assert book.state_of(nonce, 1000.0) == NonceState.FRESH
    assert book.state_of(nonce, 1300.0) == NonceState.FRESH
    assert book.state_of(nonce, 1300.1) == NonceState.STALE
    assert len(book) == 0


def test_no_two_nonces_are_the_same() -> None:
    book = nonces()
    assert len({book.issue(1000.0) for _ in range(1000)}) == 1000


def test_many_nonces_of_one_moment_are_fresh_at_once() -> None:
    """Issued faster than a microsecond passes, they lead the clock a little."""
    book = nonces()
    last = [book.issue(1000.0) for _ in range(1000)][-1]
    assert book.state_of(last, 1000.0) == NonceState.FRESH


@pytest.mark.parametrize("place", [0, 15, 17, 18, 33])
def test_a_forged_nonce_is_foreign(place: int) -> None:
    book = nonces()
    nonce = book.issue(1000.0)
    other = b"0" if nonce[place : place + 1] != b"0" else b"1"
    assert book.state_of(nonce[:place] + other + nonce[place + 1 :], 1000.0) == NonceState.FOREIGN


def test_another_appliance_s_nonce_is_foreign() -> None:
    assert nonces().state_of(nonces(key=b"another-appliance").issue(1000.0), 1000.0) == NonceState.FOREIGN


def test_a_sibling_s_nonce_is_stale() -> None:
    """Only the worker that issued it knows its counts; the client tries again at once."""
    assert nonces(worker=1).state_of(nonces(worker=2).issue(1001.0), 1001.0) == NonceState.STALE


def test_a_predecessor_s_nonce_is_stale() -> None:
    """The worker was started anew and has forgotten the counts."""
    nonce = nonces(started_at=1000.0).issue(1010.0)
    assert nonces(started_at=1020.0).state_of(nonce, 1021.0) == NonceState.STALE


def test_a_nonce_of_the_future_is_stale() -> None:
    """Issued before the machine was booted, when its monotonic clock was further on."""
    nonce = nonces(started_at=90000.0).issue(90000.0)
    assert nonces(started_at=10.0).state_of(nonce, 20.0) == NonceState.STALE


@given(st.binary(max_size=60))
def test_any_octets_are_a_foreign_nonce(text: bytes) -> None:
    assert nonces().state_of(text, 1000.0) == NonceState.FOREIGN
    assert len(nonces().issue(1000.0)) == NONCE_LEN


def test_each_count_is_used_once_in_any_order_within_the_window() -> None:
    """RFC 7616 3.4, 5.4."""
    book = nonces()
    nonce = book.issue(1000.0)
    assert [book.use(nonce, count) for count in (1, 2, 5, 3, 4)] == [True] * 5
    assert [book.use(nonce, count) for count in (1, 2, 3, 4, 5)] == [False] * 5
    assert book.use(nonce, 5 + WINDOW)
    assert not book.use(nonce, 5)
    assert book.use(nonce, 6)
    assert book.use(nonce, 1_000_000)
    assert not book.use(nonce, 1_000_000)


@pytest.mark.parametrize("count", [0, -1])
def test_a_count_starts_at_one(count: int) -> None:
    book = nonces()
    assert not book.use(book.issue(1000.0), count)


@given(st.lists(st.integers(1, 200), max_size=100))
def test_the_window_never_lets_a_count_through_twice(counts: list[int]) -> None:
    book = nonces()
    nonce = book.issue(1000.0)
    passed = [count for count in counts if book.use(nonce, count)]
    assert len(passed) == len(set(passed))


def test_what_is_pushed_out_of_the_table_is_stale_and_never_trusted_again() -> None:
    """The counts are forgotten, so a replay could not be told."""
    book = nonces(limit=2)
    first, second, third = (book.issue(1000.0 + number) for number in range(3))
    for nonce in (first, second, third):
        assert book.use(nonce, 1)
    assert len(book) == 2
    assert book.state_of(first, 1003.0) == NonceState.STALE
    assert book.state_of(second, 1003.0) == NonceState.FRESH
    assert book.state_of(third, 1003.0) == NonceState.FRESH


def test_a_nonce_as_old_as_one_pushed_out_is_stale_though_never_used() -> None:
    book = nonces(limit=1)
    never_used, first, second = (book.issue(1000.0 + number) for number in range(3))
    book.use(first, 1)
    book.use(second, 1)
    assert book.state_of(never_used, 1003.0) == NonceState.STALE
