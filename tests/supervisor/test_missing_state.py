"""What was stored in a state folder and is not there any more is worth an alarm, until it is there again."""

from __future__ import annotations

from pathlib import Path

from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.location.address_entries import record_made
from appliance.storage.durable_registrations import DATA_FILE, DurableRegistrations
from appliance.storage.subscriber import FILE_NAME
from appliance.supervisor.missing_state import missing_database, missing_registrations
from appliance.supervisor.start_remarks import CHECK_INTERVAL_S, MENDED_S, StartRemarks
from tests.location.bindings import binding

GUARDED = Settings(domains=("example.com",), listeners=(ListenerSettings(name="a", authenticate=True),))


def registrations(state: Path) -> Path:
    folder = state / "registrations"
    folder.mkdir()
    return folder


def test_an_appliance_that_never_had_a_registration_misses_none(tmp_path: Path) -> None:
    assert missing_registrations(registrations(tmp_path)) == ""


def test_registrations_that_were_stored_and_are_gone_are_missed(tmp_path: Path) -> None:
    folder = registrations(tmp_path)
    entry = binding()
    store = DurableRegistrations(folder)
    store.write([(entry.aor, record_made(entry.aor, [entry], 0))], 1, 1)
    store.close()
    assert missing_registrations(folder) == ""
    (folder / DATA_FILE).rename(tmp_path / "elsewhere")
    assert f"{folder} holds no registrations" in missing_registrations(folder)
    (tmp_path / "elsewhere").rename(folder / DATA_FILE)
    assert missing_registrations(folder) == ""


def test_a_database_that_is_gone_is_missed(tmp_path: Path) -> None:
    assert FILE_NAME in missing_database(GUARDED, tmp_path)
    (tmp_path / FILE_NAME).write_bytes(b"")
    assert missing_database(GUARDED, tmp_path) == ""


def test_the_alarm_of_what_is_missing_ends_when_it_is_there(tmp_path: Path) -> None:
    remarks = StartRemarks(GUARDED, [], [lambda settings: missing_database(settings, tmp_path)], 0.0)
    (condition,) = remarks.conditions(GUARDED, 1.0)
    assert (condition.name, condition.text) == ("start-remark", remarks.sentences()[0])
    (tmp_path / FILE_NAME).write_bytes(b"")
    assert list(remarks.conditions(GUARDED, 1.0 + CHECK_INTERVAL_S)) == []


def test_the_alarm_of_what_was_mended_ends_after_a_day() -> None:
    remarks = StartRemarks(GUARDED, ["The key was damaged."], [], 0.0)
    assert [condition.subject for condition in remarks.conditions(GUARDED, MENDED_S - 1)] == ["remark 1"]
    assert list(remarks.conditions(GUARDED, MENDED_S)) == []
