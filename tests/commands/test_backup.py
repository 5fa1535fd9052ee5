"""`signalbox backup` and `restore`: an appliance is replaced by its backup, or nothing is changed."""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import stat
import tarfile
from pathlib import Path

import pytest

from appliance import clock
from appliance.__main__ import main
from appliance.commands.starting_configuration import starting_configuration
from appliance.storage.commits import CommitStore
from appliance.storage.encrypted_file import EncryptedWriter
from appliance.storage.state_format import take_folder
from appliance.storage.subscriber import new_subscriber
from appliance.storage.subscriber_database import SubscriberStore, database_url

PASSPHRASE = "open sesame"


class Machine:
    """The folders of an appliance."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.state, self.config = folder / "state", folder / "etc"
        self.state.mkdir(parents=True)
        self.config.mkdir()
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def fill(self, hostname: str) -> None:
        take_folder(self.state)
        (self.state / "key").write_bytes(hostname.encode().ljust(32))
        CommitStore(self.state / "configuration").add(f"hostname {hostname}\ndomain example.com\n", "anna", "", 1.0)
        store = SubscriberStore(database_url("", self.state))
        store.add(new_subscriber(hostname, "example.com", "wonderland", clock.wall_time()))
        store.close()
        (self.config / "signalbox.conf").write_text(f"hostname {hostname}\n")
        (self.config / "certificates").mkdir()
        (self.config / "certificates/own.pem").write_text(f"certificate of {hostname}")

    def run(self, command: str, file: Path, passphrase: str = PASSPHRASE) -> tuple[int, str]:
        self._monkeypatch.setattr("sys.stdin", io.StringIO(f"{passphrase}\n"))
        options = ["--state", str(self.state), "--config-dir", str(self.config), "--passphrase-stdin"]
        status = main([command, str(file), *options])
        said = self._capsys.readouterr()
        return status, said.out + said.err

    def hostname(self) -> str:
        head = CommitStore(self.state / "configuration").head
        assert head is not None
        return head.text.split()[1]

    def subscribers(self) -> list[str]:
        store = SubscriberStore(database_url("", self.state))
        names = [found.username for found in store.list()]
        store.close()
        return names


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Machine:
    machine = Machine(tmp_path / "old", monkeypatch, capsys)
    machine.fill("old")
    return machine


@pytest.fixture
def new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Machine:
    machine = Machine(tmp_path / "new", monkeypatch, capsys)
    machine.fill("new")
    return machine


def test_an_appliance_is_replaced_by_its_backup(old: Machine, new: Machine, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    status, said = old.run("backup", file)
    assert (status, said) == (0, f"Backup written to {file}: 1 commits, 4 other files.\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert new.run("restore", file)[0] == 0
    assert (new.hostname(), new.subscribers()) == ("old", ["old"])
    assert (new.state / "key").read_bytes() == (old.state / "key").read_bytes()
    assert (new.config / "signalbox.conf").read_text() == "hostname old\n"
    assert (new.config / "certificates/own.pem").read_text() == "certificate of old"
    # What was there is kept.
    assert (new.state / "before-restore-1/key").read_bytes() == b"new".ljust(32)
    assert (new.config / "signalbox.conf.before-restore").read_text() == "hostname new\n"


def test_it_can_be_restored_twice(old: Machine, new: Machine, tmp_path: Path) -> None:
    old.run("backup", tmp_path / "backup")
    # Of one that was killed while it unpacked.
    (new.state / "restore-killed/state").mkdir(parents=True)
    for _ in range(2):
        assert new.run("restore", tmp_path / "backup")[0] == 0
    assert new.hostname() == "old" and (new.state / "before-restore-2").exists()
    assert not list(new.state.glob("restore-*"))


def test_a_wrong_passphrase_and_damage_change_nothing(old: Machine, new: Machine, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    old.run("backup", file)
    wrong = "The passphrase is wrong, or the file is damaged. Nothing was changed.\n"
    assert new.run("restore", file, "open barley") == (1, wrong)
    octets = file.read_bytes()
    for damaged in (octets[:-1], octets[:-1] + bytes([octets[-1] ^ 1]), b"", b"x" * 100):
        file.write_bytes(damaged)
        status, said = new.run("restore", file)
        assert status == 1 and said.endswith("Nothing was changed.\n")
    assert (new.hostname(), new.subscribers()) == ("new", ["new"])
    assert not list(new.state.glob("restore-*")) and not list(new.state.glob("before-*"))


def test_a_running_appliance_is_not_replaced(old: Machine, new: Machine, tmp_path: Path) -> None:
    old.run("backup", tmp_path / "backup")
    with (new.state / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status, said = new.run("restore", tmp_path / "backup")
    assert status == 1 and "Stop it first: `systemctl stop signalbox`" in said
    assert new.hostname() == "new"


def archive_of(file: Path, entries: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> None:
    with file.open("wb") as opened:
        writer = EncryptedWriter(opened, PASSPHRASE)
        with tarfile.open(fileobj=writer, mode="w|gz") as archive:
            for name, octets in entries.items():
                entry = tarfile.TarInfo(name)
                entry.type, entry.linkname = kind, "/etc/passwd"
                entry.size = len(octets) if kind == tarfile.REGTYPE else 0
                archive.addfile(entry, io.BytesIO(octets) if entry.size else None)
        writer.close()


@pytest.mark.parametrize("name", ["../key", "/etc/passwd", "etc/../../x", "etc/.hidden", "state/log/x"])
def test_an_archive_of_another_hand_gets_nowhere_else(new: Machine, tmp_path: Path, name: str) -> None:
    archive_of(tmp_path / "backup", {name: b"x"})
    status, said = new.run("restore", tmp_path / "backup")
    assert status == 1 and "it has an entry" in said
    archive_of(tmp_path / "backup", {"state/key": b""}, tarfile.SYMTYPE)
    assert new.run("restore", tmp_path / "backup")[0] == 1
    assert new.hostname() == "new"


def test_a_backup_of_a_later_version_is_refused(new: Machine, tmp_path: Path) -> None:
    manifest = json.dumps({"version": "9.9", "formats": {"configuration": 99}}).encode()
    archive_of(tmp_path / "backup", {"manifest.json": manifest, "state/key": b"x"})
    status, said = new.run("restore", tmp_path / "backup")
    assert status == 1 and said.startswith("The backup is of Signalbox 9.9")
    assert (new.state / "key").read_bytes() == b"new".ljust(32)


def test_a_short_passphrase_and_a_folder_without_an_appliance(old: Machine, tmp_path: Path) -> None:
    assert old.run("backup", tmp_path / "backup", "short")[1] == "The passphrase has 5 characters: type at least 8.\n"
    (old.state / "key").unlink()
    assert "There is no appliance in" in old.run("backup", tmp_path / "backup")[1]
    assert not (tmp_path / "backup").exists()


def renames_fail_after(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine stops, as seen from the program: no name is changed after so many."""
    rename, left = Path.rename, [count]

    def failing(path: Path, target: Path) -> Path:
        if left[0] == 0:
            raise OSError(errno.EIO, "Input/output error")
        left[0] -= 1
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)


