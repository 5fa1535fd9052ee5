"""The commits of a node that is in a cluster: under the cluster's numbers, and its own ones set aside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.storage.commits import ASIDE, COMMITS_KEPT, Commit, CommitFailed, CommitStore, fingerprint
from appliance.storage.starting import starting


def commit(number: int, text: str, state: str = "confirmed", confirm_by: float = 0.0) -> Commit:
    return Commit(number, "anna", float(number), "", state, confirm_by, "", text)


def own(folder: Path, count: int) -> CommitStore:
    """A node that has made so many commits alone."""
    store = CommitStore(folder)
    for number in range(1, count + 1):
        store.add(f"hostname own{number}\n", "bert", "", float(number))
    return store


def aside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob(f"{ASIDE}-*"))


def test_the_head_of_the_cluster_is_kept_under_its_number_and_what_is_behind_it_is_set_aside(tmp_path: Path) -> None:
    store = own(tmp_path, 4)
    taken = commit(2, "hostname cluster\n")
    store.take_head(taken)
    for read in (store, CommitStore(tmp_path)):
        assert read.head == taken
        assert [each.number for each in read.all()] == [1, 2]
    assert aside(tmp_path) == [f"{ASIDE}-{number:06d}" for number in (2, 3, 4)]
    assert "hostname own3" in (tmp_path / f"{ASIDE}-000003").read_text()
    # The next commit of the cluster.
    store.take_head(commit(3, "hostname next\n"))
    assert CommitStore(tmp_path).head == commit(3, "hostname next\n")


def test_the_head_stays_although_the_node_has_as_many_commits_as_are_kept(tmp_path: Path) -> None:
    store = own(tmp_path, COMMITS_KEPT + 9)
    store.take_head(commit(3, "hostname cluster\n"))
    assert [each.number for each in store.all()] == [3] == [each.number for each in CommitStore(tmp_path).all()]
    assert len(aside(tmp_path)) == COMMITS_KEPT


def test_a_commit_that_was_confirmed_is_the_same_one(tmp_path: Path) -> None:
    store = CommitStore(tmp_path)
    store.take_head(commit(7, "hostname trial\n", "unconfirmed", 60.0))
    before = store.fingerprints[7]
    confirmed = commit(7, "hostname trial\n")
    store.take(confirmed)
    assert aside(tmp_path) == []
    assert CommitStore(tmp_path).fingerprints == store.fingerprints == {7: fingerprint(confirmed)} != {7: before}


def test_no_more_are_set_aside_than_are_kept(tmp_path: Path) -> None:
    store = own(tmp_path, 3)
    for number in range(COMMITS_KEPT):
        (tmp_path / f"{ASIDE}-{number + 1000:06d}").write_text("")
    store.set_aside([2, 3])
    assert len(aside(tmp_path)) == COMMITS_KEPT
    assert [each.number for each in store.all()] == [1]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_what_cannot_be_set_aside_stays(tmp_path: Path) -> None:
    store = own(tmp_path, 2)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(CommitFailed):
            store.set_aside([2])
        assert CommitStore(tmp_path).head == store.head
    finally:
        tmp_path.chmod(0o700)


def test_in_a_cluster_a_start_makes_no_commit_of_its_own(tmp_path: Path) -> None:
    """Neither for a file that has changed, nor because a confirmation is overdue: the cluster reverts it."""
    store = CommitStore(tmp_path)
    store.take_head(commit(1, "hostname one\n"))
    store.take_head(commit(2, "hostname trial\n", "unconfirmed", 60.0))
    start = starting(CommitStore(tmp_path), "box.conf", "hostname file\n", 100.0, is_in_cluster=True)
    assert (start.text, start.comment, start.file_text) == ("hostname trial\n", "", "")
    assert "box.conf" in start.remark and "ignored" in start.remark


def test_the_first_start_of_a_node_in_a_cluster_goes_by_its_file_until_it_has_the_cluster_s(tmp_path: Path) -> None:
    start = starting(CommitStore(tmp_path), "box.conf", "hostname file\n", 100.0, is_in_cluster=True)
    assert start.comment == "loaded from box.conf"
