"""Reading configuration files, and looking at the database before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.catalogue.settings import Settings
from appliance.commands.check import check, read_configuration
from appliance.management.errors import CommandFailed
from appliance.management.subscriber_check import check_subscribers
from appliance.routing.route_csv import read_csv
from appliance.storage.route_store import RouteStore
from appliance.storage.subscriber import FILE_NAME


def test_a_right_file_gives_settings_and_its_text(tmp_path: Path) -> None:
    path = tmp_path / "box.conf"
    path.write_text("hostname box\ndomain example.com\n")
    settings, text = read_configuration(path)
    assert settings.hostname == "box"
    assert text == path.read_text()
    assert check(path) == f"{path} is valid: 1 listener, domains: example.com."


def test_a_table_that_was_never_imported_is_a_warning(tmp_path: Path) -> None:
    path, policy = tmp_path / "box.conf", "domain example.com\nroute-policy p\n  table carriers\n!\n"
    path.write_text(policy)
    names_none = "Warning: route-policy p names table carriers, and there are no route tables."
    assert names_none in check(path, tmp_path / "state")
    assert "Warning" not in check(path)
    RouteStore(tmp_path / "state").add(read_csv(("table,prefix,action", "default,any,sip:gw")).octets())
    assert "Warning: Route-policy p names table carriers, which is not there" in check(path, tmp_path / "state")
    # One that a database has is read later.
    source = "route-table carriers\n  server sqlite:////tmp/r.db\n  statement \"select prefix, action from r\"\n!\n"
    path.write_text(policy + source)
    assert "Warning" not in check(path, tmp_path / "state")


def test_without_a_file_the_defaults_hold() -> None:
    assert read_configuration(None) == (Settings(), "")


def test_every_fault_is_said_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "box.conf"
    path.write_text("hostnme box\nworkers 0\n")
    with pytest.raises(CommandFailed) as refusal:
        check(path)
    assert str(refusal.value).splitlines() == [
        f"{path} has 2 faults, and is not used:",
        '  line 1: "hostnme" is unknown; did you mean "hostname"?',
        "  line 2: `workers`: 0 is out of range; type auto, or 1 to 64",
    ]


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        (b"hostname box\ndomain caf\xe9\n", "is not UTF-8 text: see line 2."),
        (b"!" * (16 * 1024 * 1024 + 1), "is longer than"),
        (None, "cannot be read: No such file or directory."),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, octets: bytes | None, sentence: str) -> None:
    path = tmp_path / "box.conf"
    if octets is not None:
        path.write_bytes(octets)
    with pytest.raises(CommandFailed) as refusal:
        read_configuration(path)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_time_zone_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "box.conf"
    path.write_text("clock timezone Europe/Atlantis\n")
    with pytest.raises(CommandFailed, match="unknown time zone Europe/Atlantis"):
        check(path)


def test_a_fresh_state_folder_is_sound(tmp_path: Path) -> None:
    assert check_subscribers(Settings(), tmp_path) == ""


def test_a_damaged_database_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"x" * 5000)
    with pytest.raises(CommandFailed, match=r"^The subscriber database .* is damaged"):
        check_subscribers(Settings(), tmp_path)


def test_a_server_that_is_away_is_a_warning(tmp_path: Path) -> None:
    away = Settings(subscribers_url="postgresql://signalbox@127.0.0.1:1/signalbox")
    assert "rejected with 503" in check_subscribers(away, tmp_path)
