"""A state folder with commits and without its other files is worth an alarm."""

from __future__ import annotations

from pathlib import Path

from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.storage.subscriber import FILE_NAME
from appliance.supervisor.missing_state import missing_state

GUARDED = Settings(domains=("example.com",), listeners=(ListenerSettings(name="a", authenticate=True),))


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    registrations = tmp_path / "registrations"
    registrations.mkdir()
    said = list(missing_state(GUARDED, tmp_path, registrations))
    assert [f"{registrations} holds no registrations" in said[0], FILE_NAME in said[1], len(said)] == [True, True, 2]
    (registrations / "worker-000-0000000000000001-000001.journal").write_bytes(b"")
    assert len(list(missing_state(GUARDED, tmp_path, registrations))) == 2


def test_a_folder_with_everything_is_silent(tmp_path: Path) -> None:
    (tmp_path / "worker-000-0000000000000001-000001.journal").write_bytes(b"x")
    (tmp_path / FILE_NAME).write_bytes(b"")
    assert list(missing_state(GUARDED, tmp_path, tmp_path)) == []
