"""`system backup`, `system shell` and `system upgrade`, as the shell does them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.cli.shells import new_session, script
from tests.cli.stand_in import StandIn


def test_a_backup_goes_to_standard_output(stand_in: StandIn) -> None:
    line = ["-m", "cli.main", "--state", str(stand_in.path.parents[1])]
    commands = b'enable\nsystem backup passphrase "a long one"\n'
    done = subprocess.run([sys.executable, *line], input=commands, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"\x00sealed\xff", b"")


def test_a_backup_goes_to_a_file_of_the_operator_alone(stand_in: StandIn, tmp_path: Path) -> None:
    file = tmp_path / "sip1.backup"
    ended = script(new_session(stand_in), "enable", f'system backup {file} passphrase "a long one"')
    assert ended.lines == [f"Backup written to {file}: 8 bytes."]
    assert file.read_bytes() == b"\x00sealed\xff" and file.stat().st_mode & 0o777 == 0o600


def test_a_backup_that_is_refused_leaves_the_file_as_it_was(stand_in: StandIn, tmp_path: Path) -> None:
    file = tmp_path / "sip1.backup"
    file.write_bytes(b"former")
    ended = script(new_session(stand_in), "enable", f"system backup {file} passphrase short")
    assert ended.status == 1 and "The passphrase is too short" in ended.err
    assert file.read_bytes() == b"former" and list(tmp_path.glob(".*")) == []


def test_a_file_that_cannot_be_written_is_said(stand_in: StandIn, tmp_path: Path) -> None:
    ended = script(new_session(stand_in), "enable", f'system backup {tmp_path}/none/x passphrase "a long one"')
    assert ended.status == 1 and "Cannot write" in ended.err


def test_a_passphrase_is_asked_for(stand_in: StandIn) -> None:
    ended = script(new_session(stand_in), "enable", "system backup")
    assert ended.status == 1 and "No terminal to ask for the passphrase." in ended.err


def test_a_shell_of_the_operating_system_needs_a_terminal(stand_in: StandIn) -> None:
    ended = script(new_session(stand_in), "enable", "system shell")
    assert ended.status == 1 and "requires a terminal" in ended.err


def test_a_shell_is_for_the_appliances_own_machine(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    session.terminal.monitor = lambda is_on: None
    ended = script(session, "enable", "system shell")
    assert ended.status == 1 and "others administer it" in ended.err
