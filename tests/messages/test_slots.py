"""Slots: one owner per Call-ID, and who inherits when a worker dies (RFC 3261 8.1.1.4)."""

from __future__ import annotations

import pytest

from appliance.messages.slots import SLOTS, SlotTable, deal, give_back, move, seed_of, slot_of

SEED = 0x5EED5EED


def test_the_hash_is_fnv_1a() -> None:
    """With seed 0 this is plain FNV-1a 32: the published value of "foobar" is 0xbf9cf968."""
    assert slot_of(b"foobar", 0) == 0xF9
    assert slot_of(b"", 0) == (2166136261 >> 8) & 255


def test_only_the_first_31_octets_count() -> None:
    assert slot_of(b"x" * 31 + b"one", SEED) == slot_of(b"x" * 31 + b"two", SEED)
    assert slot_of(b"x" * 30 + b"1", SEED) != slot_of(b"x" * 30 + b"2", SEED)


@pytest.mark.parametrize("tail", [b"\r\n", b"\n", b" ", b"\t", b" trailing", b"\x00"])
def test_the_value_ends_at_white_space(tail: bytes) -> None:
    assert slot_of(b"a84b4c76e66710" + tail, SEED) == slot_of(b"a84b4c76e66710", SEED)


def test_octets_above_127_are_hashed_as_they_are() -> None:
    assert slot_of(b"\xff\xfe", 7) == slot_of(b"\xff\xfe\r", 7)


def test_call_ids_spread_over_all_slots() -> None:
    hits = [0] * SLOTS
    for number in range(25_600):
        hits[slot_of(b"%d-4711@192.0.2.1" % number, SEED)] += 1
    assert min(hits) > 40 and max(hits) < 200


def test_another_seed_is_another_spread() -> None:
    call_ids = [b"%d@host" % number for number in range(100)]
    assert [slot_of(c, 1) for c in call_ids] != [slot_of(c, 2) for c in call_ids]


def test_the_seed_belongs_to_the_key_and_the_start_and_is_no_part_of_them() -> None:
    """Call-IDs that load one worker cannot be chosen in advance, and the seed says nothing of the key."""
    key = bytes(range(32))
    assert seed_of(key) == seed_of(key) < 2**32
    assert len({seed_of(key), seed_of(key, b"boot"), seed_of(key[::-1]), int.from_bytes(key[:4], "big")}) == 4


def test_deal_gives_even_shares_in_one_run_each() -> None:
    table = deal([0, 1, 2])
    assert table.runs() == [(0, 85, 0), (86, 170, 1), (171, 255, 2)]
    assert [table.count_of(worker) for worker in (0, 1, 2)] == [86, 85, 85]
    assert table.owner_of(86) == 1 and table.epoch == 1


def test_a_table_has_256_owners() -> None:
    with pytest.raises(ValueError):
        SlotTable(b"\x00" * 255, 1)


def test_a_death_moves_the_dead_workers_slots_and_no_others() -> None:
    before = deal(range(4))
    after = move(before, dead=1, live=[0, 2, 3])
    assert after.epoch == before.epoch + 1
    assert after.count_of(1) == 0
    assert all(after.owners[s] == before.owners[s] for s in range(SLOTS) if before.owners[s] != 1)
    assert sorted(after.count_of(worker) for worker in (0, 2, 3)) == [85, 85, 86]
    assert len(after.runs()) <= 6


def test_the_last_worker_inherits_everything() -> None:
    table = move(move(deal(range(3)), 0, [1, 2]), 2, [1])
    assert table.runs() == [(0, 255, 1)]


def test_with_no_worker_alive_the_table_stays() -> None:
    table = deal([0, 1])
    assert move(move(table, 0, [1]), 1, []) == move(table, 0, [1])
    assert move(table, 5, [0, 1]) is table


def test_a_worker_that_returns_takes_its_slots_back() -> None:
    home = deal(range(4))
    without_1 = move(home, 1, [0, 2, 3])
    again = give_back(without_1, 1, [0, 1, 2, 3], home)
    assert again.owners == home.owners and again.epoch == 3


def test_one_of_two_dead_returns_and_gets_an_even_share() -> None:
    home = deal(range(4))
    two_left = move(move(home, 1, [0, 2, 3]), 2, [0, 3])
    three = give_back(two_left, 1, [0, 1, 3], home)
    assert min(three.count_of(worker) for worker in (0, 1, 3)) >= SLOTS // 3
    assert give_back(three, 2, [0, 1, 2, 3], home).owners == home.owners


def test_giving_back_twice_changes_nothing() -> None:
    home = deal(range(2))
    assert give_back(home, 1, [0, 1], home) is home
