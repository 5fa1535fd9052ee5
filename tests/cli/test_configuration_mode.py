"""Configuration mode: a candidate is edited, checked, committed, rebased, loaded and saved."""

from __future__ import annotations

import stat
from pathlib import Path

from appliance.catalogue.password_hash import hash_of, is_secret
from tests.cli.shells import new_session, script
from tests.cli.stand_in import StandIn


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
    assert "Another operator has committed since. Type `rebase`." in ended.err
    assert "    theirs  workers 2" in ended.err
    assert script(other, "rebase", "commit").status == 0
    assert stand_in.head.text == "hostname box\nworkers 3\n"


def test_commits_on_trial_are_confirmed(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    ended = script(session, "enable", "conf t", "workers 2", "commit confirmed 5 comment try it", "end", "confirm")
    assert "Commit 2 is now active; it reverts automatically in 5 minutes unless you type `confirm`." in ended.lines
    assert ended.lines[-1] == "Commit 2 confirmed."
    assert stand_in.head.state == "confirmed"


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


def test_configure_does_not_begin_a_second_candidate(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    ended = script(session, "enable", "conf t", "workers 2", "do configure terminal")
    assert ended.status == 1 and "uncommitted changes" in ended.err
    assert session.candidate is not None and session.candidate.is_changed
