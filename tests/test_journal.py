"""The journal of registrations in a folder of its own: written, read, cleaned, torn, damaged, and a disk that is
full.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.journal import BACKLOG_MAX, Journal
from appliance.journal_files import JournalError, check_folder
from appliance.location.binding import BindingChange, new_binding
from appliance.location.bindings import BindingTable
from appliance.location.records import BindingRecords, encode_change
from appliance.state.frames import HEADER, frame

WALL = 1_700_000_000.0


class Settings:
    segment_kib = 16
    sync_ms = 0
    pace_kib_per_s = 1024


class Keeper:
    """A worker as far as its registrations go: a table and the journal of it."""

    def __init__(self, folder: Path, number: int = 0, workers: int = 1, incarnation: int = 1) -> None:
        self.folder = folder
        self.table = BindingTable(1_000_000)
        self.records = BindingRecords(self.table)
        self.journal = Journal(folder, number, workers, incarnation, Settings(), self.records)
        self.now = 0.0

    def load(self) -> int:
        count = 0
        for records in self.journal.load(WALL):
            for record in records:
                self.records.apply_record(record)
                count += 1
        return count

    def register(self, *users: int, at: float = 0.0, lasts_s: float = 3600.0) -> None:
        records = []
        for user in users:
            change = change_of(user, at, lasts_s)
            self.table.apply(change)
            records.append(encode_change(change))
        self.journal.append(records)

    def upkeep(self, times: int = 1, wall_time: float = WALL) -> None:
        for _ in range(times):
            self.now += 10.0
            self.journal.upkeep(self.now, wall_time)

    def files_after_upkeep(self) -> int:
        self.upkeep()
        return len(segments(self.folder))

    def users(self) -> set[bytes]:
        return {aor for place in range(256) for aor in self.table.aors_of_range(place)}


def change_of(user: int, at: float = 0.0, lasts_s: float = 3600.0) -> BindingChange:
    uri = b"sip:%d@192.0.2.1" % user
    version = int((WALL + at) * 1_000_000) << 8
    until = WALL + at + lasts_s
    one = new_binding(
        b"sip:%d@h" % user, uri, uri, b"", 1000, until, until, b"call", 1, (), b"", 0, None, None, b"", version, version
    )
    return BindingChange(one.aor, (one,))


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.journal"))


def users(*numbers: int) -> set[bytes]:
    return {b"sip:%d@h" % number for number in numbers}


def wait_for(condition: Callable[[], object]) -> None:
    """Until a thread has done its work; ten seconds at most."""
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")


def test_what_was_written_is_read_by_the_next_process(tmp_path: Path) -> None:
    before = Keeper(tmp_path)
    before.register(1, 2)
    before.register(3)
    # The process dies here: nothing is closed.
    after = Keeper(tmp_path, incarnation=2)
    assert after.load() == 3
    assert after.users() == users(1, 2, 3)
    assert after.journal.remarks == []
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


# Torn and damaged


def written(folder: Path, count: int = 50) -> Path:
    keeper = Keeper(folder)
    keeper.register(*range(count))
    keeper.journal.close()
    (path,) = segments(folder)
    return path


def test_a_torn_end_is_normal_and_said_in_a_sentence(tmp_path: Path) -> None:
    path = written(tmp_path)
    os.truncate(path, path.stat().st_size - 5)
    (sentence,) = check_folder(tmp_path)
    assert str(path) in sentence
    assert "not written to its end" in sentence
    keeper = Keeper(tmp_path, incarnation=2)
    assert keeper.load() == 49
    assert len(keeper.journal.remarks) == 1
    assert segments(tmp_path) == [path]


def test_damage_in_the_middle_is_made_good_and_the_file_set_aside(tmp_path: Path) -> None:
    path = written(tmp_path)
    whole = path.read_bytes()
    start = whole.index(frame(encode_change(change_of(20))))
    damaged = whole[: start + 30] + b"\0" * 10 + whole[start + 40 :]
    path.write_bytes(damaged)
    (sentence,) = check_folder(tmp_path)
    assert str(path) in sentence
    assert "49 changes" in sentence
    (aside,) = tmp_path.glob("*.damaged-*")
    assert aside.name in sentence
    assert aside.read_bytes() == damaged
    # Who is registered, and where, is nobody else's business.
    assert path.stat().st_mode & 0o077 == 0
    keeper = Keeper(tmp_path, incarnation=2)
    assert keeper.load() == 49
    assert keeper.users() == users(*[user for user in range(50) if user != 20])
    assert check_folder(tmp_path) == []


def test_a_file_that_is_set_aside_never_takes_the_place_of_another(tmp_path: Path) -> None:
    path = written(tmp_path)
    whole = path.read_bytes()
    for number in range(3):
        path.write_bytes(b"rubbish %d" % number + whole[20:])
        os.utime(path, (WALL, WALL))
        assert len(check_folder(tmp_path)) == 1
    assert len(list(tmp_path.glob("*.damaged-20231114T221320Z*"))) == 3
    assert Keeper(tmp_path, incarnation=2).load() == 50


def test_damage_that_shows_while_loading_costs_no_other_record_and_no_file(tmp_path: Path) -> None:
    path = written(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:1000] + b"\0" * 10 + whole[1010:])
    keeper = Keeper(tmp_path, incarnation=2)
    assert keeper.load() >= 48
    assert "damaged" in keeper.journal.remarks[0]
    keeper.upkeep(5, wall_time=WALL + 10_000)
    assert path.exists()


@pytest.mark.parametrize("is_set_aside", [False, True])
def test_a_power_cut_while_damage_is_made_good_loses_nothing(tmp_path: Path, is_set_aside: bool) -> None:
    path = written(tmp_path)
    whole = path.read_bytes()
    salvaged = path.with_name(path.name + ".salvaged")
    if is_set_aside:
        salvaged.write_bytes(whole)
        path.rename(path.with_name(path.name + ".damaged-20231114T221320Z"))
    else:
        salvaged.write_bytes(whole[:100])
    assert check_folder(tmp_path) == []
    assert Keeper(tmp_path, incarnation=2).load() == 50
    assert not salvaged.exists()


def test_a_file_of_a_later_version_is_refused_by_name_and_left_alone(tmp_path: Path) -> None:
    path = written(tmp_path)
    later = path.read_bytes().replace(b"format 1", b"format 9")
    path.write_bytes(later)
    with pytest.raises(JournalError, match=f"{path.name} was written by a later version"):
        check_folder(tmp_path)
    assert path.read_bytes() == later
    # A worker that finds it all the same leaves it alone, too.
    keeper = Keeper(tmp_path, incarnation=2)
    assert keeper.load() == 0
    keeper.upkeep(5, wall_time=WALL + 10_000)
    assert path.read_bytes() == later


def test_an_empty_or_missing_folder_is_fine(tmp_path: Path) -> None:
    assert check_folder(tmp_path / "state" / "registrations") == []
    assert Keeper(tmp_path / "state" / "registrations").load() == 0


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(JournalError, match=r"cannot be kept in .*file.*--state") as caught:
        check_folder(tmp_path / "file" / "registrations")
    assert "\n" not in str(caught.value)


def test_other_files_in_the_folder_are_nobodys_business(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"mine")
    (tmp_path / "worker-1.journal").write_bytes(b"not ours")
    assert check_folder(tmp_path) == []
    assert Keeper(tmp_path).load() == 0
    assert (tmp_path / "worker-1.journal").read_bytes() == b"not ours"


# A disk that does not take what is written


class Disk:
    """Stands between the journal and the kernel: takes so many octets and no more."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room = 1 << 40
        self._write = os.write
        monkeypatch.setattr("appliance.journal.os.write", self.write)

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


def test_more_than_can_wait_is_written_anew_from_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.journal.BACKLOG_MAX", 10_000)
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


def test_when_the_disk_fails_to_keep_what_it_took_everything_is_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = Keeper(tmp_path)
    keeper.register(1, 2)
    wait_for(lambda: keeper.journal._syncer.completed >= 1)

    def fail(fd: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr("appliance.syncer.os.fsync", fail)
        keeper.register(3)
        wait_for(lambda: keeper.journal._syncer.fault)
        keeper.upkeep()
        for path in segments(tmp_path)[:1]:
            path.unlink()  # what the disk lost
    keeper.upkeep(5)
    keeper.journal.close()
    again = Keeper(tmp_path, incarnation=2)
    again.load()
    assert again.users() == users(1, 2, 3)


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


def test_the_header_says_what_the_file_is(tmp_path: Path) -> None:
    assert written(tmp_path).read_bytes().startswith(HEADER)
