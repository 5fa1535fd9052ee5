"""What an appliance starts with: the last commit, and the changes of a file."""

from __future__ import annotations

from pathlib import Path

from appliance.storage.commits import CommitStore, checksum
from appliance.storage.starting import starting

TEXT = "hostname box\nworkers 4\n"


def test_the_file_is_the_first_commit(tmp_path: Path) -> None:
    start = starting(CommitStore(tmp_path), "box.conf", TEXT, 1.0)
    assert (start.text, start.comment, start.source) == (TEXT, "loaded from box.conf", checksum(TEXT))


def test_without_a_file_the_defaults_are(tmp_path: Path) -> None:
    assert starting(CommitStore(tmp_path), "None", None, 1.0).comment == "the built-in defaults"


def test_later_the_head_goes_on_although_the_file_says_something_else(tmp_path: Path) -> None:
    store = CommitStore(tmp_path)
    store.add(TEXT, "signalbox", "", 1.0, source=checksum(TEXT))
    store.add("workers 2\n", "anna", "", 2.0)
    start = starting(CommitStore(tmp_path), "box.conf", TEXT, 3.0)
    assert (start.text, start.comment) == ("workers 2\n", "")


def loaded(folder: Path, *texts: str) -> CommitStore:
    """A store into which TEXT was loaded from a file, and upon which operators have committed."""
    store = CommitStore(folder)
    store.add(TEXT, "signalbox", "", 1.0, source=checksum(TEXT))
    store.keep_file(TEXT)
    for number, text in enumerate(texts, 2):
        store.add(text, "anna", "", float(number))
    return CommitStore(folder)


def test_of_a_file_that_has_changed_the_changes_are_taken_in(tmp_path: Path) -> None:
    store = loaded(tmp_path, TEXT + "domain example.com\n")
    file_text = TEXT.replace("workers 4", "workers 3")
    start = starting(store, "box.conf", file_text, 3.0)
    assert start.text == "hostname box\nworkers 3\ndomain example.com\n"
    assert (start.comment, start.remark) == ("loaded from box.conf, which has changed", "")
    assert (start.source, start.file_text) == (checksum(file_text), file_text)


def test_the_changes_are_known_after_many_commits_and_loads(tmp_path: Path) -> None:
    store = loaded(tmp_path, *(f"hostname box\nworkers 4\ndomain n{number}.example\n" for number in range(120)))
    assert store.find(1) is None
    start = starting(store, "box.conf", "hostname moved\nworkers 4\n", 3.0)
    assert start.text == "hostname moved\nworkers 4\ndomain n119.example\n"


def test_what_the_file_and_an_operator_have_changed_differently_stays_as_committed_and_is_said(tmp_path: Path) -> None:
    start = starting(loaded(tmp_path, "hostname box\nworkers 2\n"), "box.conf", "hostname moved\nworkers 3\n", 3.0)
    assert start.text == "hostname moved\nworkers 2\n"
    remark = "box.conf and an operator have changed `workers` differently: what the operator committed is active."
    assert start.remark == remark


def test_a_file_whose_former_text_is_not_known_is_taken_in_whole(tmp_path: Path) -> None:
    store = loaded(tmp_path, "workers 2\n")
    (tmp_path / "loaded-file").write_text("damaged")
    (tmp_path / "commit-000001").unlink()
    start = starting(CommitStore(tmp_path), "box.conf", "workers 3\n", 3.0)
    assert start.text == "workers 3\n" and store.head is not None


def test_a_commit_whose_time_was_over_while_nothing_ran_is_reverted(tmp_path: Path) -> None:
    store = CommitStore(tmp_path)
    store.add(TEXT, "anna", "", 1.0)
    store.add("workers 2\n", "anna", "", 2.0, confirm_by=62.0)
    assert starting(CommitStore(tmp_path), "", None, 61.0).text == "workers 2\n"
    start = starting(CommitStore(tmp_path), "", None, 62.0)
    assert (start.text, start.comment) == (TEXT, "commit 2 was not confirmed: reverted to commit 1")
