"""Scripts: plain output, an end at the first error, JSON for programs; and what a session does with lines."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from appliance.catalogue.command_declaration import Right
from appliance.catalogue.counters import COUNTERS
from appliance.catalogue.password_hash import hash_of, is_secret
from cli.commands import run_command
from cli.completion import Completion, complete
from cli.control import Control
from cli.errors import Failed, Unreachable
from cli.session import Session
from tests.cli.shells import Answers, new_session, script, wait_until
from tests.cli.stand_in import CANNED, StandIn, standing_in


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


def test_rights(stand_in: StandIn) -> None:
    ended = script(new_session(stand_in), "clear counters")
    assert ended.status == 1 and "type `enable` first" in ended.err
    assert script(new_session(stand_in), "enable", "clear counters").status == 0
    session = new_session(stand_in)
    assert script(session, "enable", "disable", "clear counters").status == 1
    assert session.prompt == "box>"


def test_a_secret_is_asked_for_where_one_is_set(tmp_path: Path) -> None:
    with standing_in(tmp_path, secret="tiger") as stand_in:
        answers = Answers("tiger")
        session = new_session(stand_in, answers)
        assert script(session, "enable", "clear counters").status == 0
        assert answers.questions == ["Secret: "]
        assert script(new_session(stand_in, Answers("lion")), "enable").status == 1
        assert "terminal" in script(new_session(stand_in), "enable").err


def test_a_script_of_one_whom_the_kernel_knows_is_not_asked_for_the_secret(tmp_path: Path) -> None:
    with standing_in(tmp_path, secret="tiger") as stand_in:
        assert script(new_session(stand_in, is_script=True), "enable", "clear counters").status == 0
        state = str(stand_in.path.parents[1])
        done = signalbox("-m", "cli.main", "--state", state, "-c", "enable\nclear counters")
        assert done.returncode == 0, done.stderr
        assert stand_in.seen[-3][0] == "hello" and stand_in.seen[-3][1]["script"] is True


def test_the_address_of_ssh_is_said(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 50000 192.0.2.1 22")
    signalbox("-m", "cli.main", "--state", str(stand_in.path.parents[1]), "-c", "show clock")
    assert stand_in.seen[0][1]["address"] == "192.0.2.7"


def test_an_account_logs_in(tmp_path: Path) -> None:
    with standing_in(tmp_path, accounts={"ann": "tiger"}) as stand_in:
        answers = Answers("ann", "lion", "ann", "tiger")
        assert new_session(stand_in, answers).user == "ann"
        assert answers.questions[::2] == ["Username: ", "Wrong user or password. Username: "]
        with pytest.raises(Failed, match="Wrong user"):
            new_session(stand_in, Answers("ann", "a", "ann", "b", "ann", "c"))


# -- configuration mode --------------------------------------------------------------------------------


def test_a_configuration_is_edited_checked_and_committed(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    ended = script(
        session, "enable", "configure", "listener phones", "port 5062", "show diff", "validate",
        "commit comment room for phones", "end", "show running-config",
    )  # fmt: skip
    assert ended.status == 0, ended.err
    assert ended.lines[:2] == ["+ listener phones", "+   port 5062"]
    assert "Commit 2 is now active." in ended.lines
    assert ended.out.endswith("hostname box\nlistener phones\n  port 5062\n!\n")
    assert stand_in.head.comment == "room for phones"
    assert session.prompt == "box#"


def test_prompts_say_where_one_is(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    prompts = []
    for line in ("", "enable", "conf t", "listener phones", "registrar", "exit", "hostname new", "exit"):
        script(session, line) if line else None
        prompts.append(session.prompt)
    assert prompts[:7] == [
        "box>", "box#", "box(config)#", "box(config-listener)#", "box(config-registrar)#", "box(config)#",
        "box(config)#",
    ]  # fmt: skip


def test_a_line_of_another_place_leaves_the_section(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    script(session, "enable", "conf t", "listener phones", "hostname new")
    assert session.prompt == "box(config)#"
    script(session, "listener phones", "no listener phones")
    assert session.prompt == "box(config)#"
    script(session, "listener phones", "! a remark")
    assert session.prompt == "box(config-listener)#"
    script(session, "!")
    assert session.prompt == "box(config)#"


def test_faults_are_shown_under_their_lines_and_change_nothing(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    ended = script(session, "enable", "conf t", "registrar", "expires minimum 5000", "commit")
    assert ended.status == 1
    assert "% The candidate has 1 error; nothing was changed:" in ended.err
    assert "     3    expires minimum 5000" in ended.err
    assert "is more than `expires default` 3600" in ended.err
    assert stand_in.head.number == 1
    assert script(session, "registrar expires minimum 50", "commit").status == 0


def test_a_second_commit_is_refused_with_the_conflicts_until_it_is_rebased(stand_in: StandIn) -> None:
    one, other = new_session(stand_in), new_session(stand_in)
    script(one, "enable", "conf t", "workers 2")
    script(other, "enable", "conf t", "workers 3")
    assert script(one, "commit").status == 0
    ended = script(other, "commit")
    assert "Somebody else has committed since. Type `rebase`." in ended.err
    assert "    theirs  workers 2" in ended.err
    assert script(other, "rebase", "commit").status == 0
    assert stand_in.head.text == "hostname box\nworkers 3\n"


def test_commits_on_trial_are_confirmed(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    ended = script(session, "enable", "conf t", "workers 2", "commit confirmed 5 comment try it", "end", "confirm")
    assert "Commit 2 is now active; it reverts automatically in 5 minutes unless you type `confirm`." in ended.lines
    assert ended.lines[-1] == "Commit 2 confirmed."
    assert stand_in.head.state == "confirmed"


def test_an_earlier_commit_comes_back(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    script(session, "enable", "conf t", "workers 2", "commit", "end", "rollback 1 confirm comment it was better")
    assert (stand_in.head.number, stand_in.head.text) == (3, "hostname box\n")
    script(session, "conf t", "rollback 2", "commit")
    assert stand_in.head.text == "hostname box\nworkers 2\n"
    assert "There is no commit 9" in script(session, "rollback 9").err


def test_a_rollback_shows_what_it_changes_and_asks(stand_in: StandIn) -> None:
    answers = Answers("maybe", "no", "yes")
    session = new_session(stand_in, answers)
    script(session, "enable", "conf t", "workers 2", "commit", "end")
    assert script(session, "rollback 1").status == 1
    assert answers.questions[0] == "- workers 2\nRoll back to commit 1? [yes/no] "
    assert stand_in.head.number == 2
    assert script(session, "rollback").status == 0
    assert stand_in.head.text == "hostname box\n"


def test_a_rollback_in_a_script_has_to_be_confirmed(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    script(session, "enable", "conf t", "workers 2", "commit", "end")
    ended = script(session, "rollback 1")
    assert ended.status == 1 and "type `rollback 1 confirm`" in ended.err and "- workers 2" in ended.err
    assert stand_in.head.number == 2


@pytest.mark.parametrize(("typed", "is_done"), [("", True), ("y", True), ("confirm", True), ("no", False)])
def test_a_reload_asks(stand_in: StandIn, typed: str, is_done: bool) -> None:
    answers = Answers(typed)
    session = new_session(stand_in, answers)
    ended = script(session, "enable", "reload")
    assert answers.questions == ["Proceed with reload? [confirm] "]
    assert ("reload" in [do for do, _ in stand_in.seen]) == is_done
    assert ended.status == (0 if is_done else 1)


def test_a_reload_in_a_script_has_to_be_confirmed(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    ended = script(session, "enable", "reload in 5")
    assert ended.status == 1 and "Type `reload confirm`" in ended.err
    assert script(session, "reload in 5 confirm").status == 0
    assert [args for do, args in stand_in.seen if do == "reload"] == [{"minutes": 5}]


def test_files_are_loaded_and_saved(stand_in: StandIn, tmp_path: Path) -> None:
    session = new_session(stand_in)
    path = tmp_path / "saved.conf"
    script(session, "enable", "conf t", "workers 2", f"save {path}")
    assert path.read_text() == "hostname box\nworkers 2\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("hostname loaded\n")
    assert script(session, f"load {path}", "commit").status == 0
    assert stand_in.head.text == "hostname loaded\n"
    path.write_text("domain example.com\nlistener phones\n  port 5070\n!\n")
    script(session, "domain example.net", "listener phones transport tcp", "workers 2")
    assert script(session, f"load merge {path}", "show candidate").lines[1:] == [
        "hostname loaded", "workers 2", "domain example.net", "domain example.com",
        "listener phones", "  port 5070", "  transport tcp", "!",
    ]  # fmt: skip
    path.write_text("hostname a b\nlistner x\n")
    ended = script(session, f"load {path}")
    assert "     1  hostname a b" in ended.err and 'did you mean "listener"?' in ended.err
    assert "Cannot read " in script(session, f"load {tmp_path / 'nowhere'}").err
    path.write_bytes(b"\xff\xfe")
    assert "is not UTF-8 text" in script(session, f"load {path}").err
    assert "Cannot write " in script(session, f"save {tmp_path / 'no' / 'folder'}").err


def test_uncommitted_changes_are_not_lost_in_silence(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    ended = script(session, "enable", "conf t", "workers 2")
    assert ended.status == 1 and "uncommitted changes" in ended.err
    ended = script(session, "end")
    assert "Type `commit` to apply them or `abort` to discard them." in ended.err
    assert script(session, "abort", "show candidate").status == 1
    assert session.prompt == "box#"


@pytest.mark.parametrize(
    ("answer", "commits", "prompt"), [("yes", 2, "box#"), ("no", 1, "box#"), ("cancel", 1, "box(config)#")]
)
def test_who_leaves_with_changes_is_asked(stand_in: StandIn, answer: str, commits: int, prompt: str) -> None:
    session = new_session(stand_in, Answers(answer))
    script(session, "enable", "conf t", "workers 2", "end")
    assert (stand_in.head.number, session.prompt) == (commits, prompt)


def test_nothing_to_commit_and_nothing_to_write(stand_in: StandIn) -> None:
    ended = script(new_session(stand_in), "enable", "conf t", "commit", "wr", "end", "wr mem")
    assert ended.lines[0] == "No changes to commit."
    assert ended.lines[1:] == ["Nothing to save: every commit is saved already."] * 2


def test_secrets_are_hashed_before_they_are_in_the_candidate(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    known = hash_of("lion", bytes(16))
    ended = script(
        session, "enable", "conf t", "operator ann", "role admin", "secret tiger", "exit",
        f"operator bob secret {known}", 'enable secret "two words"', "show candidate",
    )  # fmt: skip
    words = [line.split()[-1] for line in ended.lines if "secret" in line]
    assert is_secret("two words", words[0]) and is_secret("tiger", words[1]) and words[2] == known
    assert "tiger" not in ended.out
    assert not any("tiger" in line for line in session.history)


# -- the session -----------------------------------------------------------------------------------------


def test_the_history_holds_no_secrets(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    ended = script(session, "show clock", "enable", "subscriber add ann@x password tiger", "show history")
    assert ended.lines[-3:] == ["  show clock", "  enable", "  show history"]
    assert ("subscriber add", {"address": "ann@x", "password": "tiger"}) in stand_in.seen


def test_a_password_is_asked_for_twice(stand_in: StandIn) -> None:
    session = new_session(stand_in, Answers("a", "b", "a", "a"))
    assert "The passwords do not match" in script(session, "enable", "subscriber add ann@x").err
    assert script(session, "subscriber add ann@x").status == 0


def test_a_lost_connection_is_opened_anew_with_the_rights_and_the_candidate(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    script(session, "enable", "conf t", "workers 2")
    stand_in.hang_up()
    while session.control.is_open:
        pass
    assert script(session, "commit").status == 0
    assert session.right is Right.ADMIN


def test_the_prompt_follows_the_hostname_and_the_right(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    script(session, "enable")
    stand_in.say(session={"hostname": "other", "right": "admin"})
    wait_until(lambda: session.prompt == "other#")
    stand_in.say(session={"hostname": "other", "right": "view"})
    wait_until(lambda: session.prompt == "other>")


def test_a_right_that_is_gone_is_gone_from_the_prompt(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    script(session, "enable")
    stand_in.refusal = {"message": "`clear counters` changes something.", "remedy": "", "right": "view"}
    assert script(session, "clear counters").status == 1
    assert session.prompt == "box>"


def test_a_demoted_operator_sees_it_in_configuration_mode_and_is_asked_for_no_secret(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    script(session, "enable", "conf t", "listener phones")
    stand_in.say(session={"right": "view", "is_admin": False, "needs_secret": False})
    wait_until(lambda: session.prompt == "box(config-listener)>")
    asked = len(stand_in.seen)
    assert "The role of root is `view`." in script(session, "do enable").err
    assert len(stand_in.seen) == asked
    stand_in.say(session={"right": "view", "is_admin": True, "needs_secret": False})
    wait_until(lambda: "role" not in script(session, "do enable").err)
    assert session.prompt == "box(config-listener)#"


def test_times_are_shown_in_the_zone_of_the_appliance(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    session = new_session(stand_in)
    assert "2025-11-24 11:00:00" in script(session, "show audit").out
    stand_in.say(session={"timezone": "Asia/Tokyo"})
    wait_until(lambda: "2025-11-25 01:00:00" in script(session, "show audit").out)
    stand_in.say(session={"timezone": ""})
    wait_until(lambda: "2025-11-24 11:00:00" in script(session, "show audit").out)
    monkeypatch.undo()
    time.tzset()


def test_a_session_that_is_ended_says_why(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    stand_in.say(over="The session was idle for 10 minutes.")
    stand_in.hang_up()
    wait_until(lambda: not session.control.is_open)
    assert session.is_over


# -- leaving -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nonsense", ["", "show run", "commit", "x", "yes please", "nope"])
def test_only_yes_no_and_cancel_answer_whether_to_commit(stand_in: StandIn, nonsense: str) -> None:
    answers = Answers(nonsense, "cancel")
    session = new_session(stand_in, answers)
    script(session, "enable", "conf t", "workers 2", "end")
    assert len(answers.questions) == 2
    assert session.candidate is not None and session.candidate.is_changed


@pytest.mark.parametrize(("answer", "head"), [("y", 2), ("YES", 2), ("n", 1), ("No", 1)])
def test_an_answer_may_be_shortened(stand_in: StandIn, answer: str, head: int) -> None:
    session = new_session(stand_in, Answers(answer))
    script(session, "enable", "conf t", "workers 2", "end")
    assert (stand_in.head.number, session.candidate) == (head, None)


@pytest.mark.parametrize("line", ["do quit", "do logout", "do exit"])
def test_no_way_out_of_the_shell_throws_changes_away(stand_in: StandIn, line: str) -> None:
    answers = Answers("cancel")
    session = new_session(stand_in, answers)
    script(session, "enable", "conf t", "workers 2", line)
    assert answers.questions and session.candidate is not None and not session.is_over
    session.asker = Answers("no")
    script(session, line)
    assert session.candidate is None


def test_configure_does_not_begin_a_second_candidate(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    ended = script(session, "enable", "conf t", "workers 2", "do configure terminal")
    assert ended.status == 1 and "uncommitted changes" in ended.err
    assert session.candidate is not None and session.candidate.is_changed


def test_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as failure:
        new_session(StandIn(tmp_path / "run" / "control.sock"))
    assert "Start the appliance with `signalbox run`" in failure.value.lines()[0]


def test_filters_of_a_script(stand_in: StandIn) -> None:
    ended = script(new_session(stand_in), "show logging | include ^line 1. of", "show logging | count")
    assert ended.lines == [*(f"line 1{digit} of the log" for digit in range(10)), "200 lines"]


def test_a_filter_sees_every_row_of_a_long_table_sorted(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    ended = script(session, "show registrations | include ^u", "show registrations | exclude nothing | count")
    addresses = [line.split()[0] for line in ended.lines[:-1]]
    assert len(addresses) == 2000 and addresses == sorted(addresses)
    assert ended.lines[-1] == "2000 lines"
    document = json.loads(script(session, "show registrations | json").out)
    assert (document["total"], len(document["rows"])) == (2000, 2000)
    assert json.loads(script(session, "show calls | json").out)["started"] == 400


def test_a_limit_is_kept_behind_a_filter(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    script(session, "show registrations limit 5 | count", "show logging 5 | count", "show logging | count")
    asked = [args for do, args in stand_in.seen if do.startswith("show ")]
    assert asked == [{"limit": 5}, {"lines": 5}, {"lines": 10000}]


def test_a_footer_is_no_row(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    assert script(session, "show registrations limit 2 | count").lines[0] == "2 lines"
    shown = script(session, "show counters | include left").lines
    assert not any("`all` shows" in line for line in shown)
    assert script(session, "show connections | include none").lines == []
    CANNED["show calls"]["silent_workers"] = [1]
    try:
        assert script(session, "show calls | include x").lines == ["Worker 1 did not answer; its entries are missing."]
    finally:
        del CANNED["show calls"]["silent_workers"]


def test_counters_that_are_0_are_seen_by_a_filter(stand_in: StandIn) -> None:
    zero = next(row["name"] for row in CANNED["show counters"]["counters"] if not row["value"])
    assert script(new_session(stand_in), f"show counters | include {zero}").lines


def test_what_is_only_said_is_no_document(stand_in: StandIn) -> None:
    assert script(new_session(stand_in), "enable", "conf t", "show history", is_json=True).lines[0] == "{"
    assert script(new_session(stand_in), "enable", "write", is_json=True).lines == []


def test_lines_go_to_a_file(stand_in: StandIn, tmp_path: Path) -> None:
    path = tmp_path / "two words.txt"
    session = new_session(stand_in)
    ended = script(session, f'show logging | include "line 19." | redirect "{path}"')
    assert ended.lines == [f"11 lines written to {path}."]
    assert path.read_text().splitlines()[0] == "line 19 of the log"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "Cannot write " in script(session, f"show clock | redirect {tmp_path}/no/such").err
    assert "must be the last filter" in script(session, f"show clock | redirect {path} | count").err


def test_a_banner_is_shown_once_before_the_login(tmp_path: Path) -> None:
    shown: list[Any] = []
    with standing_in(tmp_path, accounts={"ann": "tiger"}, banner=["Authorized use only."]) as stand_in:
        answers = Answers("ann", "tiger", "ann", "tiger")
        session = Session(Control(stand_in.path), answers, run_command)
        session.terminal.greet = lambda lines: shown.append((lines, len(answers.questions)))
        session.connect()
        session.control.close()
        session.connect()
    assert shown == [(["Authorized use only."], 0)]


def test_an_alias_stands_for_a_command(tmp_path: Path) -> None:
    aliases = {"w": "show workers", "show": "clear counters"}
    with standing_in(tmp_path, aliases=aliases) as stand_in:
        session = new_session(stand_in)
        assert script(session, "w | include live").lines == script(session, "show workers | include live").lines
        stand_in.say(session={"hostname": "box", "right": "view", "aliases": {"v": "show version"}})
        wait_until(lambda: "v" in session.aliases)
        assert script(session, "v").lines[0].split() == ["hostname", "box"]
        assert script(session, "w").status == 1


def test_live_names_complete(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    assert session.live_names("address", "al") == ["alice@example.com", "alina@example.com"]
    assert session.live_names("nonsense", "") == []


def test_names_and_values_in_the_candidate_complete(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    script(session, "enable", "conf t", "domain example.com", "listener phones", "listener trunks", "exit")

    def completed(text: str) -> Completion:
        return complete(session.grammars, text, session.live_names)

    assert completed("no listener ph") == Completion("ones ")
    assert completed("listener ") == Completion("", ("phones", "trunks"))
    assert completed("no domain ex") == Completion("ample.com ")


def test_files_complete(stand_in: StandIn, tmp_path: Path) -> None:
    session = new_session(stand_in)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.conf").touch()
    assert session.live_names("file", f"{tmp_path}/f") == [f"{tmp_path}/file.conf", f"{tmp_path}/folder/"]
    assert session.live_names("file", f"{tmp_path}/nowhere/x") == []


# -- the command line ------------------------------------------------------------------------------------


def signalbox(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], input=stdin, capture_output=True, text=True, timeout=60)


def test_a_script_has_no_terminal_to_show_the_log_on(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    ended = script(session, "enable", "terminal monitor")
    assert ended.status == 1 and "`terminal monitor` requires a terminal." in ended.err
    assert "terminal monitor" not in [do for do, _ in stand_in.seen]
    assert script(session, "terminal no monitor").status == 1


def test_headings_are_not_counted(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    assert script(session, "show counters | count").lines == [f"{len(COUNTERS)} lines"]
    assert script(session, "show slots | count").lines == ["2 lines"]


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
