"""The persister is killed, and the power is cut, at random moments of its writing: what is on the disk is always whole.

A power cut is played by copies of the file while the process stands still; and by mixtures of two copies, for a disk
writes the pages of an unfinished transaction in any order.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.storage.durable_registrations import DATA_FILE, PAGE_SIZE, DurableRegistrations
from appliance.storage.registration_check import faults_of
from tests.persister.persister_process import History, PersisterProcess, wait_for

ROUNDS = 15
COPIES = 40
METAS = 2 * PAGE_SIZE


@pytest.fixture
def persister(tmp_path: Path) -> Iterator[PersisterProcess]:
    persister = PersisterProcess(tmp_path)
    yield persister
    persister.kill()


def test_killed_at_random_moments_it_leaves_a_whole_store_each_time(persister: PersisterProcess) -> None:
    table = persister.attached()
    history = History(table, seed=1)
    chosen = random.Random(2)
    reached = 0
    for _ in range(ROUNDS):
        history.write(chosen.randrange(1, 300))
        persister.kill()
        store = DurableRegistrations(persister.folder)
        position = history.check(store, table.generation)
        store.close()
        assert position >= reached
        reached = position
        # Also what it left in the table is whole.
        assert faults_of(table) == []
        persister.started()
    history.write(10)
    wait_for(lambda: table.position == len(history.numbers), "it works again")
    history.write(10)
    assert persister.terminate() == 0
    store = DurableRegistrations(persister.folder)
    assert history.check(store, table.generation) == len(history.numbers)
    store.close()
    table.close()


def opened_copy(folder: Path, octets: bytes) -> DurableRegistrations:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / DATA_FILE).write_bytes(octets)
    return DurableRegistrations(folder)


def test_after_a_power_cut_at_any_moment_the_store_opens_and_is_the_table_of_a_moment_before(
    persister: PersisterProcess, tmp_path: Path
) -> None:
    table = persister.attached()
    history = History(table, seed=3)
    chosen = random.Random(4)
    history.write(1)
    wait_for(lambda: table.position >= 1, "the first change is on the disk")
    reached = mixed = 0
    before = b""
    for _ in range(COPIES):
        history.write(chosen.randrange(1, 60))
        persister.pause()
        octets = (persister.folder / DATA_FILE).read_bytes()
        noted = table.position
        persister.go_on()
        store = opened_copy(tmp_path / "copy", octets)
        position = history.check(store, table.generation)
        store.close()
        # What the table was told to be on the disk is there.
        assert position >= max(noted, reached)
        reached = position
        if before[:METAS] == octets[:METAS]:
            mixed += check_mixture(before, octets, chosen, lambda octets: opened_copy(tmp_path / "copy", octets))
        before = octets
        persister.pause()
        # Often in the same transaction as the last one.
        before = (persister.folder / DATA_FILE).read_bytes()
        persister.go_on()
        if before[:METAS] == octets[:METAS]:
            mixed += check_mixture(octets, before, chosen, lambda octets: opened_copy(tmp_path / "copy", octets))
    assert mixed
    table.close()


def check_mixture(
    one: bytes, other: bytes, chosen: random.Random, opened: Callable[[bytes], DurableRegistrations]
) -> bool:
    """Pages of one moment and of a later one of the same transaction: the store is that of before the transaction."""
    pages = [
        (one if chosen.random() < 0.5 and at + PAGE_SIZE <= len(one) else other)[at : at + PAGE_SIZE]
        for at in range(0, len(other), PAGE_SIZE)
    ]
    contents = []
    for octets in (one, b"".join(pages)):
        store = opened(octets)
        contents.append(store.page(b"", 1000))
        store.close()
    assert contents[0] == contents[1]
    return one != other
