"""The candidate: edits, what they make of the text, and what differs."""

from __future__ import annotations

import pytest

from cli.candidate import Candidate, candidate_of, edited, visited
from cli.catalogue_grammar import Edit, Visit
from cli.differences import differences
from cli.modes import understand_configure
from cli.tokens import split_line

RUNNING = "hostname box\ndomain example.com\nlistener phones\n  address 192.0.2.10\n  port 5062\n!\n"


def typed(candidate: Candidate, *lines: str) -> Candidate:
    """The candidate after lines that stand outside of sections, or name theirs."""
    for line in lines:
        meaning = understand_configure(split_line(line).tokens, None)
        if isinstance(meaning.action, Edit):
            candidate = candidate.with_draft(edited(candidate.draft, meaning.action, meaning.arguments, ""))
        else:
            assert isinstance(meaning.action, Visit)
            candidate = candidate.with_draft(visited(candidate.draft, meaning.action, meaning.arguments))
    return candidate


@pytest.mark.parametrize(
    ("lines", "difference"),
    [
        (["hostname box"], []),
        (["hostname other"], ["- hostname box", "+ hostname other"]),
        (["no hostname"], ["- hostname box"]),
        (["domain example.org"], ["+ domain example.org"]),
        (["domain example.com"], []),
        (["no domain example.com"], ["- domain example.com"]),
        (["listener phones port 5060"], ["  listener phones", "-   port 5062"]),
        (["listener phones peer 192.0.2.1"], ["  listener phones", "+   peer 192.0.2.1"]),
        (["no listener phones authenticate"], ["  listener phones", "+   no authenticate"]),
        (["no listener phones authenticate", "listener phones authenticate"], []),
        (["no listener phones"], ["- listener phones", "-   address 192.0.2.10", "-   port 5062"]),
        (["default listener phones"], ["  listener phones", "-   address 192.0.2.10", "-   port 5062"]),
        (["listener trunks"], ["+ listener trunks"]),
        (["listener trunks port 5080"], ["+ listener trunks", "+   port 5080"]),
        (["registrar contacts 3"], ["+ registrar", "+   contacts 3"]),
        (["registrar contacts 3", "no registrar"], []),
        (["registrar contacts 3", "default registrar contacts"], []),
        (["no proxy record-route"], ["+ proxy", "+   no record-route"]),
        (["no proxy record-route", "default proxy record-route"], []),
    ],
    ids=lambda value: "; ".join(value),
)
def test_what_lines_change(lines: list[str], difference: list[str]) -> None:
    candidate = typed(candidate_of(RUNNING, 7), *lines)
    assert candidate.difference == difference
    assert candidate.is_changed == bool(difference)
    assert candidate.base == 7


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("no listener nobody", "there is no section named nobody"),
        ("no domain example.org", "there is no line `domain example.org`"),
    ],
)
def test_what_is_not_there_cannot_be_taken_away(line: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        typed(candidate_of(RUNNING, 1), line)


def test_a_setting_of_a_section_that_is_not_there_has_nothing_to_take_back() -> None:
    assert not typed(candidate_of(RUNNING, 1), "no listener nobody port").is_changed


def test_the_order_of_sections_and_lines_is_that_of_the_catalogue() -> None:
    candidate = typed(candidate_of("", 1), "registrar contacts 3", "listener a port 5062", "hostname box")
    assert candidate.text == "hostname box\nlistener a\n  port 5062\n!\nregistrar\n  contacts 3\n!\n"


def test_words_with_blanks_are_quoted_in_the_text() -> None:
    candidate = typed(candidate_of("", 1), 'digest realm "two words"')
    assert candidate.text == 'digest\n  realm "two words"\n!\n'
    assert candidate_of(candidate.text, 1).text == candidate.text


def test_a_draft_is_a_value() -> None:
    before = candidate_of(RUNNING, 1)
    typed(before, "no listener phones", "hostname other", "domain example.org")
    assert before.text == RUNNING


def test_remarks_and_order_are_no_difference() -> None:
    assert differences("! a remark\nhostname box\nworkers 2\n", "hostname box\nworkers 2\n") == ["- ! a remark"]
    assert not candidate_of("! a remark\nworkers 2\nhostname box\n", 1).is_changed
