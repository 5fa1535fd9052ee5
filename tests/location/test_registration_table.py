"""The registration table: what is found, how ends are found, and that tables converge (RFC 3261 10, RFC 5626 7,
RFC 5627 6.1). What both kinds of store have to do is in storage/test_registration_tables.py.
"""

from __future__ import annotations

import random

import pytest

from appliance.location.binding import Binding, BindingChange, new_binding
from appliance.location.dict_table import DictStore, DictTable
from appliance.location.record_version import next_version
from appliance.location.registration_table import CHANGES_STAGED_MAX, REFUSED
from appliance.transport.flow import TCP, Flow

BOB = b"sip:bob@biloxi.example.com"
WALL = 1_700_000_000.0
EVER = 1_000_000


def version_at(wall_time: float, worker: int = 1) -> int:
    return next_version(wall_time, worker, 0)


def binding(
    uri: bytes = b"sip:bob@192.0.2.4",
    aor: bytes = BOB,
    at: float = WALL,
    lasts_s: float = 3600.0,
    call_id: bytes = b"1j9FpLxk3uxtm8tn",
    cseq: int = 1,
    series: int | None = None,
    worker: int = 1,
    q: int = 1000,
    instance: bytes = b"",
    reg_id: int = 0,
    key: bytes = b"",
) -> Binding:
    version = version_at(at, worker)
    return new_binding(
        aor,
        key or uri,
        uri,
        b"",
        q,
        at + lasts_s,
        at + lasts_s,
        call_id,
        cseq,
        (),
        instance,
        reg_id,
        None,
        ("192.0.2.4", 5060),
        b"",
        version if series is None else series,
        version,
    )


def tombstone(of: Binding, at: float) -> Binding:
    version = version_at(at)
    return new_binding(
        of.aor,
        of.key,
        of.uri,
        b"",
        1000,
        0.0,
        of.forget_at,
        of.call_id,
        of.cseq + 1,
        (),
        b"",
        0,
        None,
        None,
        b"",
        of.series,
        version,
    )


def new_table(limit: int = 1000, tombstones_max: int = 20) -> DictTable:
    return DictTable(DictStore(), limit, tombstones_max)


def apply(table: DictTable, one: Binding) -> bool:
    """Did it change anything? It is written."""
    number = table.apply(BindingChange(one.aor, (one,)))
    assert table.commit()
    return number > 0


def table_of(*bindings: Binding) -> DictTable:
    table = new_table()
    for one in bindings:
        apply(table, one)
    return table


def uris(found: list[Binding]) -> list[bytes]:
    return [one.uri for one in found]


def test_what_one_commit_refuses_is_remembered_as_a_whole() -> None:
    """Each change waits for its answer, however often one address was changed; so many may wait at most."""
    store = DictStore()
    table = DictTable(store, 1000)
    numbers: list[int] = []
    for cseq in range(CHANGES_STAGED_MAX):
        one = binding(at=WALL + cseq / 1000, cseq=cseq, series=version_at(WALL))
        numbers.append(table.apply(BindingChange(BOB, (one,))))
    late = binding(aor=b"sip:carol@biloxi.example.com")
    assert table.apply(BindingChange(late.aor, (late,))) == REFUSED
    store.is_full = True
    assert table.commit()
    assert all(table.is_refused(number) for number in numbers)
    assert not table.is_refused(numbers[-1] + 1)
    store.is_full = False
    assert apply(table, late)


def test_a_registered_contact_is_found_until_its_time_is_over() -> None:
    table = table_of(binding(lasts_s=60))
    assert uris(table.find(BOB, WALL + 59)) == [b"sip:bob@192.0.2.4"]
    assert table.find(BOB, WALL + 60) == []
    assert table.find(b"sip:alice@biloxi.example.com", WALL) == []


def test_highest_q_comes_first_and_the_newest_among_equals() -> None:
    table = table_of(
        binding(b"sip:old@h", at=WALL),
        binding(b"sip:low@h", at=WALL + 2, q=300),
        binding(b"sip:new@h", at=WALL + 1),
    )
    assert uris(table.find(BOB, WALL + 5)) == [b"sip:new@h", b"sip:old@h", b"sip:low@h"]


def test_a_gruu_names_the_contact_of_its_instance_that_was_refreshed_last_rfc_5627_6_1() -> None:
    table = table_of(
        binding(b"sip:before-reboot@h", at=WALL, instance=b"urn:uuid:1"),
        binding(b"sip:after-reboot@h", at=WALL + 1, q=500, instance=b"urn:uuid:1"),
        binding(b"sip:other@h", at=WALL + 2, instance=b"urn:uuid:2"),
    )
    assert uris(table.find(BOB, WALL + 5, b"urn:uuid:1")) == [b"sip:after-reboot@h"]
    assert uris(table.find(BOB, WALL + 5, b"urn:uuid:2")) == [b"sip:other@h"]
    assert table.find(BOB, WALL + 5, b"urn:uuid:3") == []


