"""What an appliance starts with when its last configuration is of another version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance.commands.starting_configuration import starting_configuration
from appliance.management.errors import UNUSABLE, CommandFailed
from appliance.storage.commits import CommitStore


def committed(state: Path, *texts: str) -> CommitStore:
    store = CommitStore(state / "configuration")
    for number, text in enumerate(texts):
        store.add(text, "anna", "", 1000.0 + number)
    return store


def test_a_commit_of_a_later_version_gives_way_to_the_last_one_that_can_be_read(tmp_path: Path) -> None:
    committed(tmp_path, "hostname old\n", "hostname box\n", "hostname new\ncolour blue\n")
    settings, start = starting_configuration(None, tmp_path)
    assert settings.hostname == "box"
    assert start.remark.startswith("Commit 3 is from an incompatible version of Signalbox: commit 2 of ")
    assert start.comment == "commit 3 cannot be read: back to commit 2"
    # Nothing is lost: `rollback 3` brings it back once it can be read.
    assert CommitStore(tmp_path / "configuration").find(3) is not None


def test_a_file_that_has_not_changed_is_not_loaded_over_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("hostname file\n")
    store = CommitStore(tmp_path / "configuration")
    settings, start = starting_configuration(path, tmp_path)
    store.add(start.text, "signalbox", start.comment, 1.0, source=start.source)
    store.add("colour blue\n", "anna", "", 2.0)
    settings, start = starting_configuration(path, tmp_path)
    assert settings.hostname == "file" and start.remark
    store.add(start.text, "signalbox", start.comment, 3.0, source=start.source)
    assert starting_configuration(path, tmp_path)[1].comment == ""


def test_where_none_can_be_read_it_is_said_and_no_restart_is_of_use(tmp_path: Path) -> None:
    committed(tmp_path, "colour blue\n", "colour green\n")
    with pytest.raises(CommandFailed, match=r"has faults: .*; start once with --config") as failure:
        starting_configuration(None, tmp_path)
    assert failure.value.status == UNUSABLE


def test_a_state_folder_of_a_later_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "formats").write_text(json.dumps({"version": "9.0", "formats": {"configuration": 99}}))
    with pytest.raises(CommandFailed, match=r"of Signalbox 9\.0, which stores configuration in format 99") as failure:
        starting_configuration(None, tmp_path)
    assert failure.value.status == UNUSABLE
