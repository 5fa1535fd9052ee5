"""Any order of changes, commits and ends on several workers: the table in shared memory, the one in dictionaries and a
simple model of a replicated map say the same.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from appliance.location.binding import Binding
from appliance.location.dict_table import DictStore, DictTable
from appliance.location.registration_table import RegistrationTable
from appliance.storage.registration_check import faults_of
from appliance.storage.registrations import SharedTable
from appliance.storage.shared_store import SharedStore
from tests.effort import examples
from tests.location.bindings import WALL, binding, change

WORKERS: Final = 3
ADDRESSES: Final = [b"sip:alice@h", b"sip:bob@h", b"sip:" + b"l" * 500 + b"@h"]
CONTACTS: Final = [b"sip:1@192.0.2.1", b"sip:2@192.0.2.2"]

Seen = dict[bytes, tuple[int, int, int, float, float]]


def seen(entries: list[Binding]) -> Seen:
    return {each.key: (each.series, each.cseq, each.version, each.expires_at, each.forget_at) for each in entries}


class Model:
    """What is stored: of two records of a binding the later one wins. What ended is kept until it is forgotten."""

    def __init__(self) -> None:
        self.stored: dict[bytes, Seen] = {aor: {} for aor in ADDRESSES}

    def take(self, aor: bytes, records: Seen) -> None:
        for key, record in records.items():
            if key not in self.stored[aor] or record[:3] > self.stored[aor][key][:3]:
                self.stored[aor][key] = record

    def end(self, wall_time: float) -> int:
        ended = 0
        for records in self.stored.values():
            for key, (*place, expires_at, forget_at) in list(records.items()):
                if expires_at > 0 and int(expires_at) < int(wall_time):
                    ended += 1
                    records[key] = (*place, 0.0, forget_at)  # type: ignore[assignment]
                if records[key][3] <= 0 and int(forget_at) < int(wall_time):
                    del records[key]
        return ended

    def count(self, is_live: bool) -> int:
        return sum((record[3] > 0) == is_live for records in self.stored.values() for record in records.values())


class Tables(RuleBasedStateMachine):
    """Three workers, each with a table of either kind."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="signalbox-table-"))
        self.shared_store, self.dict_store = SharedStore(self.folder, True), DictStore()
        self.shared = [SharedTable(self.shared_store, 100) for _ in range(WORKERS)]
        self.dictionaries = [DictTable(self.dict_store, 100) for _ in range(WORKERS)]
        self.model = Model()
        self.staged: list[list[tuple[bytes, Seen]]] = [[] for _ in range(WORKERS)]
        self.now = WALL
        self.position = 0

    @rule(
        worker=st.integers(0, WORKERS - 1),
        aor=st.sampled_from(ADDRESSES),
        contacts=st.lists(st.sampled_from(CONTACTS), min_size=1, unique=True),
        cseq=st.integers(1, 4),
        age=st.integers(-3, 0),
        lasts_s=st.sampled_from([0.0, 2.0, 5.5]),
        remembered_s=st.sampled_from([0.0, 4.0]),
        series=st.integers(1, 2),
    )
    def register(
        self,
        worker: int,
        aor: bytes,
        contacts: list[bytes],
        cseq: int,
        age: int,
        lasts_s: float,
        remembered_s: float,
        series: int,
    ) -> None:
        at = self.now + age

        def made() -> list[Binding]:
            forget_at = at + lasts_s + remembered_s
            return [
                binding(uri, aor, at, lasts_s, cseq, series, worker + 1, forget_at=forget_at) for uri in contacts
            ]

        number = self.shared[worker].apply(change(*made()))
        assert number == self.dictionaries[worker].apply(change(*made()))
        if number:
            self.staged[worker].append((aor, seen(made())))
        assert seen(self.shared[worker].entries(aor)) == seen(self.dictionaries[worker].entries(aor))

    @rule(worker=st.integers(0, WORKERS - 1))
    def commit(self, worker: int) -> None:
        assert self.shared[worker].commit() and self.dictionaries[worker].commit()
        assert self.shared[worker].committed() == self.dictionaries[worker].committed()
        for aor, records in self.staged[worker]:
            self.model.take(aor, records)
        self.staged[worker].clear()

    @precondition(lambda self: not any(self.staged))
    @rule(seconds=st.sampled_from([0.5, 1.0, 3.0]), limit=st.sampled_from([100]))
    def time_passes(self, seconds: float, limit: int) -> None:
        self.now += seconds
        ended = self.model.end(self.now)
        for table in (self.shared[0], self.dictionaries[0]):
            assert table.expire(self.now, limit) == ended

    @rule(back=st.integers(0, 3))
    def persist(self, back: int) -> None:
        self.position = max(self.position, self.shared[0].last_seq - back)
        for table in (self.shared[0], self.dictionaries[0]):
            table.after_pass(self.position, self.now - 1000, 10)

    @invariant()
    def all_say_the_same(self) -> None:
        for aor in ADDRESSES:
            for table in self.tables():
                stored = table.record_of(aor)
                assert stored == self.dict_store.records.get(aor, b"")
        for one, other in zip(self.shared, self.dictionaries, strict=True):
            assert (len(one), one.tombstones) == (len(other), other.tombstones)
            for aor in ADDRESSES:
                assert seen(one.find(aor, self.now)) == seen(other.find(aor, self.now))
        one, other = self.shared[0], self.dictionaries[0]
        assert (one.first_seq, one.last_seq) == (other.first_seq, other.last_seq)
        assert one.changes_after(self.position, 100) == other.changes_after(self.position, 100)
        assert faults_of(one) == []

    @invariant()
    def the_stored_is_that_of_the_model(self) -> None:
        if any(self.staged):
            return
        for aor in ADDRESSES:
            assert seen(self.shared[0].entries(aor)) == self.model.stored[aor]
        assert len(self.shared[0]) == self.model.count(True)
        assert self.shared[0].tombstones == self.model.count(False)

    def tables(self) -> list[RegistrationTable]:
        return [*self.shared, *self.dictionaries]

    def teardown(self) -> None:
        self.shared_store.close()
        shutil.rmtree(self.folder)


TestTables = Tables.TestCase
TestTables.settings = settings(max_examples=examples(90), stateful_step_count=30, deadline=None)