def test_of_the_flows_of_one_instance_the_newest_is_the_target_rfc_5626_7() -> None:
    table = table_of(
        binding(b"sip:flow1@h", at=WALL, instance=b"urn:uuid:1", reg_id=1),
        binding(b"sip:flow2@h", at=WALL + 1, instance=b"urn:uuid:1", reg_id=2),
        binding(b"sip:desk@h", at=WALL),
    )
    assert uris(table.find(BOB, WALL + 5)) == [b"sip:flow2@h", b"sip:desk@h"]


def test_the_flow_is_given_back_as_it_came() -> None:
    flow = Flow(TCP, 2, ("192.0.2.9", 40001), 3, 77)
    one = new_binding(
        BOB,
        b"sip:b@h",
        b"sip:b@h",
        b"",
        1000,
        WALL + 60,
        WALL + 60,
        b"c",
        1,
        (b"<sip:p1;lr>", b"<sip:p2;lr>"),
        b"",
        0,
        flow,
        None,
        b"",
        1,
        1,
    )
    assert one.flow == flow
    assert one.source == ("192.0.2.9", 40001)
    assert one.path == (b"<sip:p1;lr>", b"<sip:p2;lr>")
    assert binding().flow is None
    assert binding().path == ()


def test_inside_a_call_id_the_higher_cseq_wins_whatever_the_clocks_say() -> None:
    first = binding(cseq=5, at=WALL)
    late = binding(cseq=4, at=WALL + 10, series=first.series, lasts_s=99)
    table = table_of(first, late)
    assert table.find(BOB, WALL)[0].cseq == 5


def test_between_call_ids_the_later_one_wins() -> None:
    table = table_of(binding(call_id=b"new", at=WALL + 10, cseq=1), binding(call_id=b"old", at=WALL, cseq=900))
    assert table.find(BOB, WALL)[0].call_id == b"new"


def test_the_same_record_twice_changes_nothing() -> None:
    table = new_table()
    assert apply(table, binding())
    before = table.record_of(BOB)
    assert not apply(table, binding())
    assert table.record_of(BOB) == before
    assert len(table) == 1


def test_a_removed_binding_stays_removed_when_a_copy_of_it_turns_up_late() -> None:
    table = table_of(binding(), tombstone(binding(), WALL + 10))
    assert table.find(BOB, WALL + 11) == []
    assert (len(table), table.tombstones) == (0, 1)
    assert not apply(table, binding())
    assert table.find(BOB, WALL + 11) == []


def test_a_tombstone_is_forgotten_when_what_it_removed_would_have_ended() -> None:
    table = table_of(binding(lasts_s=100), tombstone(binding(lasts_s=100), WALL + 10))
    table.expire(WALL + 99, EVER)
    assert table.tombstones == 1
    table.expire(WALL + 102, EVER)
    assert table.tombstones == 0
    assert table.entries(BOB) == []
    assert table.store.records == {}
    # And then a late copy is past its own end.
    apply(table, binding(lasts_s=100))
    assert table.find(BOB, WALL + 102) == []


def test_a_binding_that_was_shortened_is_remembered_as_long_as_the_record_before_it_lasts() -> None:
    long = binding(lasts_s=3600)
    short = binding(at=WALL + 10, lasts_s=60, cseq=2, series=long.series)
    short.forget_at = long.forget_at
    table = table_of(long, short)
    assert table.expire(WALL + 100, EVER) == 1
    assert (len(table), table.tombstones) == (0, 1)
    assert not apply(table, binding(lasts_s=3600))
    table.expire(WALL + 3602, EVER)
    assert table.entries(BOB) == []


def test_a_refresh_prolongs_and_costs_no_second_entry() -> None:
    table = table_of(binding(lasts_s=60))
    first = table.find(BOB, WALL)[0]
    for turn in range(1, 5):
        apply(table, binding(at=WALL + 50 * turn, lasts_s=60, cseq=1 + turn, series=first.series))
        assert table.expire(WALL + 50 * turn, EVER) == 0
    assert len(table) == 1
    assert table.expire(WALL + 262, EVER) == 1
    assert len(table) == 0


