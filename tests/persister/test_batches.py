"""What a pass writes: each changed address once, in the order of keys; and what makes two stores equal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.persister.batches import Batch, batch_after, differences, is_in_log


class Log:
    """A table of records, and a log of what changed."""

    def __init__(self, records: dict[bytes, bytes], changed: list[bytes], first_seq: int = 0) -> None:
        self.records = records
        self.changed = changed
        self.first_seq = first_seq
        self.last_seq = first_seq + len(changed)

    def changes_after(self, seq: int, limit: int) -> list[tuple[int, bytes]]:
        numbered = enumerate(self.changed, self.first_seq + 1)
        return [(number, aor) for number, aor in numbered if number > seq][:limit]

    def records_of(self, aors: list[bytes]) -> list[bytes | None]:
        return [self.records.get(aor) for aor in aors]


def upper(aor: bytes) -> bytes:
    return aor.upper()


def test_an_address_that_changed_twice_is_written_once_in_the_order_of_keys() -> None:
    table = Log({b"b": b"2", b"a": b"1"}, [b"b", b"a", b"b"])
    assert batch_after(table, 0, 10, upper) == Batch(3, [(b"A", b"1"), (b"B", b"2")])


def test_an_address_without_a_record_was_removed() -> None:
    assert batch_after(Log({}, [b"a"]), 0, 10, upper) == Batch(1, [(b"A", None)])


def test_a_batch_is_bounded_and_the_next_one_goes_on() -> None:
    table = Log({b"a": b"1", b"b": b"2"}, [b"a", b"b"])
    first = batch_after(table, 0, 1, upper)
    assert first == Batch(1, [(b"A", b"1")])
    assert batch_after(table, first.seq, 1, upper) == Batch(2, [(b"B", b"2")])
    assert batch_after(table, 2, 1, upper) == Batch(2, [])


def test_who_is_behind_the_beginning_of_the_log_has_fallen_out_of_it() -> None:
    table = Log({}, [b"a", b"b"], first_seq=10)
    assert [is_in_log(table, seq) for seq in (-1, 9, 10, 12, 13)] == [False, False, True, True, False]


RECORDS = st.dictionaries(st.binary(min_size=1, max_size=2), st.binary(max_size=1), max_size=40)


def page_of(records: dict[bytes, bytes], after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
    return sorted((key, record) for key, record in records.items() if key > after)[:limit]


@given(RECORDS, RECORDS, st.integers(1, 10))
def test_page_by_page_two_stores_become_equal(
    wanted: dict[bytes, bytes], store: dict[bytes, bytes], limit: int
) -> None:
    after: bytes | None = b""
    while after is not None:
        pages = page_of(wanted, after, limit), page_of(store, after, limit)
        changes, after = differences(*pages, limit)
        assert changes == sorted(changes, key=lambda change: change[0])
        for key, record in changes:
            if record is None:
                del store[key]
            else:
                assert store.get(key) != record
                store[key] = record
    assert store == wanted
