"""The durable store follows the table: by its log, and by comparison after falling out of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from appliance.persister import carrier
from appliance.persister.carrier import Carrier

GENERATION = 7
Change = tuple[bytes, bytes | None]


class Table:
    """Records, and a log that is cut off at `first_seq`."""

    generation = GENERATION

    def __init__(self, count: int = 0) -> None:
        self.records = {b"sip:%03d@x" % number: b"first" for number in range(count)}
        self.log: list[tuple[int, bytes]] = []
        self.first_seq = self.last_seq = 0

    def change(self, aor: bytes, record: bytes) -> None:
        if record:
            self.records[aor] = record
        else:
            del self.records[aor]
        self.last_seq += 1
        self.log.append((self.last_seq, aor))

    def cut_log(self) -> None:
        self.log.clear()
        self.first_seq = self.last_seq

    def changes_after(self, seq: int, limit: int) -> list[tuple[int, bytes]]:
        return [entry for entry in self.log if entry[0] > seq][:limit]

    def records_of(self, aors: list[bytes]) -> list[bytes | None]:
        return [self.records.get(aor) for aor in aors]

    def raw_page(self, after_key: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        return sorted(item for item in self.records.items() if item[0] > after_key)[:limit]


class Store:
    """Records and the position that a crash would leave."""

    def __init__(self) -> None:
        self.records: dict[bytes, bytes] = {}
        self.at = (0, 0)
        self.writes: list[list[Change]] = []

    def position(self, generation: int) -> int:
        return self.at[1] if self.at[0] == generation else -1

    def write(self, changes: Sequence[Change], generation: int, position: int) -> None:
        for key, record in changes:
            if record is None:
                self.records.pop(key, None)
            else:
                self.records[key] = record
        self.at = (generation, position)
        self.writes.append(list(changes))

    def page(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        return sorted(item for item in self.records.items() if item[0] > after)[:limit]


@pytest.fixture
def store() -> Store:
    return Store()


def finish(steps: Carrier) -> None:
    while not steps.is_done:
        steps.step()


def test_what_changed_is_written_with_the_place_that_it_reaches(store: Store) -> None:
    table = Table()
    steps = Carrier(table, store)
    finish(steps)
    table.change(b"sip:b@x", b"1")
    table.change(b"sip:a@x", b"2")
    table.change(b"sip:b@x", b"3")
    store.writes.clear()
    assert steps.step() == 2
    assert store.writes == [[(b"sip:a@x", b"2"), (b"sip:b@x", b"3")]]
    assert store.at == (GENERATION, 3)
    assert steps.seq == 3


def test_nothing_is_written_when_nothing_changed(store: Store) -> None:
    steps = Carrier(Table(), store)
    finish(steps)
    store.writes.clear()
    assert steps.step() == 0
    assert store.writes == []


def test_it_goes_on_at_the_place_that_the_store_has_reached(store: Store) -> None:
    table = Table()
    finish(Carrier(table, store))
    table.change(b"sip:a@x", b"1")
    steps = Carrier(table, store)
    assert not steps.is_comparing
    finish(steps)
    assert store.records == table.records


def test_a_table_that_it_does_not_know_is_compared_and_what_is_equal_is_not_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier, "COMPARED_STEP", 10)
    table = Table(95)
    store.records = {**table.records, b"sip:050@x": b"old", b"sip:gone@x": b"old"}
    del store.records[b"sip:007@x"]
    finish(Carrier(table, store))
    assert store.records == table.records
    assert sum(len(changes) for changes in store.writes) == 3
    assert store.at == (GENERATION, 0)


def test_what_changes_during_a_comparison_is_written_at_once_and_no_place_is_reached_before_its_end(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier, "COMPARED_STEP", 10)
    table = Table(50)
    steps = Carrier(table, store)
    steps.step()
    table.change(b"sip:zoe@x", b"new")
    table.change(b"sip:001@x", b"")
    steps.step()
    assert store.records[b"sip:zoe@x"] == b"new"
    assert b"sip:001@x" not in store.records
    assert store.position(GENERATION) == -1
    assert steps.seq == 0
    finish(steps)
    assert store.records == table.records
    assert store.at == (GENERATION, 2)


def test_who_falls_out_of_the_log_compares(store: Store) -> None:
    table = Table(20)
    steps = Carrier(table, store)
    finish(steps)
    table.change(b"sip:003@x", b"")
    table.change(b"sip:004@x", b"new")
    table.cut_log()
    table.change(b"sip:005@x", b"new")
    finish(steps)
    assert store.records == table.records
    assert steps.comparisons == 2
    assert store.at == (GENERATION, 3)


def test_falling_out_during_a_comparison_begins_it_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier, "COMPARED_STEP", 10)
    table = Table(50)
    steps = Carrier(table, store)
    steps.step()
    steps.step()
    table.change(b"sip:000@x", b"new")
    table.cut_log()
    finish(steps)
    assert store.records == table.records


def test_what_could_not_be_loaded_into_the_table_stays_on_the_disk(store: Store) -> None:
    table = Table(3)
    store.records = {b"sip:kept@x": b"1"}
    steps = Carrier(table, store)
    steps.removes_others = False
    finish(steps)
    assert store.records == {**table.records, b"sip:kept@x": b"1"}


def test_records_of_which_the_log_tells_nothing_are_found_by_comparison(store: Store) -> None:
    table = Table()
    finish(Carrier(table, store))
    table.records[b"sip:loaded@x"] = b"1"
    finish(Carrier(table, store, is_in_doubt=True))
    assert store.records == table.records
