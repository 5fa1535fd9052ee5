"""A damaged store: each record whose page is whole is read, whatever the pages around it hold."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from appliance.storage.damaged_store import mark_read, readable_records, set_aside, unread_files
from appliance.storage.durable_registrations import DATA_FILE, PAGE_SIZE, DurableRegistrations

SHORT = {b"sip:%04d@x" % number: b"short %04d " % number * 20 for number in range(2000)}
LONG = {b"sip:long%02d@x" % number: b"long %04d " % number * 2000 for number in range(20)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = DurableRegistrations(tmp_path)
    store.write(sorted([*SHORT.items(), *LONG.items()]), 1, 1)
    store.close()
    return tmp_path


def records_of(path: Path) -> set[bytes]:
    return {record for batch in readable_records(path) for record in batch}


def test_all_of_a_sound_file_is_read(folder: Path) -> None:
    assert records_of(folder / DATA_FILE) == {*SHORT.values(), *LONG.values()}


def test_without_its_first_pages_all_is_read_all_the_same(folder: Path) -> None:
    with (folder / DATA_FILE).open("r+b") as file:
        file.write(b"\0" * 2 * PAGE_SIZE)
    assert records_of(folder / DATA_FILE) == {*SHORT.values(), *LONG.values()}


def test_of_a_file_cut_off_anywhere_the_beginning_is_read(folder: Path) -> None:
    with (folder / DATA_FILE).open("r+b") as file:
        file.truncate(folder.joinpath(DATA_FILE).stat().st_size // 2 + 77)
    found = records_of(folder / DATA_FILE)
    assert 200 < len(found) < 2020
    assert found <= {*SHORT.values(), *LONG.values()}


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_damaged_nothing_is_read_that_was_not_written(folder: Path, seed: int) -> None:
    chosen = random.Random(seed)
    octets = bytearray((folder / DATA_FILE).read_bytes())
    for _ in range(200):
        octets[chosen.randrange(len(octets))] = chosen.randrange(256)
    for _ in range(5):
        page = chosen.randrange(len(octets) // PAGE_SIZE) * PAGE_SIZE
        octets[page : page + PAGE_SIZE] = chosen.randbytes(PAGE_SIZE)
    (folder / DATA_FILE).write_bytes(octets)
    found = records_of(folder / DATA_FILE)
    assert len(found) > 500
    assert found <= {*SHORT.values(), *LONG.values()}


def test_a_file_set_aside_is_unread_until_it_is_said_to_be_read(folder: Path) -> None:
    aside = set_aside(folder)
    assert unread_files(folder) == [aside]
    kept = mark_read(aside)
    assert unread_files(folder) == []
    assert kept.name.startswith("data.mdb.damaged-")
    assert not (folder / DATA_FILE).exists()


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / DATA_FILE).write_bytes(b"")
    assert records_of(tmp_path / DATA_FILE) == set()
