"""The registrations on disk: transactions with a position, pages in order, damage and a full disk told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.storage.durable_registrations import (
    DATA_FILE,
    NO_POSITION,
    DurableRegistrations,
    StoreDamaged,
    StoreFailing,
    is_missing,
    packed,
    unpacked,
)


def filled(folder: Path, count: int = 500) -> DurableRegistrations:
    store = DurableRegistrations(folder)
    store.write([(b"sip:%04d@x" % number, b"record %d " % number * 20) for number in range(count)], 7, 40)
    return store


def test_what_was_written_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    filled(tmp_path).close()
    store = DurableRegistrations(tmp_path)
    assert len(store) == 500
    assert store.page(b"", 2) == [(b"sip:0000@x", b"record 0 " * 20), (b"sip:0001@x", b"record 1 " * 20)]
    store.close()


def test_records_are_removed_and_the_position_moves_in_the_same_transaction(tmp_path: Path) -> None:
    store = filled(tmp_path, 3)
    store.write([(b"sip:0000@x", None), (b"sip:0001@x", b"new"), (b"sip:9999@x", None)], 7, 41)
    assert store.page(b"", 10) == [(b"sip:0001@x", b"new"), (b"sip:0002@x", b"record 2 " * 20)]
    assert store.position(7) == 41
    store.close()


def test_the_position_is_that_of_one_table(tmp_path: Path) -> None:
    store = DurableRegistrations(tmp_path)
    assert store.position(7) == NO_POSITION
    store.write([], 7, 40)
    assert store.position(7) == 40
    assert store.position(8) == NO_POSITION
    store.close()


def test_pages_go_on_after_a_key_whether_it_is_there_or_not(tmp_path: Path) -> None:
    store = filled(tmp_path, 5)
    assert [key for key, _ in store.page(b"sip:0001@x", 2)] == [b"sip:0002@x", b"sip:0003@x"]
    assert [key for key, _ in store.page(b"sip:0001", 2)] == [b"sip:0001@x", b"sip:0002@x"]
    assert store.page(b"sip:0004@x", 2) == []
    store.close()


def test_a_map_that_is_too_small_grows(tmp_path: Path) -> None:
    store = DurableRegistrations(tmp_path, map_size=1 << 16)
    store.write([(b"sip:%05d@x" % number, b"r" * 300) for number in range(2000)], 1, 1)
    assert len(store) == 2000
    store.close()


def test_a_file_that_is_cut_off_is_damaged(tmp_path: Path) -> None:
    filled(tmp_path).close()
    with (tmp_path / DATA_FILE).open("r+b") as file:
        file.truncate(5 * 4096)
    with pytest.raises(StoreDamaged, match="octets instead of"):
        DurableRegistrations(tmp_path)


def test_a_file_of_something_else_is_damaged(tmp_path: Path) -> None:
    (tmp_path / DATA_FILE).write_bytes(b"x" * 20_000)
    with pytest.raises(StoreDamaged):
        DurableRegistrations(tmp_path)


def test_a_changed_octet_of_a_record_is_found(tmp_path: Path) -> None:
    filled(tmp_path).close()
    octets = bytearray((tmp_path / DATA_FILE).read_bytes())
    at = octets.find(b"record 250 ")
    while at >= 0:
        octets[at] ^= 1
        at = octets.find(b"record 250 ", at)
    (tmp_path / DATA_FILE).write_bytes(octets)
    store = DurableRegistrations(tmp_path)
    with pytest.raises(StoreDamaged, match="checksum"):
        store.page(b"", 1000)
    store.close()


def test_a_store_of_a_later_format_is_left_alone(tmp_path: Path) -> None:
    store = filled(tmp_path)
    with store._environment.begin(db=store._facts, write=True) as transaction:
        transaction.put(b"format", b"2")
    store.close()
    with pytest.raises(StoreDamaged, match="format 2"):
        DurableRegistrations(tmp_path)


def test_a_folder_that_cannot_be_made_is_a_failing_disk(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreFailing):
        DurableRegistrations(tmp_path / "file" / "registrations")


def test_a_store_that_was_there_and_is_not_is_missed(tmp_path: Path) -> None:
    folder = tmp_path / "registrations"
    assert not is_missing(folder)
    DurableRegistrations(folder).close()
    assert not is_missing(folder)
    (folder / DATA_FILE).unlink()
    assert is_missing(folder)


def test_a_checksum_stands_before_each_record() -> None:
    assert unpacked(packed(b"record")) == b"record"
    assert unpacked(packed(b"record")[:-1]) is None
    assert unpacked(b"") is None
