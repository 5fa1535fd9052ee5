"""Versions of records are in one order over nodes, and so are the records (design 4)."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from appliance.location.binding import Binding, BindingChange, new_binding
from appliance.location.dict_table import DictStore, DictTable
from appliance.location.record_version import made_at, next_version, second_of
from appliance.transport.process_id import NODE_MAX

WALL = 1_700_000_000.0
LAST_MOMENT = 4_480_000_000.0  # in the year 2111

NODES = st.integers(0, NODE_MAX)
TIMES = st.floats(0.0, LAST_MOMENT)


def record(series: int, cseq: int, version: int, call_id: bytes, uri: bytes = b"sip:a@h") -> Binding:
    return new_binding(
        *(b"sip:a@example.com", b"key", uri, b"", 1000, WALL + 60, WALL + 60, call_id, cseq, (), b"", 0, None, None),
        *(b"", series, version),
    )


def test_a_version_tells_its_time_and_nodes_of_one_moment_apart() -> None:
    versions = [next_version(WALL + 0.25, node, 0) for node in (0, 1, NODE_MAX)]
    assert versions == sorted(set(versions))
    assert [made_at(version) for version in versions] == [WALL + 0.25] * 3
    assert {second_of(version) for version in versions} == {int(WALL)}
    assert next_version(WALL + 0.250001, 0, 0) > versions[-1]


@given(TIMES, NODES, TIMES, NODES)
def test_a_version_is_greater_than_the_one_it_replaces_whatever_the_clocks_say(
    before: float, one: int, now: float, other: int
) -> None:
    replaced = next_version(before, one, 0)
    assert replaced < next_version(now, other, replaced) < 1 << 64


RECORDS = st.builds(
    record,
    series=st.integers(1, 2),
    cseq=st.integers(1, 2),
    version=st.integers(1, 2),
    call_id=st.sampled_from([b"a", b"b"]),
    uri=st.sampled_from([b"sip:a@h", b"sip:b@h"]),
)


@given(RECORDS, RECORDS, RECORDS)
def test_records_are_in_one_total_order(one: Binding, other: Binding, third: Binding) -> None:
    fields = ("series", "cseq", "version", "call_id", "uri")
    are_equal = all(getattr(one, name) == getattr(other, name) for name in fields)
    assert one.comes_after(other) + other.comes_after(one) == (0 if are_equal else 1)
    if one.comes_after(other) and other.comes_after(third):
        assert one.comes_after(third)


@given(st.lists(RECORDS, min_size=1, max_size=4))
def test_tables_agree_whatever_the_order_of_arrival(records: list[Binding]) -> None:
    kept = set()
    for order in permutations(records):
        table = DictTable(DictStore(), 10)
        for one in order:
            copy = record(one.series, one.cseq, one.version, one.call_id, one.uri)
            table.apply(BindingChange(copy.aor, (copy,)))
            assert table.commit()
        (winner,) = table.entries(b"sip:a@example.com")
        kept.add((winner.version, winner.call_id, winner.uri))
    assert len(kept) == 1
