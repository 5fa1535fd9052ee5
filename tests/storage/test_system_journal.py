"""The log in the journal of systemd: its fields, and what a reader of the native protocol makes of them."""

from __future__ import annotations

import logging
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.storage.system_journal import SystemJournal, fields, is_journal


def read(octets: bytes) -> dict[str, str]:
    """Written as journald reads it."""
    found = {}
    while octets:
        line, _, octets = octets.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (length,) = struct.unpack_from("<Q", octets)
            value, octets = octets[8 : 8 + length], octets[8 + length + 1 :]
        found[name.decode()] = value.decode()
    return found


class Journald:
    def __init__(self, path: Path) -> None:
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._door.bind(str(path))
        self.log = logging.Logger("signalbox.worker")
        self.handler = SystemJournal({"SIGNALBOX_WORKER": "1"}, str(path))
        self.log.addHandler(self.handler)

    def received(self) -> dict[str, str]:
        return read(self._door.recv(1 << 20))

    def close(self) -> None:
        self.handler.close()
        self._door.close()


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[Journald]:
    made = Journald(tmp_path / "journal")
    yield made
    made.close()


def test_a_record_has_its_priority_and_its_process(journald: Journald) -> None:
    journald.log.warning("the disk is %s", "full")
    assert journald.received() == {
        "MESSAGE": "the disk is full",
        "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "signalbox",
        "SIGNALBOX_PROCESS": "worker",
        "SIGNALBOX_WORKER": "1",
    }


def test_an_event_has_a_name_and_what_it_is_about(journald: Journald) -> None:
    journald.log.error("Alarm worker-down raised", extra=fields("alarm raised", alarm="worker-down", subject="1"))
    received = journald.received()
    assert received["SIGNALBOX_EVENT"] == "alarm raised"
    assert (received["SIGNALBOX_ALARM"], received["SIGNALBOX_SUBJECT"]) == ("worker-down", "1")


def test_a_trace_of_several_lines_is_one_record(journald: Journald) -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        journald.log.exception("software fault")
    message = journald.received()["MESSAGE"]
    assert message.startswith("software fault\nTraceback") and message.endswith("ValueError: two\nlines")


def test_what_is_in_a_value_makes_no_field(journald: Journald) -> None:
    journald.log.info("x\nPRIORITY=0\nFORGED=1")
    assert journald.received()["PRIORITY"] == "6"


def test_passwords_of_databases_stay_out(journald: Journald) -> None:
    journald.log.info("postgresql://anna:secret@db/signalbox does not answer")
    assert "secret" not in journald.received()["MESSAGE"]


def test_a_journal_that_does_not_read_is_not_waited_for(journald: Journald) -> None:
    for _ in range(2000):
        journald.log.info("x" * 1000)


def test_the_journal_is_known_by_its_stream(tmp_path: Path) -> None:
    with (tmp_path / "stream").open("w") as stream:
        status = os.fstat(stream.fileno())
        name = f"{status.st_dev}:{status.st_ino}"
        assert is_journal({"JOURNAL_STREAM": name}, stream.fileno())
        assert not is_journal({"JOURNAL_STREAM": "1:2"}, stream.fileno())
        assert not is_journal({}, stream.fileno())
