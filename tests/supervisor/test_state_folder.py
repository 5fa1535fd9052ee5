"""The state folder: private, one appliance at a time, and a key that outlives a restart."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from appliance.supervisor.state_folder import StateFolder, StateFolderUnusable


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_fresh_folder_is_made_and_private(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "deep" / "state")
    assert {mode_of(path) for path in (folder.path, folder.runtime_dir, folder.registrations_dir)} == {0o700}
    assert (folder.runtime_dir / "pid").read_text() == f"{os.getpid()}\n"
    folder.release()


def test_the_sockets_of_a_service_are_in_the_folder_of_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state, service_folder = tmp_path / "state", tmp_path / "run"
    service_folder.mkdir()
    StateFolder(state).release()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(service_folder))
    folder = StateFolder(state)
    assert (state / "run").resolve() == service_folder
    assert (service_folder / "pid").read_text() == f"{os.getpid()}\n"
    folder.release()
    # Systemd removes its folder when the service stops; a start by hand makes one of its own.
    service_folder.rmdir()
    monkeypatch.delenv("RUNTIME_DIRECTORY")
    folder = StateFolder(state)
    assert mode_of(state / "run") == 0o700 and not (state / "run").is_symlink()
    folder.release()


def test_one_state_folder_has_one_appliance_wherever_its_sockets_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = StateFolder(tmp_path / "state")
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    with pytest.raises(StateFolderUnusable, match="already uses"):
        StateFolder(tmp_path / "state")
    folder.release()


def test_a_second_appliance_is_told_who_is_there(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    with pytest.raises(StateFolderUnusable, match=f"process {os.getpid()}.* already uses"):
        StateFolder(tmp_path)
    folder.release()
    StateFolder(tmp_path).release()


def test_the_key_outlives_a_restart_and_is_private(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    key, sentence = folder.key()
    folder.release()
    again = StateFolder(tmp_path)
    assert again.key() == (key, "") and sentence == "" and len(key) == 32
    assert mode_of(tmp_path / "key") == 0o600
    again.release()


def test_a_damaged_key_is_set_aside_and_never_overwritten(tmp_path: Path) -> None:
    for number, damage in ((1, b"half"), (2, b"")):
        folder = StateFolder(tmp_path)
        (tmp_path / "key").write_bytes(damage)
        key, sentence = folder.key()
        assert len(key) == 32 and f"key.damaged-{number}" in sentence
        assert (tmp_path / f"key.damaged-{number}").read_bytes() == damage
        folder.release()


def test_a_file_in_the_way_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    with pytest.raises(StateFolderUnusable, match=r"^The state folder .* cannot be used: "):
        StateFolder(tmp_path / "state")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StateFolderUnusable, match="cannot be used"):
        StateFolder(tmp_path / "state")
    tmp_path.chmod(0o700)
