"""The audit log keeps who did what, and no secrets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.management import audit_log as audit
from appliance.management.audit_log import AuditLog, command_text


def test_entries_come_back_oldest_first(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.log")
    for number in range(5):
        log.write(float(number), "anna", "restart worker", {"number": number}, "done")
    assert [entry["wall_time"] for entry in log.latest(2)] == [3.0, 4.0]
    assert log.latest(1)[0] == {
        "wall_time": 4.0,
        "user": "anna",
        "from": "",
        "command": "restart worker number=4",
        "result": "done",
    }


def test_secrets_and_whole_texts_are_not_written() -> None:
    words = command_text("subscriber add", {"address": "bob@example.com", "password": "hidden", "text": "long"})
    assert words == "subscriber add address=bob@example.com password=***"


def test_it_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "FILE_LEN_MAX", 1000)
    log = AuditLog(tmp_path / "audit.log")
    for number in range(100):
        log.write(float(number), "anna", "clear counters", {}, "done")
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 2200
    assert log.latest(3)[-1]["wall_time"] == 99.0


def test_a_torn_line_is_left_out(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.log")
    log.write(1.0, "anna", "confirm", {}, "done")
    with (tmp_path / "audit.log").open("a") as file:
        file.write('{"wall_time": 2')
    assert len(log.latest(10)) == 1


def test_a_long_text_in_any_script_does_not_hide_who_did_it(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.log")
    log.write(1.0, "anna", "commit", {"comment": "\N{GRINNING FACE}" * 1000}, "refused: " + "\N{SNOWMAN}" * 5000)
    (entry,) = log.latest(10)
    assert entry["user"] == "anna" and entry["command"].startswith("commit comment=")


def test_what_follows_a_torn_line_is_kept(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.log")
    (tmp_path / "audit.log").write_text('{"wall_time": 2')
    log.write(3.0, "anna", "confirm", {}, "done")
    assert [entry["wall_time"] for entry in log.latest(10)] == [3.0]


def test_a_line_for_which_there_is_not_enough_room_is_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AuditLog(tmp_path / "audit.log")
    log.write(1.0, "anna", "confirm", {}, "done")
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda fd, octets: write(fd, octets[:20]))
        with pytest.raises(OSError, match="No space left"):
            log.write(2.0, "anna", "confirm", {}, "begun")
    log.write(3.0, "anna", "confirm", {}, "begun")
    assert [entry["wall_time"] for entry in log.latest(10)] == [1.0, 3.0]


def test_arguments_that_are_zero_are_kept() -> None:
    assert command_text("drain worker", {"number": 0, "comment": ""}) == "drain worker number=0"


def test_a_command_is_one_entry_with_what_came_of_it(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.log")
    for entry, result in (("a", "begun"), ("b", "begun"), ("a", "done")):
        log.write(1.0, "anna", f"restart worker {entry}", {}, result, place="192.0.2.7 pts/3", entry=entry)
    shown = [(row["command"], row["from"], row["result"]) for row in log.latest(10)]
    assert shown == [
        ("restart worker a", "192.0.2.7 pts/3", "done"),
        ("restart worker b", "192.0.2.7 pts/3", "begun"),
    ]
    assert [row["command"] for row in log.latest(1)] == ["restart worker b"]
