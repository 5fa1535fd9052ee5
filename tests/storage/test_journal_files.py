"""The folder of the journal before anybody starts: torn ends, damage that is made good, and a folder of no use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.location.binding_records import encode_change
from appliance.messages.record_frames import frame
from appliance.storage.journal_files import JournalError, check_folder
from tests.journal_bench import WALL, Keeper, change_of, segments, users, written


def test_a_torn_end_is_normal_and_said_in_a_sentence(tmp_path: Path) -> None:
    path = written(tmp_path)
    os.truncate(path, path.stat().st_size - 5)
    (sentence,) = check_folder(tmp_path)
    assert str(path) in sentence
    assert "is incomplete" in sentence
    keeper = Keeper(tmp_path, incarnation=2)
    assert keeper.load() == 49
    assert len(keeper.journal.take_remarks()) == 1
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
    with pytest.raises(JournalError, match=r"cannot be saved in .*file.*--state") as caught:
        check_folder(tmp_path / "file" / "registrations")
    assert "\n" not in str(caught.value)


def test_other_files_in_the_folder_are_nobodys_business(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"mine")
    (tmp_path / "worker-1.journal").write_bytes(b"not ours")
    assert check_folder(tmp_path) == []
    assert Keeper(tmp_path).load() == 0
    assert (tmp_path / "worker-1.journal").read_bytes() == b"not ours"