@pytest.mark.parametrize("count", range(9))
def test_a_restore_that_is_interrupted_has_changed_nothing_or_is_completed_by_the_next_start(
    old: Machine, new: Machine, tmp_path: Path, count: int
) -> None:
    old.run("backup", tmp_path / "backup")
    with pytest.MonkeyPatch.context() as machine:
        renames_fail_after(count, machine)
        assert new.run("restore", tmp_path / "backup")[0] == 1
    settings, start = starting_configuration(None, new.state)
    after = "new" if count == 0 else "old"
    assert settings.hostname == after and start.text.startswith(f"hostname {after}\n")
    assert (new.state / "key").read_bytes() == after.encode().ljust(32) and new.subscribers() == [after]
    assert (new.config / "signalbox.conf").exists()
    assert not list(new.state.glob("restore-*"))
    assert new.run("restore", tmp_path / "backup")[0] == 0
    assert (new.config / "signalbox.conf").read_text() == "hostname old\n" and new.hostname() == "old"
    kept = [path.read_bytes() for path in new.state.glob("before-restore-*/key")]
    assert b"new".ljust(32) in kept


def test_what_an_earlier_restore_has_kept_stays(old: Machine, new: Machine, tmp_path: Path) -> None:
    for hostname in ("second", "third"):
        old.run("backup", tmp_path / "backup")
        new.run("restore", tmp_path / "backup")
        (old.config / "signalbox.conf").write_text(f"hostname {hostname}\n")
    old.run("backup", tmp_path / "backup")
    new.run("restore", tmp_path / "backup")
    kept = {path.read_text() for path in new.config.glob("signalbox.conf.before-restore*")}
    assert kept == {"hostname new\n", "hostname old\n", "hostname second\n"}


def test_a_folder_in_the_place_of_a_file_changes_nothing(old: Machine, new: Machine, tmp_path: Path) -> None:
    (old.config / "extra").write_text("x")
    (new.config / "extra").mkdir()
    old.run("backup", tmp_path / "backup")
    status, said = new.run("restore", tmp_path / "backup")
    assert status == 1 and said.endswith("Nothing was changed.\n")
    assert (new.hostname(), (new.config / "signalbox.conf").read_text()) == ("new", "hostname new\n")
    assert not [path for path in new.config.rglob("*") if path.suffix == ".new"]


def test_an_entry_that_comes_twice_is_refused(new: Machine, tmp_path: Path) -> None:
    archive_of(tmp_path / "backup", {"etc/x": b"1", "etc/x/y": b"2"})
    status, said = new.run("restore", tmp_path / "backup")
    assert status == 1 and "two of its entries have one name. Nothing was changed." in said


def test_files_that_no_backup_has_are_named(old: Machine, tmp_path: Path) -> None:
    (old.config / "certificates/of anna.pem").write_text("x")
    status, said = old.run("backup", tmp_path / "backup")
    assert status == 0 and said.endswith("Not in it, for their names: 'certificates/of anna.pem'.\n")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"unpacked": "x", "steps": [["../a", "b"]]}'])
def test_damaged_steps_of_a_restore_are_set_aside(new: Machine, content: bytes) -> None:
    (new.state / "restore-steps").write_bytes(content)
    assert starting_configuration(None, new.state)[0].hostname == "new"
    assert (new.state / "restore-steps.damaged-1").read_bytes() == content


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_that_cannot_be_written_is_said(old: Machine, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    assert "cannot be written: Permission denied" in old.run("backup", tmp_path / "closed/backup")[1]
