"""The last commit, for `signalbox subscriber`."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.catalogue.settings import Settings
from appliance.commands.last_configuration import last_configuration
from appliance.management.errors import CommandFailed
from appliance.storage.commits import CommitStore


def test_the_last_commit_is_the_configuration(tmp_path: Path) -> None:
    assert last_configuration(tmp_path) is None
    store = CommitStore(tmp_path / "configuration")
    store.add("", "root", "", 1.0)
    assert last_configuration(tmp_path) == Settings()
    store.add("hostname box\n", "root", "", 2.0)
    assert last_configuration(tmp_path) == Settings(hostname="box")


def test_one_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    CommitStore(tmp_path / "configuration").add("colour blue\n", "root", "", 1.0)
    with pytest.raises(CommandFailed, match="Commit 1 is from an incompatible version"):
        last_configuration(tmp_path)
