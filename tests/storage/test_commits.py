"""The commits in the state folder: numbered, whole or not there, and what an appliance starts with."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from appliance.storage.commits import (
    COMMITS_KEPT,
    CONFIRMED,
    REVERTED,
    UNCONFIRMED,
    CommitFailed,
    CommitStore,
)

TEXT = "hostname box\n"


def test_a_commit_is_read_back_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "configuration"
    assert CommitStore(folder).head is None
    made = CommitStore(folder).add(TEXT, "anna", "first", 17.5)
    assert (made.number, made.state) == (1, CONFIRMED)
    read = CommitStore(folder)
    assert read.head == made == read.find(1)
    assert read.remarks == []


def test_it_is_for_its_owner_only(tmp_path: Path) -> None:
    CommitStore(tmp_path).add(TEXT, "anna", "", 1.0)
    assert stat.S_IMODE((tmp_path / "commit-000001").stat().st_mode) == 0o600


def test_numbers_go_on_and_the_newest_come_first(tmp_path: Path) -> None:
    store = CommitStore(tmp_path)
    for number in range(1, 4):
        assert store.add(f"{TEXT}! {number}\n", "anna", "", float(number)).number == number
    assert [commit.number for commit in CommitStore(tmp_path).latest(2)] == [3, 2]


def test_the_oldest_go(tmp_path: Path) -> None:
    store = CommitStore(tmp_path)
    for number in range(COMMITS_KEPT + 3):
        store.add(TEXT, "anna", "", float(number))
    kept = CommitStore(tmp_path).latest(1000)
    assert (len(kept), kept[-1].number) == (COMMITS_KEPT, 4)
    assert COMMITS_KEPT >= 50


def test_a_commit_waits_for_its_confirmation(tmp_path: Path) -> None:
    store = CommitStore(tmp_path)
    store.add(TEXT, "anna", "", 1.0)
    store.add("", "anna", "try it", 2.0, confirm_by=62.0)
    waiting = CommitStore(tmp_path)
    assert waiting.head is not None
    assert (waiting.head.state, waiting.head.confirm_by) == (UNCONFIRMED, 62.0)
    waiting.confirm()
    assert CommitStore(tmp_path).latest(1)[0].state == CONFIRMED


def test_an_unconfirmed_commit_that_is_no_head_was_reverted(tmp_path: Path) -> None:
    store = CommitStore(tmp_path)
    store.add(TEXT, "anna", "", 1.0)
    store.add("", "anna", "", 2.0, confirm_by=62.0)
    store.add(TEXT, "signalbox", "back", 63.0)
    states = [commit.state for commit in CommitStore(tmp_path).latest(3)]
    assert states == [CONFIRMED, REVERTED, CONFIRMED]
    former = CommitStore(tmp_path).before(3)
    assert former is not None and former.number == 1


def test_what_a_power_cut_left_unfinished_is_nothing(tmp_path: Path) -> None:
    made = CommitStore(tmp_path).add(TEXT, "anna", "", 1.0)
    (tmp_path / "new-000002").write_bytes(b'{"number": 2')
    store = CommitStore(tmp_path)
    assert store.head == made
    assert store.add("", "anna", "", 2.0).number == 2


def test_a_damaged_commit_is_left_out_and_named(tmp_path: Path) -> None:
    store = CommitStore(tmp_path)
    store.add(TEXT, "anna", "", 1.0)
    store.add("workers 2\n", "anna", "", 2.0)
    path = tmp_path / "commit-000002"
    path.write_bytes(path.read_bytes()[:-3])
    damaged = CommitStore(tmp_path)
    assert damaged.head is not None and damaged.head.number == 1
    assert damaged.remarks == [f"The commit {path} cannot be read (it is damaged); it is ignored."]
    assert damaged.add(TEXT, "anna", "", 3.0).number == 3, "its number is not given again"


def test_a_folder_that_cannot_be_written_refuses_and_keeps_what_was(tmp_path: Path) -> None:
    store = CommitStore(tmp_path / "file" / "configuration")
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(CommitFailed, match="cannot be saved"):
        store.add(TEXT, "anna", "", 1.0)
    assert store.head is None


def test_a_full_disk_refuses_and_keeps_what_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = CommitStore(tmp_path)
    store.add(TEXT, "anna", "", 1.0)

    def full(fd: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CommitFailed, match="No space left on device"):
        store.add("", "anna", "", 2.0)
    assert [path.name for path in tmp_path.iterdir()] == ["commit-000001"]
    assert store.head is not None and store.head.number == 1


def test_what_was_refused_is_not_found_by_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file had its name already when the folder could not be forced to the disk."""
    store = CommitStore(tmp_path)
    store.add(TEXT, "anna", "", 1.0)

    def fail(folder: Path) -> None:
        raise OSError(5, os.strerror(5))

    with monkeypatch.context() as broken:
        broken.setattr("appliance.storage.commits._force_folder", fail)
        with pytest.raises(CommitFailed, match="Input/output error"):
            store.add("", "anna", "", 2.0)
    again = CommitStore(tmp_path)
    assert again.head == store.head and again.head is not None and again.head.number == 1
