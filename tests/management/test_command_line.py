"""The `signalbox` command: what it takes, says, and returns."""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.__main__ import main
from appliance.commands.command_line import command_line
from appliance.management.errors import UNUSABLE
from appliance.supervisor import run as cluster_run

REPOSITORY = Path(__file__).parents[2]


def parsers(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The parser and those of its commands, at any depth."""
    found = [parser]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                found += parsers(inner)
    return found


@pytest.mark.parametrize("parser", parsers(command_line()), ids=lambda parser: parser.prog)
def test_every_command_and_every_option_has_help(parser: argparse.ArgumentParser) -> None:
    assert parser.description
    for action in parser._actions:
        assert action.help or action.metavar in ("USER@DOMAIN", "FILE.csv", "COMMAND", "ACTION"), action


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a command."""
    try:
        status = main(arguments)
    except SystemExit as end:
        status = int(end.code or 0)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_the_version_says_which_build_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "--version")
    assert status == 0
    assert out.startswith("signalbox ")
    assert ("(pure, Python 3." in out) != ("(compiled, Python 3." in out)


@pytest.mark.parametrize("arguments", [[], ["walk"], ["check"], ["subscriber"], ["subscriber", "add"], ["run", "--x"]])
def test_a_wrong_command_line_is_status_2(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    status, out, err = said(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("usage: signalbox")


def test_check_says_yes_or_every_fault(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "box.conf"
    path.write_text("domain example.com\n")
    sentence = f"{path} is valid: 1 listener, domains: example.com.\n"
    assert said(capsys, "check", "--config", str(path)) == (0, sentence, "")
    path.write_text("domain example.com\nworkers 0\nport 1\n")
    status, out, err = said(capsys, "check", "--config", str(path))
    assert (status, out) == (1, "")
    assert [line.split(":")[0].strip() for line in err.splitlines()[1:]] == ["line 2", "line 3"]


def test_status_of_nothing_is_status_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, out, err = said(capsys, "status", "--state", str(tmp_path))
    assert (status, out) == (1, "")
    assert err.startswith("No appliance is running")


def test_subscribers_come_and_go(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = ("--state", str(tmp_path / "state"))
    config = ("--config", str(REPOSITORY / "packaging/demo.conf"))
    monkeypatch.setattr(sys, "stdin", io.StringIO("wonderland\nrest\n"))
    status, out, _ = said(capsys, "subscriber", "add", "alice@127.0.0.1", "--password-stdin", *state, *config)
    assert status == 0
    assert out.startswith("Subscriber alice@signalbox.test added.")
    assert said(capsys, "subscriber", "list", *state) == (0, "alice@signalbox.test\n", "")
    assert said(capsys, "subscriber", "remove", "alice@localhost", *state, *config)[0] == 0
    assert said(capsys, "subscriber", "list", *state) == (0, "", "")
    status, _, err = said(capsys, "subscriber", "remove", "alice@localhost", *state, *config)
    assert (status, err) == (1, "alice@signalbox.test is not a subscriber.\n")


def test_a_folder_without_subscribers_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for words in (("list",), ("remove", "alice@example.com"), ("export",)):
        status, out, err = said(capsys, "subscriber", *words, "--state", str(tmp_path / "wrong"))
        assert (status, out) == (1, "")
        assert err.startswith(f"There is no subscriber database in {tmp_path}/wrong: ")
    assert not (tmp_path / "wrong").exists()


def test_import_of_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("alice,example.com,wonderland\nbob,example.com\n")
    status, _, err = said(capsys, "subscriber", "import", str(people), "--state", str(tmp_path))
    assert status == 1
    assert "  line 2: there are 2 columns" in err
    people.write_text("alice,example.com,wonderland\nbob,example.com,builders\n")
    assert said(capsys, "subscriber", "import", str(people), "--state", str(tmp_path))[0] == 0
    assert said(capsys, "subscriber", "import", str(people), "--state", str(tmp_path))[0] == 1
    assert said(capsys, "subscriber", "import", "--replace", str(people), "--state", str(tmp_path))[0] == 0


def test_a_password_needs_a_terminal_or_the_option(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("secret\n"))
    status, _, err = said(capsys, "subscriber", "add", "alice@example.com", "--state", str(tmp_path))
    assert (status, err) == (1, "There is no terminal to ask for the password: use --password-stdin.\n")


def test_a_state_folder_that_cannot_be_made_is_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    people = tmp_path / "people.csv"
    people.write_text("alice,example.com,wonderland\n")
    status, _, err = said(capsys, "subscriber", "import", str(people), "--state", str(tmp_path / "file" / "state"))
    assert (status, err) == (1, f"The state folder {tmp_path}/file/state cannot be created: Not a directory.\n")
    status, _, err = said(capsys, "subscriber", "list", "--state", str(tmp_path / "file"))
    assert (status, err.count("\n")) == (1, 1)
    assert "it is a file" in err


def test_run_hands_settings_text_and_folder_over(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[object, ...]] = []

    def run(*arguments: object, **named: object) -> int:
        ran.append((*arguments, named))
        return 7

    monkeypatch.setattr(cluster_run, "run", run)
    path = tmp_path / "box.conf"
    path.write_text("hostname box\ndomain example.com\n")
    state = tmp_path / "state"
    status, out, _ = said(capsys, "run", "--config", str(path), "--state", str(state), "--demo")
    assert status == 7
    assert "sip:alice@127.0.0.1" in out
    ((settings, start, folder, named),) = ran
    assert getattr(settings, "hostname", "") == "box"
    assert (start.text, folder, named) == (path.read_text(), state, {"config_name": str(path)})  # type: ignore[attr-defined]


def test_a_bad_configuration_starts_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_run, "run", lambda *_, **__: pytest.fail("it was started"))
    path = tmp_path / "box.conf"
    path.write_text("workers 0\n")
    assert said(capsys, "run", "--config", str(path), "--state", str(tmp_path / "state"))[0] == UNUSABLE
    assert not (tmp_path / "state").exists()


def test_a_reader_who_leaves_is_no_crash(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "appliance", "check", "--config", str(REPOSITORY / "packaging/demo.conf")]
    ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (1, b"")


def test_a_file_to_import_that_is_not_there_is_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, _, error = said(capsys, "subscriber", "import", str(tmp_path / "people.csv"), "--state", str(tmp_path))
    assert status == 1
    assert error.endswith("cannot be read: No such file or directory.\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_what_root_makes_in_the_state_folder_belongs_to_the_user_of_the_service(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o710)
    os.chown(state, 65534, 65534)
    rows, exported = tmp_path / "people.csv", tmp_path / "exported.csv"
    rows.write_text("alice,example.com,wonderland\n")
    for folder in tmp_path.parents:
        if folder.name.startswith(("pytest-", "popen-")):
            folder.chmod(0o711)
    tmp_path.chmod(0o711)
    rows.chmod(0o600)
    assert said(capsys, "subscriber", "import", str(rows), "--state", str(state))[0] == 0
    assert {path.stat().st_uid for path in state.iterdir()} == {65534}
    assert os.geteuid() == 0
    assert said(capsys, "subscriber", "export", str(exported), "--state", str(state))[0] == 0
    assert exported.stat().st_uid == 0 and "alice,example.com" in exported.read_text()
