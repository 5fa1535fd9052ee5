"""A database is opened before a commit that names it takes effect, and what is wrong is said without its password."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.management.errors import CommandFailed
from appliance.management.subscriber_check import probe_database


def test_a_database_that_can_be_used_is_no_fault(tmp_path: Path) -> None:
    probe_database(f"sqlite:///{tmp_path}/people.sqlite3", tmp_path)
    probe_database("", tmp_path)


def test_a_server_that_is_not_there_is_named_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed) as fault:
        probe_database("postgresql://box:ti/g@er@127.0.0.1:1/sip", tmp_path)
    assert "tiger" not in str(fault.value) and "ti/g" not in str(fault.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="cannot be opened: No such file or directory"):
        probe_database(f"sqlite:///{tmp_path}/none/people.sqlite3", tmp_path)
