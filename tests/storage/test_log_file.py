"""The log: one format, one level, to a file and to other machines."""

from __future__ import annotations

import logging
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.catalogue.settings import Settings
from appliance.storage.log_file import CLEARED, LogFile, latest_lines, log_by

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [A-Z]+ signalbox\.[a-z]+: ")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    log_by(Settings())


def test_the_level_holds_for_the_supervisor_too(tmp_path: Path) -> None:
    log_by(Settings(logging_level="warning"))
    log = LogFile(tmp_path / "log")
    log.write("Worker 0 is started.")
    log.write("Alarm worker-down of worker 0 is raised.", logging.ERROR)
    (line,) = latest_lines(tmp_path / "log", 10)
    assert LINE.match(line) and line.endswith("ERROR signalbox.supervisor: Alarm worker-down of worker 0 is raised.")


def test_all_processes_write_times_alike(tmp_path: Path) -> None:
    program = (
        "import logging, sys; from pathlib import Path\n"
        "from appliance.storage.log_file import log_to_file, log_to_stderr\n"
        "log_to_stderr(); log_to_file(Path(sys.argv[1])); logging.getLogger('signalbox.worker').warning('late')"
    )
    argv = [sys.executable, "-c", program, str(tmp_path / "log")]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
    assert LINE.match(done.stderr) and LINE.match((tmp_path / "log").read_text())


def test_what_was_cleared_is_not_shown(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log")
    for sentence in ("one", f"{CLEARED}ann.", "two"):
        log.write(sentence)
    assert [line.rpartition(": ")[2] for line in latest_lines(tmp_path / "log", 10)] == [f"{CLEARED}ann.", "two"]


def test_times_are_of_the_zone_that_is_set(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log")
    hours = []
    for zone in ("Etc/GMT-3", "Etc/GMT-9", "UTC"):
        log_by(Settings(timezone=zone))
        log.write("now")
        hours.append(int(latest_lines(tmp_path / "log", 1)[0][11:13]))
    assert (hours[1] - hours[0]) % 24 in (6, 7) and (hours[0] - hours[2]) % 24 in (2, 3)


def test_no_hash_key_or_password_is_written(tmp_path: Path) -> None:
    """Neither by the supervisor nor by others, whose traces quote what they had at hand."""
    program = (
        "import logging, sys; from pathlib import Path\n"
        "from appliance.storage.log_file import LogFile, log_to_file, log_to_stderr\n"
        "path, said = Path(sys.argv[1]), sys.argv[2]\n"
        "log_to_stderr(); log_to_file(path); LogFile(path).write(said)\n"
        "try: raise ValueError(said)\n"
        "except ValueError: logging.getLogger('signalbox.worker').exception(said)"
    )
    said = "enable secret scrypt:16384:8:1:00ff:ffaa, user anna sha1 key 00ff 11ee, postgresql://box:tiger@db/sip"
    argv = [sys.executable, "-c", program, str(tmp_path / "log"), said]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
    shown = "enable secret <hidden>, user anna sha1 key <hidden> <hidden>, postgresql://box:<hidden>@db/sip"
    for text in (done.stderr, (tmp_path / "log").read_text()):
        assert text.count(shown) > 1
        assert "00ff" not in text and "tiger" not in text


def test_a_host_gets_the_log_by_syslog(tmp_path: Path) -> None:
    """RFC 5424 6, by UDP (RFC 5426)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as host:
        host.bind(("127.0.0.1", 0))
        host.settimeout(60.0)
        log_by(Settings(hostname="sip1", logging_hosts=(f"127.0.0.1 port {host.getsockname()[1]}",)))
        LogFile(tmp_path / "log").write("Worker 0\nis down", logging.ERROR)
        header, _, text = host.recv(4096).decode().partition("\ufeff")
    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d"
    assert re.fullmatch(rf"<27>1 {moment} sip1 signalbox \d+ supervisor - ", header)
    assert text == "Worker 0 is down"
