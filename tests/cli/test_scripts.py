"""Scripts: commands one after another, an end at the first error, JSON for programs; and the programs that run them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.main import wait_for_appliance
from tests.cli.shells import new_session, script, signalbox
from tests.cli.stand_in import CANNED, StandIn


def test_commands_are_done_one_after_another(stand_in: StandIn) -> None:
    ended = script(new_session(stand_in), "show version", "! a remark", "", "show clock")
    assert ended.status == 0 and not ended.err
    assert ended.lines[0].split() == ["hostname", "box"]
    assert len(ended.lines) == len(CANNED["show version"]) + 2


def test_the_first_error_ends_a_script(stand_in: StandIn) -> None:
    ended = script(new_session(stand_in), "show vlan brief", "show version")
    assert ended.status == 1 and not ended.out
    assert ended.err.splitlines()[:2] == ["show vlan brief", "     ^"]
    assert ended.err.splitlines()[2].startswith('% Invalid input: unknown keyword "vlan"')


def test_what_the_appliance_refuses_is_told_with_its_remedy(stand_in: StandIn) -> None:
    ended = script(new_session(stand_in), "enable", "drain worker 0", "drain worker 9")
    assert ended.lines == ["Worker 0 is draining."]
    assert ended.status == 1
    assert "% There is no worker 9. Type a number from 0 to 1." in ended.err


def test_results_as_json(stand_in: StandIn) -> None:
    ended = script(new_session(stand_in), "show workers", is_json=True)
    assert json.loads(ended.out) == CANNED["show workers"]
    ended = script(new_session(stand_in), "show workers | json")
    assert json.loads(ended.out) == CANNED["show workers"]


def test_errors_as_json(stand_in: StandIn) -> None:
    ended = script(new_session(stand_in), "show vlan", is_json=True)
    assert ended.status == 1 and not ended.err
    assert json.loads(ended.out)["error"]["column"] == 5
    ended = script(new_session(stand_in), "enable", "drain worker 9", is_json=True)
    assert json.loads(ended.out)["error"]["message"] == "There is no worker 9."


def test_streams_as_json_are_a_line_for_each_event(stand_in: StandIn) -> None:
    ended = script(new_session(stand_in), "enable", "ping sip sip:x count 2 | json")
    kinds = [next(iter(json.loads(line))) for line in ended.lines]
    assert kinds == ["event", "event", "result"]


def test_what_is_only_said_is_no_document(stand_in: StandIn) -> None:
    assert script(new_session(stand_in), "enable", "conf t", "show history", is_json=True).lines[0] == "{"
    assert script(new_session(stand_in), "enable", "write", is_json=True).lines == []


def test_a_script_has_no_terminal_to_show_the_log_on(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    ended = script(session, "enable", "terminal monitor")
    assert ended.status == 1 and "`terminal monitor` requires a terminal." in ended.err
    assert "terminal monitor" not in [do for do, _ in stand_in.seen]
    assert script(session, "terminal no monitor").status == 1


def test_signalbox_cli_and_the_login_shell(stand_in: StandIn) -> None:
    state = str(stand_in.path.parents[1])
    shell = ("-m", "appliance", "cli", "--state", state)
    done = signalbox(*shell, "-c", "show clock | count", "-c", "show slots | count")
    assert (done.returncode, done.stdout) == (0, "1 line\n2 lines\n")
    done = signalbox(*shell, stdin="show clock | count\nshow nonsense\nshow clock\n")
    assert (done.returncode, done.stdout) == (1, "1 line\n")
    assert "% Invalid input" in done.stderr
    done = signalbox("-m", "cli.main", "--state", state, "-c", "show clock | count\nshow slots | count")
    assert (done.returncode, done.stdout) == (0, "1 line\n2 lines\n")


def test_the_archive_for_support_goes_to_standard_output(stand_in: StandIn) -> None:
    line = ["-m", "cli.main", "--state", str(stand_in.path.parents[1]), "-c", "enable\ncopy tech-support"]
    done = subprocess.run([sys.executable, *line], capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"\x1f\x8b\xff\x00end")


def test_signalbox_cli_without_an_appliance(tmp_path: Path) -> None:
    done = signalbox("-m", "appliance", "cli", "--state", str(tmp_path), "-c", "show clock")
    assert done.returncode == 1
    assert done.stderr.startswith("% Cannot connect to the appliance at")


def test_a_login_soon_after_the_boot_waits_for_the_appliance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    socket = tmp_path / "control.sock"
    with subprocess.Popen(["sh", "-c", f"sleep 1; touch {socket}"]):
        wait_for_appliance(socket, 600.0)
    assert socket.exists() and capsys.readouterr().out == "The appliance starts. Ctrl-C stops waiting.\n"
    wait_for_appliance(socket, 600.0)
    wait_for_appliance(tmp_path / "none", 0.0)
    assert capsys.readouterr().out == ""