def test_expiry_does_no_more_than_it_is_allowed_per_call() -> None:
    table = new_table()
    for number in range(100):
        apply(table, binding(aor=b"sip:%d@h" % number, lasts_s=60))
    ended = []
    while len(table):
        ended.append(table.expire(WALL + 100, 30))
    assert ended == [30, 30, 30, 10]
    assert table.find(b"sip:1@h", WALL + 100) == []


def test_a_table_at_its_limit_says_so_and_still_applies_what_others_accepted() -> None:
    table = new_table(2)
    apply(table, binding(aor=b"sip:1@h"))
    assert not table.is_full
    apply(table, binding(aor=b"sip:2@h"))
    assert table.is_full
    apply(table, binding(aor=b"sip:3@h"))
    assert len(table) == 3


def test_tombstones_of_one_address_are_bounded_and_the_newest_are_kept() -> None:
    table = new_table(tombstones_max=8)
    for number in range(40):
        one = binding(b"sip:bob@192.0.2.4:%d" % (5000 + number), at=WALL + number)
        apply(table, one)
        apply(table, tombstone(one, WALL + number + 0.5))
    assert table.tombstones == 8
    assert {one.uri for one in table.entries(BOB)} == {
        b"sip:bob@192.0.2.4:%d" % (5000 + number) for number in range(32, 40)
    }


def copy_of(one: Binding) -> Binding:
    return new_binding(
        one.aor,
        one.key,
        one.uri,
        one.parameters,
        one.q,
        one.expires_at,
        one.forget_at,
        one.call_id,
        one.cseq,
        one.path,
        one.instance,
        one.reg_id,
        one.flow,
        one.source,
        one.user_agent,
        one.series,
        one.version,
    )


def history(rng: random.Random) -> list[Binding]:
    """Records as workers with skewed clocks would make them, some of them from the same basis."""
    records: list[Binding] = []
    for number in range(60):
        aor = b"sip:user%d@h" % rng.randrange(3)
        uri = b"sip:c%d@h" % rng.randrange(3)
        known = [one for one in records if one.aor == aor and one.uri == uri]
        worker = rng.randrange(1, 4)
        at = WALL + number + rng.choice((0.0, 0.0, -30.0, 30.0)) + worker / 1000
        call_id = b"call-%d" % rng.randrange(2)
        basis = rng.choice(known) if known else None
        follows = basis is not None and basis.call_id == call_id
        one = binding(
            uri,
            aor,
            at=at,
            lasts_s=rng.choice((60, 3600)),
            call_id=call_id,
            worker=worker,
            cseq=basis.cseq + rng.randrange(1, 3) if basis and follows else 1,
            series=basis.series if basis and follows else None,
        )
        if rng.random() < 0.3:
            one.expires_at = 0.0
        records.append(one)
    return records


def state_of(table: DictTable) -> set[tuple[bytes, bytes, int, float]]:
    return {
        (one.aor, one.key, one.version, one.expires_at)
        for number in range(3)
        for one in table.entries(b"sip:user%d@h" % number)
    }


@pytest.mark.parametrize("seed", range(30))
def test_tables_converge_whatever_the_order_and_however_often_records_come(seed: int) -> None:
    print("seed", seed)
    rng = random.Random(seed)
    records = history(rng)
    states = []
    for _ in range(4):
        order = records + rng.choices(records, k=20)
        rng.shuffle(order)
        table = table_of(*[copy_of(one) for one in order])
        states.append(state_of(table))
    assert all(state == states[0] for state in states)


def test_what_was_stored_by_a_clock_that_ran_ahead_ends_with_the_longest_lifetime() -> None:
    table = new_table(EVER)
    table.lifetime_max_s = 7200
    table.expire(WALL, 0)
    apply(table, binding(at=WALL + 172800))
    assert [found.expires_at for found in table.find(BOB, WALL)] == [WALL + 7200]
    table.expire(WALL + 7202, EVER)
    table.expire(WALL + 7203, EVER)
    assert (len(table), table.tombstones) == (0, 0)


def test_contacts_that_come_and_go_without_end_leave_nothing_behind() -> None:
    table = new_table(EVER)
    for number in range(5000):
        uri = b"sip:bob@192.0.2.4;n=%d" % number
        contact = binding(uri, at=WALL + number / 1000)
        apply(table, contact)
        apply(table, tombstone(contact, WALL + number / 1000 + 0.0005))
    assert (len(table), table.tombstones) == (0, 20)
    assert len(table.store.due) < 100
    table.expire(WALL + 3700, EVER)
    table.expire(WALL + 3800, EVER)
    assert (table.tombstones, table.store.records, table.store.due) == (0, {}, [])
