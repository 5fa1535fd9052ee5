"""Digest nonces (RFC 7616 3.3, 3.4, 5.4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.security.nonce_counts import NonceCounts
from appliance.security.nonce_table import memory_len
from appliance.security.nonces import NONCE_LEN, Nonces

KEY = b"0123456789abcdef"
BOOT = b"this start"
LIFETIME_S = 300
SOURCE = b"192.0.2.101"
NOW = 1000.0


def nonces(worker: int = 0, key: bytes = KEY, boot: bytes = BOOT, memory: bytearray | None = None) -> Nonces:
    return Nonces(key, boot, worker, LIFETIME_S, NonceCounts(memory or bytearray(memory_len(1000))))


def test_a_nonce_is_fresh_for_its_life() -> None:
    book = nonces()
    nonce = book.issue(SOURCE, NOW)
    assert len(nonce) == NONCE_LEN
    assert book.is_fresh(nonce, SOURCE, NOW)
    assert book.is_fresh(nonce, SOURCE, NOW + LIFETIME_S)
    assert not book.is_fresh(nonce, SOURCE, NOW + LIFETIME_S + 0.1)


def test_no_two_nonces_are_the_same() -> None:
    """Not even those of two workers in the same microsecond, for one source."""
    books = nonces(1), nonces(2)
    assert len({book.issue(SOURCE, NOW) for book in books for _ in range(1000)}) == 2000


def test_many_nonces_of_one_moment_are_fresh_at_once() -> None:
    """Issued faster than a microsecond passes, they lead the clock a little."""
    book = nonces()
    last = [book.issue(SOURCE, NOW) for _ in range(1000)][-1]
    assert book.is_fresh(last, SOURCE, NOW)


@pytest.mark.parametrize("place", [0, 15, 16, 19, 20, 35])
def test_a_forged_nonce_is_not_fresh(place: int) -> None:
    book = nonces()
    nonce = book.issue(SOURCE, NOW)
    other = b"0" if nonce[place : place + 1] != b"0" else b"1"
    assert not book.is_fresh(nonce[:place] + other + nonce[place + 1 :], SOURCE, NOW)


@given(st.binary(max_size=60))
def test_any_octets_are_no_fresh_nonce(text: bytes) -> None:
    assert not nonces().is_fresh(text, SOURCE, NOW)


def test_another_appliance_s_nonce_is_not_fresh() -> None:
    assert not nonces().is_fresh(nonces(key=b"another-appliance").issue(SOURCE, NOW), SOURCE, NOW)


def test_a_nonce_of_before_a_restart_is_not_fresh() -> None:
    """The key is kept, and after a reboot the monotonic clock passes the same moments again: its uses are not known."""
    before = nonces(boot=b"the start before").issue(SOURCE, NOW)
    assert not nonces().is_fresh(before, SOURCE, NOW)


def test_a_nonce_is_for_the_source_that_was_challenged() -> None:
    book = nonces()
    nonce = book.issue(SOURCE, NOW)
    assert not book.is_fresh(nonce, b"192.0.2.66", NOW)
    assert not book.is_fresh(nonce, b"", NOW)


def test_a_nonce_holds_on_the_whole_node() -> None:
    """RFC 7616 5.4: whichever worker a use comes to, the same one comes to no other."""
    memory = bytearray(memory_len(1000))
    first, second = nonces(1, memory=memory), nonces(2, memory=memory)
    nonce = first.issue(SOURCE, NOW)
    assert second.is_fresh(nonce, SOURCE, NOW)
    assert second.use(nonce, 1, NOW)
    assert not first.use(nonce, 1, NOW)
    assert first.use(nonce, 2, NOW)
    assert not second.use(nonce, 2, NOW)
    # Nor does the death of a worker make it forget.
    assert not nonces(1, memory=memory).use(nonce, 2, NOW)


def test_a_nonce_does_not_tell_its_worker() -> None:
    """Call-IDs could be chosen to load one worker, by what its challenges say."""
    challenges = [nonces(worker).issue(SOURCE, NOW) for worker in range(8)]
    assert len({nonce[:16] for nonce in challenges}) == 1
    salts = [{nonces(worker).issue(SOURCE, NOW + step)[16:20] for step in range(100)} for worker in (0, 1)]
    assert min(len(salt) for salt in salts) > 90


def test_each_count_is_used_once_in_any_order() -> None:
    """RFC 7616 3.4, 5.4."""
    book = nonces()
    nonce = book.issue(SOURCE, NOW)
    assert [book.use(nonce, count, NOW) for count in (1, 2, 5, 3, 4, 2**32 - 1)] == [True] * 6
    assert [book.use(nonce, count, NOW) for count in (1, 2, 3, 4, 5, 2**32 - 1)] == [False] * 6


def test_what_had_to_make_room_is_never_believed_again() -> None:
    """The uses are forgotten, so a replay could not be told."""
    book = nonces(memory=bytearray(memory_len(1)))
    issued = [book.issue(SOURCE, NOW + second) for second in range(10)]
    now = NOW + 10
    assert [book.use(nonce, 1, now) for nonce in issued] == [True] * 10
    assert book.forgotten_count == 3
    assert [book.use(nonce, 1, now) for nonce in issued] == [False] * 10
    # As old as one that was forgotten, though never used.
    assert not book.use(issued[2], 2, now)
    assert book.use(book.issue(SOURCE, now), 1, now)


def test_what_has_expired_makes_room_first() -> None:
    book = nonces(memory=bytearray(memory_len(1)))
    for second in range(7):
        assert book.use(book.issue(SOURCE, NOW + second), 1, NOW + second)
    later = NOW + LIFETIME_S + 10
    assert [book.use(book.issue(SOURCE, later), 1, later) for _ in range(7)] == [True] * 7
    assert book.forgotten_count == 0


def test_a_longer_lifetime_brings_no_use_back() -> None:
    """A nonce that had expired, and whose use was overwritten, is fresh again by the clock."""
    book = nonces(memory=bytearray(memory_len(1)))
    old = book.issue(SOURCE, NOW)
    assert book.use(old, 1, NOW)
    later = NOW + LIFETIME_S + 10
    for _ in range(7):
        assert book.use(book.issue(SOURCE, later), 1, later)
    book.reconfigure(2 * LIFETIME_S)
    assert book.is_fresh(old, SOURCE, later)
    assert not book.use(old, 1, later)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5)), max_size=200), st.integers(1, 8))
def test_no_use_is_taken_twice_however_small_the_table(uses: list[tuple[int, int]], room: int) -> None:
    book = nonces(memory=bytearray(memory_len(room)))
    issued = [book.issue(SOURCE, NOW + number // 3) for number in range(21)]
    taken = [use for use in uses if book.use(issued[use[0]], use[1], NOW + 30)]
    assert len(taken) == len(set(taken))
