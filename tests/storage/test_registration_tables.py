"""What a registration table is, the one in dictionaries like the one in shared memory: the same tests on both.

RFC 3261 10 and 16.5, RFC 5626 7, RFC 5627 6.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.location.binding_records import RecordError, encode_bindings
from appliance.location.dict_table import DictStore, DictTable
from appliance.location.registration_table import BUSY, REFUSED, RegistrationTable
from appliance.storage.registration_check import faults_of
from appliance.storage.registrations import SharedTable
from appliance.storage.shared_store import SharedStore
from tests.location.bindings import BOB, WALL, binding, change, uris

CAROL = b"sip:carol@biloxi.example.com"
EVER = 1_000_000
type_of_table = Callable[..., RegistrationTable]


@pytest.fixture(params=["dictionaries", "shared memory"])
def worker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[type_of_table]:
    """Makes the table of one more worker on the same store."""
    if request.param == "dictionaries":
        store = DictStore()
        yield lambda limit=1000, **named: DictTable(store, limit, **named)
        return
    shared = SharedStore(tmp_path / "table", True)
    table = SharedTable(shared, 1000)
    yield lambda limit=1000, **named: SharedTable(shared, limit, **named)
    assert faults_of(table) == []
    table.close()


def log_of(table: RegistrationTable) -> list[bytes]:
    return [aor for _, aor in table.changes_after(0, EVER)]


def put(table: RegistrationTable, *bindings: object) -> int:
    number = table.apply(change(*bindings))  # type: ignore[arg-type]
    assert table.commit()
    return number


# -- who sees what, and when


def test_a_worker_sees_its_own_change_at_once_and_the_others_after_the_commit(worker: type_of_table) -> None:
    one, other = worker(), worker()
    assert one.apply(change(binding())) == 1
    assert uris(one.find(BOB, WALL)) == uris(one.entries(BOB)) == [b"sip:bob@192.0.2.4"]
    assert len(one) == 1
    assert other.find(BOB, WALL) == other.entries(BOB) == []
    assert (one.committed(), one.staged) == (0, 1)
    assert one.commit()
    assert (one.committed(), one.staged) == (1, 0)
    assert uris(other.find(BOB, WALL)) == uris(other.entries(BOB)) == [b"sip:bob@192.0.2.4"]
    assert len(one) == len(other) == 1


def test_what_is_found_is_what_was_registered(worker: type_of_table) -> None:
    table = worker()
    made = binding(instance=b"urn:uuid:1", reg_id=1, q=700)
    put(table, made)
    found = table.find(BOB, WALL)[0]
    for name in ("aor", "key", "uri", "q", "expires_at", "call_id", "instance", "reg_id", "series", "version"):
        assert getattr(found, name) == getattr(made, name)


def test_a_known_or_older_record_changes_nothing_and_has_no_number(worker: type_of_table) -> None:
    table = worker()
    first = binding()
    put(table, binding(at=WALL + 1, cseq=2, series=first.series))
    assert table.apply(change(first)) == 0
    assert table.apply(change(binding(at=WALL + 1, cseq=2, series=first.series))) == 0
    assert table.staged == 0
    assert log_of(table) == [BOB]


def test_several_changes_of_a_turn_are_one_commit(worker: type_of_table) -> None:
    table = worker()
    first = binding()
    assert table.apply(change(first)) == 1
    assert table.apply(change(binding(aor=CAROL))) == 2
    assert table.apply(change(binding(at=WALL + 1, cseq=2, series=first.series))) == 3
    assert len(table) == 2
    assert table.commit()
    assert table.committed() == 3
    assert sorted(log_of(table)) == [BOB, CAROL]
    assert table.find(BOB, WALL)[0].cseq == 2


def test_of_two_workers_that_change_one_address_the_later_record_wins(worker: type_of_table) -> None:
    one, other = worker(), worker()
    begun = binding()
    put(one, begun)
    second = binding(at=WALL + 1, cseq=2, series=begun.series)
    third = binding(at=WALL + 2, cseq=3, series=begun.series)
    phone = binding(b"sip:bob@192.0.2.9", at=WALL + 1)
    assert one.apply(change(second, phone)) and other.apply(change(third))
    assert other.commit() and one.commit()
    for table in (one, other):
        assert {entry.uri: entry.cseq for entry in table.entries(BOB)} == {begun.uri: 3, phone.uri: 1}
        assert len(table) == 2
    assert one.committed() == 2


def test_a_change_that_another_worker_overtook_is_not_logged(worker: type_of_table) -> None:
    one, other = worker(), worker()
    begun = binding()
    put(one, begun)
    one.apply(change(binding(at=WALL + 1, cseq=2, series=begun.series)))
    put(other, binding(at=WALL + 2, cseq=3, series=begun.series))
    assert one.commit()
    assert log_of(one) == [BOB, BOB]
    assert one.find(BOB, WALL)[0].cseq == 3


def test_no_more_addresses_are_staged_than_may_be(worker: type_of_table) -> None:
    table = worker(staged_max=2)
    assert table.apply(change(binding()))
    assert not table.is_full
    assert table.apply(change(binding(aor=CAROL)))
    assert table.is_full
    assert table.apply(change(binding(aor=b"sip:dan@biloxi.example.com"))) == REFUSED
    assert table.apply(change(binding(b"sip:carol@192.0.2.8", aor=CAROL))) == 3
    assert table.commit()
    assert not table.is_full


# -- what is found (the rules)


def test_found_are_the_live_ones_highest_q_first_then_the_newest(worker: type_of_table) -> None:
    table = worker()
    put(
        table,
        binding(b"sip:low@h", q=100),
        binding(b"sip:old@h", at=WALL - 60),
        binding(b"sip:new@h"),
        binding(b"sip:over@h", at=WALL - 60, lasts_s=60),
        binding(b"sip:gone@h", lasts_s=0),
    )
    assert uris(table.find(BOB, WALL)) == [b"sip:new@h", b"sip:old@h", b"sip:low@h"]
    assert len(table.entries(BOB)) == 5


def test_of_an_instance_the_contact_refreshed_last_is_found(worker: type_of_table) -> None:
    table = worker()
    put(table, binding(b"sip:a@h", instance=b"urn:x"), binding(b"sip:b@h", at=WALL + 1, instance=b"urn:x"))
    assert uris(table.find(BOB, WALL, b"urn:x")) == [b"sip:b@h"]
    assert table.find(BOB, WALL, b"urn:y") == []


def test_of_the_flows_of_an_instance_the_newest_is_a_target_and_the_others_are_spares(worker: type_of_table) -> None:
    table = worker()
    put(
        table,
        binding(b"sip:a@h", instance=b"urn:x", reg_id=1),
        binding(b"sip:b@h", at=WALL + 1, instance=b"urn:x", reg_id=2),
    )
    found = table.find(BOB, WALL)
    assert uris(found) == [b"sip:b@h"]
    assert uris(table.others_of_instance(found[0], WALL)) == [b"sip:a@h"]


# -- ends


def test_what_is_over_goes_and_the_log_says_so(worker: type_of_table) -> None:
    table = worker()
    put(table, binding(lasts_s=60))
    put(table, binding(aor=CAROL, lasts_s=90))
    assert table.expire(WALL + 60, 100) == 0
    assert table.expire(WALL + 61, 100) == 1
    assert table.entries(BOB) == [] and len(table) == 1 and table.tombstones == 0
    assert table.record_of(BOB) == b""
    assert table.records_of([BOB, CAROL]) == [None, table.record_of(CAROL)]
    assert log_of(table) == [BOB, CAROL, BOB]


def test_a_refreshed_binding_stays(worker: type_of_table) -> None:
    table = worker()
    first = binding(lasts_s=60)
    put(table, first)
    put(table, binding(at=WALL + 30, lasts_s=60, cseq=2, series=first.series))
    assert table.expire(WALL + 61, 100) == 0
    assert log_of(table) == [BOB, BOB]
    assert table.expire(WALL + 91, 100) == 1
    assert table.entries(BOB) == []


def test_a_binding_that_ended_is_a_tombstone_until_it_is_forgotten(worker: type_of_table) -> None:
    table = worker()
    put(table, binding(lasts_s=60, forget_at=WALL + 600))
    assert table.expire(WALL + 61, 100) == 1
    assert (len(table), table.tombstones) == (0, 1)
    assert table.apply(change(binding(lasts_s=60, forget_at=WALL + 600))) == 0
    assert table.expire(WALL + 601, 100) == 0
    assert (len(table), table.tombstones) == (0, 0)


def test_a_removed_binding_is_remembered_as_long_as_it_would_have_lived(worker: type_of_table) -> None:
    table = worker()
    first = binding()
    put(table, first)
    put(table, binding(at=WALL + 1, lasts_s=0, cseq=2, series=first.series, forget_at=first.forget_at))
    assert (len(table), table.tombstones) == (0, 1)
    assert table.apply(change(first)) == 0
    assert table.find(BOB, WALL) == []


def test_a_sweep_is_bounded_and_goes_on_where_it_was(worker: type_of_table) -> None:
    table = worker()
    for number in range(10):
        table.apply(change(binding(aor=b"sip:%d@h" % number, lasts_s=60)))
    assert table.commit()
    assert [table.expire(WALL + 61, 4) for _ in range(4)] == [4, 4, 2, 0]


def test_of_one_address_the_last_tombstones_are_kept(worker: type_of_table) -> None:
    table = worker(tombstones_max=3)
    for number in range(6):
        put(table, binding(b"sip:%d@h" % number, at=WALL + number, lasts_s=0))
    assert sorted(uris(table.entries(BOB))) == [b"sip:3@h", b"sip:4@h", b"sip:5@h"]
    assert table.tombstones == 3


def test_an_end_too_far_ahead_is_bounded(worker: type_of_table) -> None:
    table = worker()
    table.clock, table.lifetime_max_s = WALL, 3600
    put(table, binding(lasts_s=10.0**6))
    assert table.find(BOB, WALL)[0].expires_at == WALL + 3600


@pytest.mark.parametrize("far", [1e12, 1e18, float("inf")])
def test_an_end_beyond_all_clocks_is_taken(worker: type_of_table, far: float) -> None:
    table = worker()
    put(table, binding(lasts_s=far, forget_at=far))
    assert table.expire(WALL, 100) == 0


# -- bounds, and a store that cannot


def test_a_full_table_takes_no_new_binding_and_says_so(worker: type_of_table) -> None:
    one, other = worker(limit=2), worker(limit=2)
    put(one, binding())
    assert not one.is_full
    one.apply(change(binding(aor=CAROL)))
    assert one.is_full and not other.is_full
    assert one.commit()
    assert other.is_full


# -- the change log


def test_the_log_says_what_changed_and_the_table_what_is(worker: type_of_table) -> None:
    table = worker()
    assert (table.first_seq, table.last_seq, table.changes_after(0, 10)) == (0, 0, [])
    put(table, binding())
    put(table, binding(aor=CAROL))
    assert table.changes_after(0, 10) == [(1, BOB), (2, CAROL)]
    assert table.changes_after(1, 10) == [(2, CAROL)]
    assert table.changes_after(0, 1) == [(1, BOB)]
    assert (table.first_seq, table.last_seq) == (0, 2)


def test_the_log_is_trimmed_behind_the_persister_and_goes_on_counting(worker: type_of_table) -> None:
    table = worker()
    for number in range(5):
        put(table, binding(aor=b"sip:%d@h" % number))
    assert table.after_pass(3, WALL, 100) == 0
    assert table.first_seq == 3
    assert [seq for seq, _ in table.changes_after(0, 10)] == [4, 5]
    assert table.after_pass(5, WALL, 100) == 0
    assert (table.first_seq, table.last_seq) == (4, 5)
    put(table, binding())
    assert table.changes_after(5, 10) == [(6, BOB)]


def test_the_log_is_bounded_without_a_persister(worker: type_of_table) -> None:
    table = worker(limit=EVER)
    table.changes_max = 100
    for number in range(3000):
        table.apply(change(binding(aor=b"sip:%d@h" % number)))
    assert table.commit()
    assert table.last_seq == 3000
    assert 0 < 3000 - table.first_seq <= 100 + 1024


# -- pages and loading


def test_addresses_come_in_pages_in_their_order(worker: type_of_table) -> None:
    table = worker()
    for name in (b"sip:carol@h", b"sip:bob@h", b"sip:bo@h", b"sip:dan@h"):
        put(table, binding(aor=name))
    assert [aor for aor, _ in table.page(b"", b"", 3)] == [b"sip:bo@h", b"sip:bob@h", b"sip:carol@h"]
    assert [aor for aor, _ in table.page(b"sip:carol@h", b"", 3)] == [b"sip:dan@h"]
    assert [aor for aor, _ in table.page(b"", b"sip:bo", 9)] == [b"sip:bo@h", b"sip:bob@h"]
    assert [aor for aor, _ in table.page(b"sip:bo@h", b"sip:bo", 9)] == [b"sip:bob@h"]
    assert uris(table.page(b"", b"sip:bob", 1)[0][1]) == [b"sip:bob@192.0.2.4"]


def test_long_addresses_are_told_apart(worker: type_of_table) -> None:
    table = worker()
    long = b"sip:" + b"a" * 600
    put(table, binding(aor=long + b"1@h"))
    put(table, binding(b"sip:other@h", aor=long + b"2@h"))
    assert uris(table.find(long + b"2@h", WALL)) == [b"sip:other@h"]
    assert {aor for aor, _ in table.page(b"", long, 9)} == {long + b"1@h", long + b"2@h"}
    assert {aor for _, aor in table.changes_after(0, 9)} == {long + b"1@h", long + b"2@h"}
    assert table.expire(WALL + 3601, 100) == 2


def test_records_are_loaded_without_a_word_in_the_log(worker: type_of_table, tmp_path: Path) -> None:
    source = DictTable(DictStore(), 10)
    put(source, binding(lasts_s=60))
    put(source, binding(aor=CAROL, lasts_s=0))
    records = list(source.store.records.values())
    old_format = encode_bindings(BOB, [binding(b"sip:second@h")])
    table = worker()
    assert table.load([*records, old_format]) == 3
    assert table.load([*records, old_format]) == 0
    assert (len(table), table.tombstones, table.last_seq) == (2, 1, 0)
    assert sorted(uris(table.find(BOB, WALL))) == [b"sip:bob@192.0.2.4", b"sip:second@h"]
    assert table.expire(WALL + 61, 100) == 1


def test_a_record_that_cannot_be_read_is_not_loaded_and_nothing_with_it(worker: type_of_table) -> None:
    source = DictTable(DictStore(), 10)
    put(source, binding())
    table = worker()
    undated = encode_bindings(BOB, [binding(lasts_s=float("nan"), forget_at=WALL)])
    for damaged in (undated, b"", b"\x02", b"\x01\x00", b"\x07" + bytes(40), source.record_of(BOB)[:-1]):
        with pytest.raises(RecordError):
            table.load([source.record_of(BOB), damaged])
    assert table.find(BOB, WALL) == []
    assert len(table) == 0


# -- the lock


def test_a_dictionary_table_waits_for_a_lock_and_refuses_when_it_is_full() -> None:
    store = DictStore()
    table = DictTable(store, 10)
    put(table, binding())
    store.is_locked = True
    number = table.apply(change(binding(aor=CAROL)))
    assert not table.commit()
    assert (table.committed(), table.expire(WALL, 1), table.after_pass(1, WALL, 1), table.load([])) == (1, *[BUSY] * 3)
    store.is_locked, store.is_full = False, True
    refreshed = table.apply(change(binding(at=WALL + 1, cseq=2, series=table.entries(BOB)[0].series)))
    assert table.commit()
    assert table.committed() == refreshed
    assert table.is_refused(number) and not table.is_refused(refreshed)
    assert len(table) == 1 and table.find(CAROL, WALL) == []
    assert table.find(BOB, WALL)[0].cseq == 2
