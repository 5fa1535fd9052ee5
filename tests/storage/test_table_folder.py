"""The folder in memory of the registration table: its place, its owner, the table in force."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.storage.table_folder import NONE, TableFolder, TableFolderUnusable, folder_path


@pytest.fixture
def folder(tmp_path: Path) -> TableFolder:
    return TableFolder.prepared(tmp_path / "table")


def test_each_state_folder_has_a_place_of_its_own_in_memory() -> None:
    one, other = folder_path(Path("/var/lib/a"), {}), folder_path(Path("/var/lib/b"), {})
    assert one != other
    assert one.parent == Path("/dev/shm")
    assert one.name.startswith(f"signalbox-{os.geteuid()}-")
    assert folder_path(Path("/var/lib/a"), {"RUNTIME_DIRECTORY": "/run/signalbox:/run/x"}).parent == Path(
        "/run/signalbox"
    )


def test_the_table_in_force_is_kept_over_a_crash(folder: TableFolder) -> None:
    assert folder.current() == NONE
    generation = folder.new_generation()
    assert folder.current() == NONE
    folder.put_in_force(generation)
    assert TableFolder.prepared(folder.path).current() == generation
    assert folder.directory(generation).stat().st_mode & 0o777 == 0o700


def test_a_newer_table_takes_the_place_of_the_older(folder: TableFolder) -> None:
    first = folder.new_generation()
    folder.put_in_force(first)
    second = folder.new_generation()
    assert second > first
    assert folder.current() == first
    folder.put_in_force(second)
    assert folder.current() == second
    assert not folder.directory(first).exists()


def test_tables_of_an_earlier_boot_are_gone(folder: TableFolder) -> None:
    folder.put_in_force(folder.new_generation())
    (folder.path / "boot").write_text("another\n")
    assert TableFolder.prepared(folder.path).current() == NONE
    assert [entry.name for entry in folder.path.iterdir()] == ["boot"]


def test_a_folder_that_others_can_use_is_refused(folder: TableFolder) -> None:
    folder.path.chmod(0o755)
    with pytest.raises(TableFolderUnusable, match="can be used by other users"):
        TableFolder.prepared(folder.path)


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "table").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TableFolderUnusable, match="is not a directory"):
        TableFolder.prepared(tmp_path / "table")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(folder: TableFolder) -> None:
    os.chown(folder.path, 12345, 12345)
    with pytest.raises(TableFolderUnusable, match="belongs to user 12345"):
        TableFolder.prepared(folder.path)


def test_nothing_is_left_behind(folder: TableFolder) -> None:
    folder.put_in_force(folder.new_generation())
    folder.remove()
    assert not folder.path.exists()
