"""The configuration that ran last, kept for `signalbox subscriber`."""

from __future__ import annotations

import fcntl
import stat
from pathlib import Path

import pytest

from appliance.catalogue.settings import Settings
from appliance.management.failure import CommandFailed
from appliance.management.last_configuration import FILE_NAME, keep_configuration, last_configuration


def test_what_was_kept_is_read_back(tmp_path: Path) -> None:
    assert last_configuration(tmp_path) is None
    keep_configuration(tmp_path, "")
    assert last_configuration(tmp_path) == Settings()
    keep_configuration(tmp_path, "hostname box\n")
    assert last_configuration(tmp_path) == Settings(hostname="box")
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_it_is_for_its_owner_only(tmp_path: Path) -> None:
    """It may hold the password of a database."""
    keep_configuration(tmp_path, "")
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_that_of_a_running_appliance_stays(tmp_path: Path) -> None:
    keep_configuration(tmp_path, "hostname first\n")
    (tmp_path / "run").mkdir()
    with (tmp_path / "run" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        keep_configuration(tmp_path, "hostname second\n")
        assert last_configuration(tmp_path) == Settings(hostname="first")
    keep_configuration(tmp_path, "hostname second\n")
    assert last_configuration(tmp_path) == Settings(hostname="second")


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"cannot be written: No such file or directory\.$"):
        keep_configuration(tmp_path / "nowhere", "")
