"""The cleaning of the journal: what is over goes, what is current is copied first, and nothing is lost on the way."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from appliance.messages.record_frames import HEADER, FrameReader, frame
from appliance.storage.journal_compaction import Compactor
from appliance.storage.journal_segment import LATER, Segment
from tests.journal_bench import WALL, Keeper, segments, users, wait_for


def test_a_segment_is_deleted_when_everything_in_it_is_over(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    for user in range(300):
        keeper.register(user, lasts_s=60)
    keeper.register(1000)
    assert len(segments(tmp_path)) > 2
    keeper.upkeep(20, wall_time=WALL + 1000)
    keeper.journal.close()
    assert len(segments(tmp_path)) == 1
    again = Keeper(tmp_path, incarnation=2)
    again.load()
    assert again.users() > users(1000)


def test_refreshes_do_not_make_the_journal_grow(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.register(*range(100, 110))
    for turn in range(2000):
        keeper.register(turn % 20, at=turn)
        if turn % 5 == 0:
            keeper.upkeep()
    wait_for(lambda: keeper.files_after_upkeep() <= 8)
    keeper.journal.close()
    again = Keeper(tmp_path, incarnation=2)
    again.load()
    assert again.users() == users(*range(20), *range(100, 110))
    assert again.table.digests == keeper.table.digests


def test_many_restarts_do_not_leave_many_files(tmp_path: Path) -> None:
    for incarnation in range(1, 101):
        keeper = Keeper(tmp_path, incarnation=incarnation)
        keeper.load()
        keeper.register(incarnation)
        keeper.journal.close()
    keeper = Keeper(tmp_path, incarnation=200)
    keeper.load()
    keeper.register(500)
    wait_for(lambda: keeper.files_after_upkeep() < 70)
    keeper.journal.close()
    again = Keeper(tmp_path, incarnation=201)
    again.load()
    assert again.users() == users(*range(1, 101), 500)


def test_segments_of_a_worker_that_is_no_more_are_another_ones_to_clean(tmp_path: Path) -> None:
    gone = Keeper(tmp_path, number=3, workers=4)
    gone.register(1, lasts_s=60)
    gone.journal.close()
    others = [Keeper(tmp_path, number, workers=2, incarnation=2) for number in range(2)]
    for other in others:
        other.load()
    others[0].upkeep(3, wall_time=WALL + 1000)
    assert len(segments(tmp_path)) == 1
    others[1].upkeep(3, wall_time=WALL + 1000)
    assert segments(tmp_path) == []


# The cleaner by itself


class Table:
    """Says of each record what a test wants. A record that is not in `current` is one of no known kind."""

    def __init__(self) -> None:
        self.current: dict[bytes, bool] = {}

    def forget_at(self, record: bytes) -> float:
        if record not in self.current:
            raise ValueError("no record")
        return WALL + 3600.0

    def is_current(self, record: bytes) -> bool:
        return self.current[record]

    def count(self) -> int:
        return 0


class Cleaning:
    """A cleaner with one full segment, in which are a current record, one that is not, and one of no known kind."""

    def __init__(self, folder: Path) -> None:
        self.table = Table()
        self.table.current = {b"current": True, b"replaced": False}
        self.remarks: list[str] = []
        # Of the smallest size, so that there is always too much.
        self.cleaner = Compactor(1, 1, self.table, self.remarks)
        self.segment = Segment(folder / "worker-000-0000000000000001-000001.journal")
        self.segment.create()
        for record in (b"current", b"replaced", b"unheard of"):
            self.segment.write(frame(record))
        self.segment.forget_at = WALL + 3600.0
        self.segment.close()
        self.cleaner.add(self.segment)

    def read(self, octets: int = 1 << 16) -> tuple[list[bytes], float]:
        copies, forget_at = self.cleaner.read_on(octets, WALL, None)
        return FrameReader().feed(HEADER + copies), forget_at

    def finish(self, request: int) -> None:
        assert self.cleaner.is_at_end()
        self.cleaner.finish(request, None)


@pytest.fixture
def cleaning(tmp_path: Path) -> Cleaning:
    return Cleaning(tmp_path)


def test_what_is_current_is_handed_out_and_what_is_not_known_too(cleaning: Cleaning) -> None:
    assert cleaning.read() == ([b"current", b"unheard of"], LATER)
    assert not cleaning.cleaner.is_at_end()
    assert cleaning.read() == ([], 0.0)
    assert cleaning.cleaner.is_at_end()


def test_a_segment_that_has_vanished_is_in_nobodys_way(cleaning: Cleaning) -> None:
    """A sibling was done with it, or an operator."""
    cleaning.segment.path.unlink()
    assert cleaning.read() == ([], 0.0)
    assert not cleaning.cleaner.is_reading
    assert "cannot be read" in cleaning.remarks[0]
    assert cleaning.read() == ([], 0.0)
    assert len(cleaning.remarks) == 1


def test_copies_matter_as_long_as_what_they_are_of(cleaning: Cleaning) -> None:
    cleaning.table.current[b"unheard of"] = False
    assert cleaning.read() == ([b"current"], WALL + 3600.0)


def test_a_segment_stays_until_its_copies_are_on_the_disk(cleaning: Cleaning) -> None:
    cleaning.read()
    cleaning.read()
    cleaning.finish(7)
    cleaning.cleaner.delete(WALL, 6)
    assert cleaning.segment.path.exists()
    cleaning.cleaner.delete(WALL, 7)
    assert not cleaning.segment.path.exists()


def test_a_segment_whose_copies_the_disk_did_not_keep_is_a_segment_again(cleaning: Cleaning) -> None:
    """fsync failed: nobody knows what of the copies is there, and a number that comes later proves nothing of them."""
    cleaning.read()
    cleaning.read()
    cleaning.finish(7)
    cleaning.cleaner.copy_again()
    cleaning.cleaner.delete(WALL, 8)
    assert cleaning.segment.path.exists()
    assert cleaning.read()[0] == [b"current", b"unheard of"]


def test_copies_that_could_not_be_written_are_handed_out_again(cleaning: Cleaning) -> None:
    # The first record, and part of the next.
    cleaning.read(len(HEADER) + 20)
    cleaning.read()
    cleaning.cleaner.stop()
    assert cleaning.read()[0] == [b"current", b"unheard of"]


def test_a_segment_in_which_everything_is_over_goes_while_it_is_read(cleaning: Cleaning) -> None:
    cleaning.read()
    cleaning.cleaner.delete(WALL + 10_000.0, 0)
    assert not cleaning.segment.path.exists()
    assert not cleaning.cleaner.is_at_end()
    assert cleaning.read() == ([], 0.0)


def test_a_file_that_is_found_damaged_is_set_aside_when_the_rest_is_copied(cleaning: Cleaning) -> None:
    path = cleaning.segment.path
    path.write_bytes(path.read_bytes().replace(b"replaced", b"\0\0\0\0\0\0\0\0"))
    assert cleaning.read()[0] == [b"current", b"unheard of"]
    cleaning.read()
    cleaning.finish(2)
    cleaning.cleaner.delete(WALL, 1)
    # Its copies are not on the disk yet.
    assert path.exists()
    cleaning.cleaner.delete(WALL, 2)
    (aside,) = path.parent.iterdir()
    assert aside.name.startswith(f"{path.name}.damaged-")
    assert aside.name in cleaning.remarks[0]


def test_a_file_that_cannot_be_read_is_left_alone(tmp_path: Path) -> None:
    remarks: list[str] = []
    cleaner = Compactor(1, 1, Table(), remarks)
    unreadable = Segment(Path("/proc/self/mem"))  # opens, and gives nothing from where it begins
    unreadable.size = 1000
    unreadable.forget_at = WALL + 3600.0
    cleaner.add(unreadable)
    assert cleaner.read_on(100, WALL, None) == (b"", 0.0)
    assert "cannot be read" in remarks[0]
    assert cleaner.read_on(100, WALL, None) == (b"", 0.0)
    cleaner.delete(WALL + 10_000.0, 0)
    assert len(remarks) == 1


def test_when_nearly_all_was_current_nothing_is_cleaned_until_there_is_more(cleaning: Cleaning) -> None:
    cleaning.table.current[b"replaced"] = True
    newest = Segment(cleaning.segment.path.with_name("newest"))
    newest.size = 1000
    cleaning.read()
    cleaning.read()
    cleaning.cleaner.finish(1, newest)
    cleaning.cleaner.add(cleaning.segment)
    newest.size = 1100
    assert cleaning.cleaner.read_on(1000, WALL, newest) == (b"", 0.0)
    newest.size = 1300
    assert cleaning.cleaner.read_on(1000, WALL, newest) != (b"", 0.0)


def test_changes_that_come_faster_than_the_pace_do_not_make_the_journal_grow(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.upkeep()
    turns = iter(range(100_000))

    def is_small_again() -> bool:
        for turn in islice(turns, 100):
            keeper.register(turn % 20, at=turn / 100)
        return turn >= 5000 and len(segments(tmp_path)) <= 10

    wait_for(is_small_again)
    keeper.journal.close()
    again = Keeper(tmp_path, incarnation=2)
    again.load()
    assert again.users() == users(*range(20))
