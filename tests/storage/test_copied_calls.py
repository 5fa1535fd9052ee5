"""Calls of other nodes: kept as long as they may matter, given out once, by address and slot (design 4)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.messages.call_copies import ADDRESS_MAX, CallCopy
from appliance.messages.slots import slot_of
from appliance.storage.copied_calls import OLD_S, CopiedCalls, CopiedCallsReader, CopiedCallsWriter

SEED = 4711
ALL = range(256)
NOW = 1000.0


@pytest.fixture
def memory() -> Iterator[CopiedCalls]:
    made = CopiedCalls(1)
    yield made
    made.close()


def writer(memory: CopiedCalls) -> CopiedCallsWriter:
    return CopiedCallsWriter(memory.recording.fd, memory.recording.bank_len, SEED)


def reader(memory: CopiedCalls) -> CopiedCallsReader:
    return CopiedCallsReader(memory.recording.fd, memory.recording.bank_len)


def copy(number: int, snapshot: bytes = b"rings", address: int = 1) -> CallCopy:
    return b"key %d" % number, b"call %d" % number, address, snapshot


def test_a_worker_takes_the_calls_of_its_slots_once(memory: CopiedCalls) -> None:
    kept, one, other = writer(memory), reader(memory), reader(memory)
    kept.keep(1, [copy(number, b"%d" % number) for number in range(500)], NOW)
    slot_by_number = {number: slot_of(b"call %d" % number, SEED) for number in range(500)}
    lower = {b"%d" % number for number, slot in slot_by_number.items() if slot < 128}
    assert set(one.take(1, 1, range(128))) == lower
    assert len(other.take(1, 1, range(128, 256))) == 500 - len(lower)
    assert one.take(1, 1, ALL) == []


def test_calls_are_taken_of_one_node_and_one_address(memory: CopiedCalls) -> None:
    kept, taking = writer(memory), reader(memory)
    kept.keep(1, [copy(1, b"of node 1"), copy(2, b"elsewhere", address=2)], NOW)
    kept.keep(3, [copy(1, b"of node 3")], NOW)
    assert taking.take(3, 1, ALL) == [b"of node 3"]
    assert taking.take(1, 1, ALL) == [b"of node 1"]
    assert taking.take(1, 2, ALL) == [b"elsewhere"]


def test_the_last_copy_counts_and_what_is_over_is_gone(memory: CopiedCalls) -> None:
    kept, taking = writer(memory), reader(memory)
    kept.keep(1, [copy(1, b"is called"), copy(2)], NOW)
    kept.keep(1, [copy(1, b"rings"), copy(2, b"")], NOW)
    assert len(kept) == 1
    assert taking.take(1, 1, ALL) == [b"rings"]


def test_what_was_taken_may_be_over_later(memory: CopiedCalls) -> None:
    """The writer lives on: its cells are used again, and nothing of them is given out twice."""
    kept, taking = writer(memory), reader(memory)
    kept.keep(1, [copy(1)], NOW)
    assert taking.take(1, 1, ALL) == [b"rings"]
    kept.keep(1, [copy(1, b"")], NOW)
    kept.keep(1, [copy(2, b"another")], NOW)
    assert taking.take(1, 1, ALL) == [b"another"]


def test_a_node_that_is_heard_anew_tells_all_again(memory: CopiedCalls) -> None:
    kept, taking = writer(memory), reader(memory)
    kept.keep(1, [copy(1), copy(2)], NOW)
    kept.begin(1)
    kept.keep(1, [copy(2)], NOW)
    assert taking.take(1, 1, ALL) == [b"rings"]


def test_another_replicator_begins_anew(memory: CopiedCalls) -> None:
    writer(memory).keep(1, [copy(1)], NOW)
    second = writer(memory)
    second.keep(1, [copy(2, b"new")], NOW)
    assert reader(memory).take(1, 1, ALL) == [b"new"]


def test_what_is_old_is_dropped_and_counted(memory: CopiedCalls) -> None:
    kept = writer(memory)
    kept.keep(1, [copy(1), copy(2)], NOW)
    kept.keep(1, [copy(1, b"rings on")], NOW + 10)
    kept.expire(NOW + OLD_S)
    assert (kept.expired, len(kept)) == (1, 1)
    assert reader(memory).take(1, 1, ALL) == [b"rings on"]


def test_what_finds_no_room_is_refused_and_counted(memory: CopiedCalls) -> None:
    kept = writer(memory)
    for number in range(400):
        kept.keep(1, [copy(number, b"x" * 4000)], NOW)
    assert kept.refused > 100
    assert len(reader(memory).take(1, 1, ALL)) == 400 - kept.refused


def test_numbers_of_addresses_are_as_large_as_names_make_them(memory: CopiedCalls) -> None:
    kept, taking = writer(memory), reader(memory)
    kept.keep(1, [copy(1, b"first", address=ADDRESS_MAX), copy(2, b"second", address=256)], NOW)
    assert taking.take(1, 255, ALL) == []
    assert taking.take(1, ADDRESS_MAX, ALL) == [b"first"]
    assert taking.take(1, 256, ALL) == [b"second"]
