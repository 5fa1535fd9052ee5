"""The real shell on a real terminal: keys, pages, help, Tab, Ctrl-C, and a commit that takes itself back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.screen import Screen, shell_on_screen
from tests.cli.stand_in import StandIn, standing_in

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux (packaging/apt-test.txt)")


@pytest.fixture
def appliance(tmp_path: Path) -> Iterator[StandIn]:
    with standing_in(tmp_path, minute_s=1.0) as stand_in:
        yield stand_in


@pytest.fixture
def screen(appliance: StandIn, tmp_path: Path) -> Iterator[Screen]:
    with shell_on_screen(tmp_path) as screen:
        yield screen


def test_a_question_mark_shows_help_at_once_and_leaves_the_line(screen: Screen) -> None:
    screen.type("show co?")
    screen.until("counters ...")
    lines = screen.until("box> show co")
    assert [line.split()[0] for line in lines[-4:-1]] == ["configuration", "connections", "counters"]
    screen.enter("unters | count")
    screen.until("lines...")


def test_a_question_mark_in_a_quoted_word_is_a_letter(screen: Screen) -> None:
    screen.enter('show registrations "who?"')
    screen.until("No entries....")


def test_tab_completes_words_and_live_names(screen: Screen) -> None:
    screen.type("en")
    screen.press("Tab", "Enter")
    screen.until("box#")
    screen.type("clear reg")
    screen.press("Tab")
    screen.until("clear registration")
    screen.type("al")
    screen.press("Tab")
    screen.until("clear registration ali")
    screen.press("Tab")
    screen.until("alice@example.com  alina@example.com...")
    screen.type("ce")
    screen.press("Tab")
    screen.until("clear registration alice@example.com")
    screen.press("Enter")
    screen.until("1 contact cleared....")


def test_a_mistake_is_marked_under_the_word(screen: Screen) -> None:
    screen.enter("show vlan brief")
    lines = screen.until("Invalid input...")
    typed = next(place for place, line in enumerate(lines) if line.endswith("show vlan brief"))
    assert lines[typed + 1].index("^") == lines[typed].index("vlan")


def test_long_output_waits_page_by_page(screen: Screen) -> None:
    screen.enter("show logging")
    screen.until("--More--")
    screen.press("Enter")
    screen.until("line 30 of the log...")
    screen.press("Space")
    screen.until("line 59 of the log...")
    screen.type("/")
    screen.enter("line 150")
    screen.until("line 178 of the log...")
    screen.press("q")
    screen.until("box>")
    screen.enter("terminal length 0")
    screen.enter("show logging")
    lines = screen.until("line 200 of the log...")
    assert "line 190 of the log" in lines


def test_ctrl_c_takes_back_the_line_the_page_and_the_stream(appliance: StandIn, screen: Screen) -> None:
    screen.type("show nonsense")
    screen.press("C-c")
    screen.enter("show logging")
    screen.until("--More--")
    screen.press("C-c")
    screen.until("box>")
    screen.enter("enable")
    screen.until("box#")
    screen.enter("debug sip")
    screen.until("180 Ringing...")
    screen.press("C-c")
    screen.until("5 messages shown....")
    assert appliance.cancelled.is_set()
    screen.enter("show clock")
    screen.until("box#")


def test_ctrl_z_goes_to_the_first_prompt(screen: Screen) -> None:
    screen.enter("enable")
    screen.enter("conf t")
    screen.enter("listener phones")
    screen.until("box(config-listener)#")
    screen.type("half a line")
    screen.press("C-z")
    screen.until("commit them before exiting? [yes/no/cancel]")
    screen.enter("cancel")
    screen.until("box(config-listener)#")
    screen.press("C-z")
    screen.until("[yes/no/cancel]")
    screen.enter("no")
    screen.until("box#")


def test_lines_that_are_pasted_are_done_one_after_another(screen: Screen) -> None:
    screen.enter("enable")
    screen.enter("conf t")
    screen.until("box(config)#")
    screen.paste("listener phones\n  prot 5062\n  port 5062\n!\nworkers 2")
    screen.press("Enter")
    screen.until('did you mean "port"...')
    screen.until("box(config)# workers 2...")
    screen.enter("show diff")
    lines = screen.until("+   port 5062...")
    begun = lines.index("+ workers 2")
    assert lines[begun : begun + 3] == ["+ workers 2", "+ listener phones", "+   port 5062"]


def test_ctrl_z_that_comes_while_a_command_runs_waits_for_the_prompt(screen: Screen) -> None:
    screen.enter("enable")
    screen.enter("conf t")
    screen.until("box(config)#")
    screen.enter("do debug sip")
    screen.until("180 Ringing...")
    screen.press("C-z")
    screen.press("C-c")
    screen.until("5 messages shown....")
    screen.until("box")
    screen.enter("show clock")
    screen.until("2025-11-24...")


def test_the_history_is_searched_and_shown(screen: Screen) -> None:
    screen.enter("show clock | count")
    screen.until("box>")
    screen.enter("show slots | count")
    screen.until("2 lines...")
    screen.press("C-r")
    screen.type("clo")
    screen.until("show clock | count")
    screen.press("Enter")
    screen.press("Enter")
    screen.enter("show history")
    screen.until("  show history...")
    screen.press("Up", "Up")
    screen.until("box> show clock | count")


def test_the_log_is_shown_above_the_prompt(screen: Screen) -> None:
    screen.enter("terminal monitor")
    screen.until("supervisor: worker 1 is live...")
    screen.until("box>")
    screen.enter("terminal no monitor")
    screen.until("box>")


def test_a_commit_that_is_not_confirmed_is_reverted(appliance: StandIn, screen: Screen) -> None:
    screen.enter("enable")
    screen.enter("conf t")
    screen.enter("workers 2")
    screen.enter("commit confirmed 2")
    screen.until("reverts automatically in 2 minutes unless you type `confirm`....")
    screen.press("C-z")
    screen.until("box#")
    screen.enter("show running-config")
    screen.until("workers 2...")
    assert appliance.timer is not None
    appliance.timer.join()
    screen.enter("show configuration history")
    screen.until("reverted...")
    screen.enter("show configuration commit 3")
    screen.until("- workers 2...")


def test_a_secret_is_not_seen(screen: Screen) -> None:
    screen.enter("enable")
    screen.until("box#")
    screen.enter("subscriber add ann@example.com")
    screen.until("Password:")
    screen.enter("tiger")
    screen.until("Repeat password:")
    screen.enter("tiger")
    lines = screen.until("ann@example.com is a subscriber now....")
    assert not any("tiger" in line for line in lines)


def test_a_lost_connection_is_said_and_monitor_and_rights_are_taken_up(appliance: StandIn, screen: Screen) -> None:
    screen.enter("terminal monitor")
    screen.enter("enable")
    screen.until("box#")
    appliance.seen.clear()
    appliance.hang_up()
    screen.until("Connection to the appliance lost...")
    screen.until("Connection to the appliance restored....")
    screen.enter("clear counters")
    screen.until("counters cleared....")
    # Taken up before any command goes by the new connection.
    assert ("terminal monitor", {}) in appliance.seen


def test_a_session_that_the_appliance_ends_says_why_and_keeps_what_was_edited(
    appliance: StandIn, screen: Screen
) -> None:
    screen.enter("enable")
    screen.enter("conf t")
    screen.enter("workers 2")
    screen.enter("show diff")
    screen.until("+ workers 2...")
    appliance.say(over="The session was idle for 10 minutes.")
    screen.until("The session was idle for 10 minutes....")
    screen.until("signalbox-candidate.conf...")
    screen.until("status 0...")


def test_what_takes_more_than_a_second_says_so(appliance: StandIn, screen: Screen) -> None:
    appliance.slow_s = 3.0
    screen.enter("show clock")
    screen.until("Working, 1 s; press Ctrl-C to stop waiting....")
    screen.until("box>")
    assert not any("Working" in line for line in screen.lines)


def test_an_answer_that_is_none_is_asked_again(appliance: StandIn, screen: Screen) -> None:
    screen.enter("enable")
    screen.enter("conf t")
    screen.enter("workers 2")
    screen.enter("exit")
    screen.until("[yes/no/cancel]")
    screen.enter("show run")
    screen.until("[yes/no/cancel]")
    screen.enter("yes")
    screen.until("box#")
    assert appliance.head.text == "hostname box\nworkers 2\n"


def test_leaving(screen: Screen) -> None:
    screen.press("C-d")
    screen.until("status 0...")
