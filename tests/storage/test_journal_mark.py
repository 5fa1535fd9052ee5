"""The mark that tells lost registrations from none."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.storage.journal_mark import is_marked
from tests.journal_bench import WALL, Keeper, segments


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "registrations"
    made.mkdir()
    return made


def test_the_first_registration_sets_the_mark(folder: Path) -> None:
    keeper = Keeper(folder)
    keeper.upkeep()
    assert not is_marked(folder)
    keeper.register(1)
    assert is_marked(folder)
    keeper.journal.close()


def test_the_mark_goes_with_the_last_segment_that_expires(folder: Path) -> None:
    keeper = Keeper(folder)
    keeper.register(1, lasts_s=60)
    keeper.journal.close()
    after = Keeper(folder, incarnation=2)
    after.load()
    assert is_marked(folder)
    after.upkeep(3, wall_time=WALL + 1_000_000)
    assert segments(folder) == [] and not is_marked(folder)


def test_the_mark_stays_while_another_worker_has_a_segment(folder: Path) -> None:
    for number in range(2):
        keeper = Keeper(folder, number, workers=2)
        keeper.register(number, lasts_s=60)
        keeper.journal.close()
    after = Keeper(folder, 0, workers=2, incarnation=2)
    after.load()
    after.upkeep(3, wall_time=WALL + 1_000_000)
    assert len(segments(folder)) == 1 and is_marked(folder)
