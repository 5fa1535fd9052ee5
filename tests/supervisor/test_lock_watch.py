"""A process that holds the table's lock and stands still is told from one that is busy."""

from __future__ import annotations

import os
import threading

import pytest

from appliance.supervisor import lock_watch
from appliance.supervisor.lock_watch import LOOK_S, LOOK_SOON_S, LockWatch, has_thread, waited_s


class Word:
    """A lock, as memory shows it."""

    def __init__(self) -> None:
        self.thread = 0
        self.transaction = 1

    def holder(self) -> int:
        return self.thread

    def last_transaction(self) -> int:
        return self.transaction


@pytest.fixture
def word(monkeypatch: pytest.MonkeyPatch) -> Word:
    monkeypatch.setattr(lock_watch, "waited_s", lambda thread: 0.0)
    return Word()


def test_a_thread_that_holds_the_lock_for_more_than_200_ms_is_told(word: Word) -> None:
    watch = LockWatch(word)
    word.thread = 4711
    assert [watch.look(10.0), watch.look(10.1), watch.look(10.2)] == [0, 0, 0]
    assert watch.look(10.25) == 4711


def test_a_free_lock_accuses_no_one(word: Word) -> None:
    watch = LockWatch(word)
    assert [watch.look(10.0), watch.look(20.0)] == [0, 0]


def test_a_busy_thread_moves_the_number_of_the_last_transaction(word: Word) -> None:
    watch = LockWatch(word)
    word.thread = 4711
    for tick in range(20):
        word.transaction += 1
        assert watch.look(10.0 + tick / 10) == 0


def test_a_lock_that_was_free_in_between_counts_from_then(word: Word) -> None:
    watch = LockWatch(word)
    word.thread = 4711
    watch.look(10.0)
    word.thread = 0
    watch.look(10.15)
    word.thread = 4711
    assert [watch.look(10.2), watch.look(10.35)] == [0, 0]
    assert watch.look(10.45) == 4711


def test_time_without_a_processor_is_excused_up_to_a_bound(word: Word, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = LockWatch(word)
    waited = iter([5.0, 5.3, 9.0, 9.5])
    monkeypatch.setattr(lock_watch, "waited_s", lambda thread: next(waited))
    word.thread = 4711
    assert [watch.look(10.0), watch.look(10.4), watch.look(11.1)] == [0, 0, 0]
    assert watch.look(11.3) == 4711


def test_a_supervisor_that_was_held_up_begins_to_count_anew(word: Word) -> None:
    watch = LockWatch(word)
    word.thread = 4711
    watch.look(10.0)
    watch.forgive(12.0)
    assert watch.look(12.1) == 0
    assert watch.look(12.3) == 4711


def test_it_looks_again_soon_where_the_lock_is_held(word: Word) -> None:
    watch = LockWatch(word)
    assert watch.look_within_s == LOOK_S
    word.thread = 4711
    watch.look(10.0)
    assert watch.look_within_s == LOOK_SOON_S


def test_a_thread_belongs_to_its_process() -> None:
    assert has_thread(os.getpid(), threading.get_native_id())
    assert not has_thread(os.getppid(), threading.get_native_id())
    assert waited_s(threading.get_native_id()) >= 0.0
    assert waited_s(0) == 0.0
