"""Words and their places: abbreviations, `^`, what may follow, and what Tab does."""

from __future__ import annotations

import pytest

from appliance.catalogue.command_declaration import Right
from appliance.catalogue.setting_declaration import sections
from appliance.catalogue.settings import Settings
from cli.completion import Completion, complete
from cli.errors import Mistake, failure_lines
from cli.help import help_lines
from cli.modes import configure_grammar, exec_grammar, understand_configure, understand_exec
from cli.tokens import split_line

ADMIN = exec_grammar(Right.ADMIN)
LOOK_THERE = "type `?` in its place for the options"
LIVE = {"address": ["alice@example.com", "alina@example.com", "bob@example.com"], "worker": ["0", "1"]}


def live_names(what: str, start: str) -> list[str]:
    return LIVE.get(what, [])


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("sh ru", "show running-config"),
        ("SH RUN", "show running-config"),
        ("conf t", "configure terminal"),
        ("wr", "write"),
        ("sh alarms h", "show alarms history"),
        ("sh reg alice@x", "show registrations alice@x"),
        ("sh reg limit 5", "show registrations limit 5"),
        ("sh reg bob lim 5", "show registrations bob limit 5"),
        ("deb s call x from 192.0.2.1", "debug sip call x from 192.0.2.1"),
        ("sh cou dr a", "show counters drops all"),
        ("cop run st", "copy running-config startup-config"),
    ],
)
def test_an_operator_of_ios_is_understood(typed: str, words: str) -> None:
    assert " ".join(understand_exec(split_line(typed).tokens, Right.ADMIN).words) == words


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        ("show vlan brief", ["     ^", f'% Invalid input: unknown keyword "vlan"; {LOOK_THERE}.']),
        ("shw version", ["^", '% Invalid input: unknown keyword "shw"; did you mean "show"?']),
        ("co", ["^", '% Ambiguous command: "co" could be configure, confirm or copy; type more letters.']),
        ("show dom x", ["         ^", '% Invalid input: unexpected "x"; the command ends before it.']),
        ("drain", ["      ^", '% Incomplete command: more is required after "drain"; type worker.']),
        ("show a", ["     ^", '% Ambiguous command: "a" could be alarms, audit or authentication; type more letters.']),
        ("drain worker 99", ["             ^", "% Invalid input: 99 is out of range; type 0 to 63."]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_pointed_at_and_explained(typed: str, lines: list[str]) -> None:
    with pytest.raises(Mistake) as mistake:
        understand_exec(split_line(typed).tokens, Right.ADMIN)
    assert failure_lines(mistake.value, 0) == lines
    assert failure_lines(mistake.value, 5)[0] == "     " + lines[0]


def test_who_may_only_look_is_told_of_enable() -> None:
    for line in ("clear counters", "clear", "conf t"):
        with pytest.raises(Mistake, match="type `enable` first"):
            understand_exec(split_line(line).tokens, Right.VIEW)
    with pytest.raises(Mistake, match="nonsense"):
        understand_exec(split_line("nonsense").tokens, Right.VIEW)


def test_a_quoted_word_is_no_abbreviation() -> None:
    meaning = understand_exec(split_line('show registrations "limit"').tokens, Right.VIEW)
    assert meaning.arguments == {"address": "limit"}
    assert understand_exec(split_line('debug sip call "a b"').tokens, Right.ADMIN).arguments == {"call": "a b"}


def test_a_comment_is_all_that_follows() -> None:
    meaning = understand_configure(split_line("commit comment more room for phones").tokens, None)
    assert meaning.arguments == {"comment": "more room for phones"}
    meaning = understand_configure(split_line("commit confirmed 5 comment try it").tokens, None)
    assert meaning.arguments == {"minutes": 5, "comment": "try it"}


def test_do_takes_a_command_of_the_first_prompt() -> None:
    assert understand_configure(split_line("do clear counters").tokens, None).action.name == "clear counters"
    with pytest.raises(Mistake) as mistake:
        understand_configure(split_line("do sh vlan").tokens, None)
    assert mistake.value.column == 6


def test_help_at_a_blank_lists_what_may_follow() -> None:
    rows = help_lines([ADMIN], "clear ")
    names = ["authentication", "counters", "dns", "logging", "registration", "routing", "session"]
    assert [row.split()[0] for row in rows] == names
    assert help_lines([ADMIN], "show domains ") == ["  <cr>  Execute the command."]


def test_help_at_a_word_lists_what_it_may_become() -> None:
    assert [row.split()[0] for row in help_lines([ADMIN], "show co")] == ["configuration", "connections", "counters"]


def test_help_shows_ranges_and_choices() -> None:
    root = configure_grammar(None)
    assert help_lines([root], "listener phones port ") == [
        "  <1-65535>  The local port. (default 5060, applied: after draining)"
    ]
    assert [row.split()[0] for row in help_lines([root], "proxy fork p")] == ["parallel"]
    assert [row.split()[0] for row in help_lines([root], "workers ")] == ["auto", "<1-64>"]


def test_in_a_section_help_and_tab_know_what_stands_outside_of_it() -> None:
    roots = (configure_grammar(sections(Settings)[0]), configure_grammar(None))
    assert [row.split()[0] for row in help_lines(roots, "po")] == ["port"]
    assert [row.split()[0] for row in help_lines(roots, "registrar expires d")] == ["default"]
    assert complete(roots, "registrar exp", live_names) == Completion("ires ")
    with pytest.raises(Mistake):
        help_lines(roots, "nonsense ")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("username ann", "operator"), ("discard", "abort"), ("undo x", "no")],
)
def test_habits_of_other_systems_in_configuration_mode(typed: str, meant: str) -> None:
    for section in (None, sections(Settings)[0]):
        with pytest.raises(Mistake, match=f'did you mean "{meant}"'):
            understand_configure(split_line(typed).tokens, section)


@pytest.mark.parametrize(("typed", "meant"), [("sh processors", "show processes")])
def test_habits_of_other_systems_at_the_first_prompt(typed: str, meant: str) -> None:
    with pytest.raises(Mistake, match=meant):
        understand_exec(split_line(typed).tokens, Right.ADMIN)


def test_help_behind_a_mistake_says_the_mistake() -> None:
    with pytest.raises(Mistake, match="unknown keyword"):
        help_lines([ADMIN], "show nonsense ")
    with pytest.raises(Mistake, match="unknown keyword"):
        help_lines([ADMIN], "show xyz")


def test_help_behind_a_bar_lists_the_filters() -> None:
    assert [row.split()[0] for row in help_lines([ADMIN], "show clock | ")][:3] == ["include", "exclude", "begin"]
    assert [row.split()[0] for row in help_lines([ADMIN], "show clock | include ")] == ["REGEX"]


@pytest.mark.parametrize(
    ("typed", "completion"),
    [
        ("sh", Completion("ow ")),
        ("show run", Completion("ning-config ")),
        ("show co", Completion("", ("configuration", "connections", "counters"))),
        ("show con", Completion("", ("configuration", "connections"))),
        ("clear registration al", Completion("i", ("alice@example.com", "alina@example.com"))),
        ("clear registration b", Completion("ob@example.com ")),
        ("drain worker ", Completion("", ("0", "1"))),
        ("show nonsense x", Completion("")),
        ("show clock | inc", Completion("lude ")),
        ("show clock | include x", Completion("")),
        ("debug sip f", Completion("", ("from", "full"))),
        ("debug sip fr", Completion("om ")),
    ],
)
def test_tab(typed: str, completion: Completion) -> None:
    assert complete([ADMIN], typed, live_names) == completion
