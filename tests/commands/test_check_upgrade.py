"""`signalbox check-upgrade`: what another version would change."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.__main__ import main
from appliance.commands.check_upgrade import facts, report
from appliance.storage.commits import CommitStore

HERE = {"version": "1.0", "formats": {"configuration": 1, "registrations": 1}, "settings": ["hostname", "limits calls"]}


def offered(**changes: object) -> dict[str, object]:
    return {**HERE, "version": "2.0", **changes}


def test_a_version_that_changes_nothing_has_a_way_back() -> None:
    lines, is_possible = report(HERE, offered(), set())
    assert is_possible
    assert lines == [
        "Signalbox 1.0 is installed; the package has 2.0.",
        "Stored data keep their formats: the way back is to install this version again.",
        "The service is restarted once. Calls that are up and registrations stay.",
    ]


def test_settings_that_are_new_gone_and_in_use_are_named() -> None:
    lines, is_possible = report(HERE, offered(settings=["hostname", "limits dialogs"]), {"limits calls"})
    assert is_possible
    assert "New settings: limits dialogs." in lines and "Settings that are gone: limits calls." in lines
    assert "The active configuration has limits calls: remove them first, or they are of no effect." in lines


def test_a_raised_format_has_a_backup_as_the_way_back() -> None:
    lines, is_possible = report(HERE, offered(formats={"configuration": 1, "registrations": 2}), set())
    assert is_possible
    assert "It stores registrations in format 2: the way back is a backup made before the upgrade." in lines


def test_a_version_that_cannot_read_what_is_stored_should_not_be_installed() -> None:
    lines, is_possible = report(HERE, offered(formats={"configuration": 1}), set())
    assert not is_possible
    assert any("cannot read the registrations stored here" in line for line in lines)


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg is not installed")
def test_a_package_is_read_without_being_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree, state = tmp_path / "tree", tmp_path / "state"
    (tree / "DEBIAN").mkdir(parents=True)
    control = "Package: signalbox\nVersion: 9.0\nArchitecture: all\nMaintainer: a <a@b>\nDescription: test\n"
    (tree / "DEBIAN/control").write_text(control)
    (tree / "usr/share/signalbox").mkdir(parents=True)
    said_of_it = {**facts(), "version": "9.0", "settings": ["hostname"]}
    (tree / "usr/share/signalbox/facts.json").write_text(json.dumps(said_of_it))
    package = tmp_path / "signalbox.deb"
    subprocess.run(["dpkg-deb", "--build", str(tree), str(package)], check=True, capture_output=True)
    CommitStore(state / "configuration")
    state.mkdir()
    CommitStore(state / "configuration").add("domain example.com\nlimits\n  connections 7\n!\n", "anna", "", 1.0)
    assert main(["check-upgrade", str(package), "--state", str(state)]) == 0
    said = capsys.readouterr().out
    assert "the package has 9.0." in said
    assert "The active configuration has domain, limits connections: remove them first" in said


def test_another_file_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.deb").write_bytes(b"!<arch>\n")
    assert main(["check-upgrade", str(tmp_path / "x.deb"), "--state", str(tmp_path)]) == 1
    assert "is no Debian package of Signalbox" in capsys.readouterr().err
