"""Writers of the shared registration table are killed at random moments while others write: nothing that was committed
is lost, nothing is half there, and no writer waits (cluster notes 5).
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Final

import pytest

from appliance.storage.registration_check import faults_of
from appliance.storage.registrations import SharedTable
from tests.effort import examples
from tests.location.bindings import WALL, binding, change
from tests.storage.registration_processes import (
    LIMIT,
    OWN,
    SHARED,
    kill,
    own_address,
    shared_address,
    start,
    step_of,
    write,
)

WRITERS: Final = 3
SOON_S: Final = 5.0


class Reference:
    """What has to be in the table, by what the writers noted once it was committed."""

    def __init__(self, notes: list[Path]) -> None:
        self.steps = [step_of(noted) for noted in notes]

    def assert_kept(self, table: SharedTable) -> None:
        for writer, step in enumerate(self.steps):
            for past in range(max(1, step - OWN + 1), step + 1):
                found = table.entries(own_address(writer, past))
                assert len(found) == 1
                assert found[0].cseq >= past and found[0].cseq % OWN == past % OWN
            for past in range(max(1, step - SHARED + 1), step + 1):
                found = [entry for entry in table.entries(shared_address(past)) if entry.series == writer]
                assert len(found) == 1
                assert found[0].cseq >= past


def assert_not_blocked(table: SharedTable, number: int) -> None:
    table.apply(change(binding(aor=b"sip:check@h", at=WALL + number, cseq=number, series=1)))
    until = time.monotonic() + SOON_S
    while not table.commit():
        assert time.monotonic() < until, "the lock of a killed process is not free"


@pytest.mark.parametrize("kills", [examples(40), pytest.param(1000, marks=pytest.mark.load)])
def test_writers_killed_at_random_moments_leave_a_sound_table(tmp_path: Path, kills: int) -> None:
    directory = tmp_path / "table"
    table = SharedTable.create(directory, LIMIT, 1)
    table.changes_max = 5000
    notes = [tmp_path / f"writer-{number}" for number in range(WRITERS)]
    writers = [start(write, directory, number, notes[number]) for number in range(WRITERS)]
    chance = random.Random(kills)
    try:
        for number in range(1, kills + 1):
            victim = chance.randrange(WRITERS)
            begun, until = step_of(notes[victim]), time.monotonic() + SOON_S
            while step_of(notes[victim]) <= begun + chance.randrange(50):
                assert time.monotonic() < until, "a writer does not get on"
            kill(writers[victim][0])
            writers[victim][1].close()
            reference = Reference(notes)
            assert_not_blocked(table, number)
            reference.assert_kept(table)
            assert faults_of(table) == []
            table.reader_check()
            table.after_pass(table.last_seq, WALL, 100)
            writers[victim] = start(write, directory, victim, notes[victim])
    finally:
        for process, pipe in writers:
            kill(process)
            pipe.close()
    assert faults_of(table) == []
    assert table.first_seq > 0
    table.close()
