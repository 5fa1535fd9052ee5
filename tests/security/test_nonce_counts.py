"""The nonce counts that were used, in memory that several processes share (RFC 7616 5.4)."""

from __future__ import annotations

import mmap
import os

import pytest

from appliance.security.nonce_counts import AGAIN, FIRST, FIRST_IN_PLACE, FORGOTTEN, NonceCounts
from appliance.security.nonce_table import memory_len

MARKS = 20_000


@pytest.mark.parametrize("octets", [0, 8, 63, 96, 192])
def test_what_is_no_table_is_refused(octets: int) -> None:
    with pytest.raises(ValueError):
        NonceCounts(bytearray(octets))


@pytest.mark.parametrize("uses", [1, 4, 5, 1000, 1_000_000])
def test_a_table_is_not_much_larger_than_what_it_is_meant_for(uses: int) -> None:
    octets = memory_len(uses)
    assert octets >= 16 * uses and octets <= max(64, 32 * uses)
    NonceCounts(bytearray(octets))


def test_a_use_is_the_first_once() -> None:
    counts = NonceCounts(bytearray(64))
    assert [counts.use(7 << 32, 10, 1) for _ in range(3)] == [FIRST, AGAIN, AGAIN]
    assert counts.use(8 << 32, 10, 1) == FIRST


def test_the_oldest_live_use_gives_way_and_what_is_as_old_is_forgotten() -> None:
    counts = NonceCounts(bytearray(64))
    for second in range(1, 8):
        assert counts.use(second << 32, 10 + second, 1) == FIRST
    assert counts.use(8 << 32, 18, 1) == FIRST_IN_PLACE
    assert counts.use(1 << 32, 11, 1) == FORGOTTEN
    assert counts.use(9 << 32, 11, 1) == FORGOTTEN
    assert counts.use(2 << 32, 12, 1) == AGAIN


def test_of_processes_that_note_the_same_uses_at_once_one_is_the_first() -> None:
    """Never two. Where two put one use into different places at the same time, neither was first."""
    memory = mmap.mmap(-1, memory_len(MARKS))
    reports = [_noted_by_another_process(memory) for _ in range(3)]
    firsts: list[int] = []
    for fd in reports:
        with os.fdopen(fd, "rb") as report:
            firsts += [int(line) for line in report.read().split()]
    for _ in reports:
        os.wait()
    assert len(firsts) == len(set(firsts))
    assert len(firsts) > 0.9 * MARKS


def _noted_by_another_process(memory: mmap.mmap) -> int:
    """The marks of which a process was the first, as text on the descriptor that comes back."""
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        return reading
    try:
        counts = NonceCounts(memoryview(memory))
        marks = [number * 0x9E3779B97F4A7C15 % 2**64 for number in range(1, MARKS + 1)]
        first = [mark for mark in marks if counts.use(mark, 100, 1) in (FIRST, FIRST_IN_PLACE)]
        with os.fdopen(writing, "wb") as report:
            report.write(" ".join(map(str, first)).encode())
    finally:
        os._exit(0)
