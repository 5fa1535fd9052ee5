"""The record of take-overs: once each, in order, bounded; the last epoch of each address."""

from __future__ import annotations

from appliance.cluster.coordination.dict_store import DictStore
from appliance.cluster.coordination.key_store import Entry, Put
from appliance.cluster.coordination.keys import ClusterKeys
from appliance.cluster.coordination.take_over_records import (
    RECORDS_MAX,
    WAITING_MAX,
    TakeOverQueue,
    epochs_in,
    rows_in,
    transaction_for,
)
from appliance.messages.cluster_messages import TakeOver, TakeOverKey

KEYS = ClusterKeys("west")
NAMES = {1: "a", 2: "b"}


def taken(epoch: int, address: int = 1, owner: int = 2) -> TakeOver:
    return TakeOver(address, f"v{address}", epoch, owner, 1, "a was not heard", 631, 1_800_000_000.0 + epoch)


def entries(store: DictStore) -> dict[str, Entry]:
    return dict(store.read(KEYS.prefix).entries)


def record(store: DictStore, take_over: TakeOver) -> bool:
    """True: it has been written."""
    conditions, writes = transaction_for(take_over, NAMES, entries(store), KEYS)
    return bool(writes) and store.commit(conditions, writes)


def test_a_take_over_is_recorded_once_with_the_names_of_then() -> None:
    store = DictStore()
    assert record(store, taken(7))
    assert not record(store, taken(7))
    (row,) = rows_in(entries(store), KEYS)
    assert (row.address, row.epoch, row.last_owner, row.owner) == ("v1", 7, "a", "b")
    assert (row.reason, row.gap_ms, row.wall_time, row.is_recorded) == ("a was not heard", 631, 1_800_000_007.0, True)


def test_the_last_epoch_of_each_address_is_kept_whatever_order_they_come_in() -> None:
    store = DictStore()
    for take_over in (taken(7), taken(5), taken(9), taken(3, address=2, owner=0)):
        assert record(store, take_over)
    assert epochs_in(entries(store), KEYS) == ((1, 9), (2, 3))
    assert [row.epoch for row in rows_in(entries(store), KEYS)] == [7, 5, 9, 3]


def test_who_records_at_the_same_time_is_refused_and_tries_again() -> None:
    store = DictStore()
    record(store, taken(1))
    conditions, writes = transaction_for(taken(2), NAMES, entries(store), KEYS)
    record(store, taken(3))
    assert not store.commit(conditions, writes)
    assert record(store, taken(2))
    assert epochs_in(entries(store), KEYS) == ((1, 3),)


def test_the_record_is_bounded_and_the_oldest_go() -> None:
    store = DictStore()
    for epoch in range(1, RECORDS_MAX + 4):
        assert record(store, taken(epoch))
    rows = rows_in(entries(store), KEYS)
    assert len(rows) == RECORDS_MAX
    assert (rows[0].epoch, rows[-1].epoch) == (4, RECORDS_MAX + 3)


def test_what_cannot_be_understood_is_left_out() -> None:
    store = DictStore()
    record(store, taken(1))
    store.commit([], [Put(KEYS.take_over(1, 2), b"nonsense"), Put(KEYS.epoch(5), b"x"), Put(f"{KEYS.epochs}y", b"1")])
    assert [row.epoch for row in rows_in(entries(store), KEYS)] == [1]
    assert epochs_in(entries(store), KEYS) == ((1, 1),)
    assert record(store, taken(3))


def test_the_queue_is_bounded_and_the_oldest_is_dropped() -> None:
    queue = TakeOverQueue()
    for epoch in range(1, WAITING_MAX + 3):
        queue.add(taken(epoch))
    queue.add(taken(WAITING_MAX))
    assert (len(queue), queue.dropped, next(iter(queue)).epoch) == (WAITING_MAX, 2, 3)
    queue.remove(TakeOverKey(1, 3))
    assert next(iter(queue)).epoch == 4
