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


def test_the_remark_names_statements_and_no_values(tmp_path: Path) -> None:
    """It goes into the log, and into an alarm."""
    hashes = [f"scrypt:16384:8:1:{digit * 32}:{digit * 64}" for digit in "abc"]
    urls = [f"postgresql://box:{word}@db/sip" for word in ("one", "two", "three")]
    lines = [f"enable secret {kept}\nsubscribers database {url}\n" for kept, url in zip(hashes, urls, strict=True)]
    base, theirs, mine = lines
    store = CommitStore(tmp_path)
    store.add(base, "signalbox", "", 1.0, source=checksum(base))
    store.keep_file(base)
    store.add(theirs, "anna", "", 2.0)
    start = starting(CommitStore(tmp_path), "box.conf", mine, 3.0)
    assert "have changed `subscribers database`, `enable secret` differently" in start.remark
