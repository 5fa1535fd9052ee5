"""The journal of registrations in a folder of its own: written, read, damaged, and a disk that is full."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event, get_ident

import pytest

from appliance.messages.record_frames import HEADER
from appliance.storage.journal import BACKLOG_MAX
from appliance.storage.journal_files import check_folder
from tests.journal_bench import WALL, Keeper, segments, users, wait_for, written


def test_what_was_written_is_read_by_the_next_process(tmp_path: Path) -> None:
    before = Keeper(tmp_path)
    before.register(1, 2)
    before.register(3)
    # The process dies here: nothing is closed.
    after = Keeper(tmp_path, incarnation=2)
    assert after.load() == 3
    assert after.users() == users(1, 2, 3)
    assert after.journal.take_remarks() == []
    before.journal.close()


def test_every_worker_reads_the_segments_of_all(tmp_path: Path) -> None:
    for number in range(3):
        keeper = Keeper(tmp_path, number, workers=3)
        keeper.register(number)
        keeper.journal.close()
    for number in range(2):
        keeper = Keeper(tmp_path, number, workers=2, incarnation=2)
        assert keeper.load() == 3


def test_reading_yields_so_that_it_can_be_done_in_slices(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    for user in range(1000):
        keeper.register(user)
    keeper.journal.close()
    portions = list(Keeper(tmp_path, incarnation=2).journal.load(WALL))
    assert len(portions) > 5
    assert sum(map(len, portions)) == 1000


def test_what_is_past_its_time_is_not_read(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.register(1, lasts_s=60)
    keeper.register(2)
    keeper.journal.close()
    later = Keeper(tmp_path, incarnation=2)
    assert sum(map(len, later.journal.load(WALL + 61))) == 1


def test_a_full_segment_is_followed_by_the_next(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    for user in range(300):
        keeper.register(user)
    assert len(segments(tmp_path)) > 2
    assert all(path.stat().st_size < 17 * 1024 for path in segments(tmp_path))
    keeper.journal.close()


def test_a_file_that_bears_the_next_name_already_is_never_written_over(tmp_path: Path) -> None:
    before = Keeper(tmp_path)
    before.register(1)
    before.journal.close()
    after = Keeper(tmp_path)
    after.register(2)
    after.upkeep()
    assert after.journal.alarms() == []
    after.journal.close()
    assert Keeper(tmp_path, incarnation=2).load() == 2


def test_the_header_says_what_the_file_is(tmp_path: Path) -> None:
    assert written(tmp_path).read_bytes().startswith(HEADER)


def test_damage_that_shows_while_loading_costs_no_other_record_and_no_file(tmp_path: Path) -> None:
    path = written(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:1000] + b"\0" * 10 + whole[1010:])
    keeper = Keeper(tmp_path, incarnation=2)
    assert keeper.load() >= 48
    assert "damaged" in keeper.journal.take_remarks()[0]
    keeper.upkeep(5, wall_time=WALL + 10_000)
    assert path.exists()


def test_damage_is_told_by_the_worker_that_looks_after_the_file_alone(tmp_path: Path) -> None:
    path = written(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:1000] + b"\0" * 10 + whole[1010:])
    told = []
    for number in range(3):
        keeper = Keeper(tmp_path, number, workers=3, incarnation=2)
        keeper.load()
        told += keeper.journal.take_remarks()
    assert len(told) == 1


# A disk that does not take what is written


class Disk:
    """Stands between the journal and the kernel: takes so many octets and no more."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room = 1 << 40
        self._write = os.write
        monkeypatch.setattr("appliance.storage.journal_segment.os.write", self.write)

    def write(self, fd: int, data: bytes) -> int:
        if not self.room:
            raise OSError(28, "No space left on device")
        written = self._write(fd, data[: self.room])
        self.room -= written
        return written


def test_a_full_disk_stops_nothing_and_all_is_written_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    keeper = Keeper(tmp_path)
    keeper.register(1)
    disk.room = 50  # half a record
    keeper.register(2, 3)
    keeper.register(4)
    (sentence,) = keeper.journal.alarms()
    assert "No space left on device" in sentence
    assert keeper.journal.failed_count == 3
    # What was half written is gone.
    assert Keeper(tmp_path, incarnation=2).load() == 1
    keeper.upkeep(3)
    assert keeper.journal.alarms()
    disk.room = 1 << 40
    keeper.upkeep()
    assert keeper.journal.alarms() == []
    keeper.register(5)
    keeper.journal.close()
    again = Keeper(tmp_path, incarnation=3)
    again.load()
    assert again.users() == users(1, 2, 3, 4, 5)
    assert check_folder(tmp_path) == []


def test_a_disk_that_is_full_from_the_start_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    disk.room = 0
    keeper = Keeper(tmp_path)
    keeper.register(1)
    keeper.upkeep(20)
    assert list(tmp_path.iterdir()) == []
    disk.room = 1 << 40
    keeper.upkeep()
    keeper.journal.close()
    assert Keeper(tmp_path, incarnation=2).load() == 1


def test_what_cannot_even_be_taken_back_is_left_at_the_end_of_its_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    keeper = Keeper(tmp_path)
    keeper.register(1)
    disk.room = 50  # half a record
    with monkeypatch.context() as broken:
        broken.setattr("appliance.storage.journal_segment.os.ftruncate", refuse)
        keeper.register(2)
    disk.room = 1 << 40
    keeper.upkeep()
    keeper.register(3)
    keeper.journal.close()
    assert len(segments(tmp_path)) == 2
    (sentence,) = check_folder(tmp_path)
    assert "is incomplete" in sentence
    again = Keeper(tmp_path, incarnation=2)
    again.load()
    assert again.users() == users(1, 2, 3)


def refuse(fd: int, size: int) -> None:
    raise OSError(5, "Input/output error")


def test_more_than_can_wait_is_written_anew_from_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.storage.journal.BACKLOG_MAX", 10_000)
    assert BACKLOG_MAX > 10_000
    disk = Disk(monkeypatch)
    keeper = Keeper(tmp_path)
    keeper.register(1)
    disk.room = 0
    for user in range(2, 200):
        keeper.register(user)
    disk.room = 5000
    keeper.upkeep(2)
    assert keeper.journal.alarms()
    disk.room = 1 << 40
    keeper.upkeep(5)
    assert keeper.journal.alarms() == []
    keeper.journal.close()
    again = Keeper(tmp_path, incarnation=2)
    again.load()
    assert again.users() == users(*range(1, 200))


def test_what_changes_while_all_is_written_anew_and_finds_no_room_is_written_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.storage.journal.BACKLOG_MAX", 1000)
    disk = Disk(monkeypatch)
    keeper = Keeper(tmp_path)
    disk.room = 0
    # More than one step writes.
    for user in range(2000):
        keeper.register(user)
    disk.room = 1 << 40
    keeper.upkeep()
    assert keeper.journal.is_busy and not keeper.journal.alarms()
    disk.room = 0
    keeper.register(*range(2000, 2200))
    disk.room = 1 << 40
    keeper.upkeep(10)
    keeper.journal.close()
    again = Keeper(tmp_path, incarnation=2)
    again.load()
    assert again.users() == users(*range(2200))


def test_when_the_disk_fails_to_keep_what_it_took_everything_is_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = Keeper(tmp_path)
    keeper.register(1, 2)
    wait_for(lambda: keeper.journal._fsync_thread.completed >= 1)

    def fail(fd: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr("appliance.storage.fsync_thread.os.fsync", fail)
        keeper.register(3)
        wait_for(lambda: keeper.journal._fsync_thread.fault)
        keeper.upkeep()
        for path in segments(tmp_path)[:1]:
            path.unlink()  # what the disk lost
    keeper.upkeep(5)
    keeper.journal.close()
    again = Keeper(tmp_path, incarnation=2)
    again.load()
    assert again.users() == users(1, 2, 3)


def test_a_disk_that_fails_once_more_when_the_file_is_closed_ends_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """close(2) may tell of what could not be written, too (NFS, FUSE, a quota)."""
    keeper = Keeper(tmp_path)
    keeper.register(1, 2)
    wait_for(lambda: keeper.journal._fsync_thread.completed >= 1)
    close, served_by = os.close, get_ident()

    def closed_badly(fd: int) -> None:
        close(fd)
        if get_ident() == served_by:
            raise OSError(5, "Input/output error")

    keeper.journal._fsync_thread.fault = "Input/output error"
    with monkeypatch.context() as broken:
        broken.setattr("appliance.storage.journal_segment.os.close", closed_badly)
        keeper.upkeep()
    keeper.upkeep(5)
    assert keeper.journal.alarms() == []
    with monkeypatch.context() as broken:
        broken.setattr("appliance.storage.journal_segment.os.close", closed_badly)
        keeper.journal.close()
    for path in segments(tmp_path)[:1]:
        path.unlink()  # what the disk lost
    again = Keeper(tmp_path, incarnation=2)
    again.load()
    assert again.users() == users(1, 2)


def test_nothing_goes_whose_copies_the_disk_has_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Keeper(tmp_path)
    keeper.register(*range(20))
    wait_for(lambda: keeper.journal._fsync_thread.completed >= 1)
    kept = set(segments(tmp_path))
    is_copied = Event()

    def fail(fd: int) -> None:
        is_copied.wait(10)
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr("appliance.storage.fsync_thread.os.fsync", fail)
        while not keeper.journal._cleaner._copied:
            keeper.register(0, at=keeper.now)
            keeper.upkeep()
        is_copied.set()
        wait_for(lambda: keeper.journal._fsync_thread.fault)
        keeper.upkeep()
    # A power cut: what the disk did not keep is gone.
    for path in set(segments(tmp_path)) - kept:
        path.unlink()
    again = Keeper(tmp_path, incarnation=2)
    again.load()
    assert again.users() == users(*range(20))
    keeper.journal.close()


def test_a_file_that_cannot_grow_is_the_same_as_a_full_disk(tmp_path: Path) -> None:
    """The kernel's own refusal, by a limit on the size of files, in a process of its own."""
    pid = os.fork()
    if pid == 0:
        import resource

        status = 1
        try:
            keeper = Keeper(tmp_path)
            keeper.register(1)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
            keeper.register(*range(2, 50))
            status = 0 if keeper.journal.alarms() else 2
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
    assert check_folder(tmp_path) == []
    assert Keeper(tmp_path, incarnation=2).load() == 1
