"""Whatever is typed, pasted or half typed: an answer, or a Mistake within the line. Nothing else is raised."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from appliance.catalogue.command_declaration import Right
from appliance.catalogue.commands import COMMANDS, PIPES
from appliance.catalogue.setting_declaration import sections
from appliance.catalogue.settings import Settings
from cli.candidate import edited, read_draft, visited, write_draft
from cli.catalogue_grammar import Edit, Visit
from cli.completion import complete
from cli.errors import Mistake
from cli.help import help_lines
from cli.modes import configure_grammar, exec_grammar, understand_configure, understand_exec
from cli.pipes import filters_of
from cli.tokens import split_line
from tests.cli.samples import ALL_SETTINGS, setting_line

LISTENER = sections(Settings)[0]
ROOTS = (
    (exec_grammar(Right.VIEW),),
    (exec_grammar(Right.ADMIN),),
    (configure_grammar(LISTENER), configure_grammar(None)),
)
KNOWN = sorted(
    {word for command in COMMANDS for word in command.words}
    | {word for section, setting in ALL_SETTINGS for word in setting_line(section, setting).split()}
    | {"no", "default", "do", "|", "?", '"', '"a b"', "\\", "%", "1", "-5", "99999999999999999999", "é", ""}
    | PIPES.keys()
)
LINES = st.one_of(
    st.lists(st.sampled_from(KNOWN), max_size=6).map(" ".join),
    st.text(max_size=40),
    st.lists(st.one_of(st.sampled_from(KNOWN), st.text(max_size=5)), max_size=6).map(" ".join),
)


def within(text: str, do: Callable[[], object]) -> None:
    """Do it; a Mistake has words, and points into the line or just behind it."""
    try:
        do()
    except Mistake as mistake:
        assert 0 <= mistake.column <= len(text) + 1
        assert mistake.problem and mistake.remedy


@given(LINES)
def test_a_line_is_understood_or_its_mistake_is_pointed_at(text: str) -> None:
    line = split_line(text)
    within(text, lambda: understand_exec(line.tokens, Right.VIEW))
    within(text, lambda: understand_exec(line.tokens, Right.ADMIN))
    within(text, lambda: understand_configure(line.tokens, None))
    within(text, lambda: understand_configure(line.tokens, LISTENER))
    within(text, lambda: filters_of(line))


@given(LINES)
def test_help_and_completion_of_any_beginning(text: str) -> None:
    for roots in ROOTS:
        within(text, lambda roots=roots: help_lines(roots, text))  # type: ignore[misc]
        completion = complete(roots, text, lambda what, start: [start + "x", "y"])
        assert "\n" not in completion.addition


@given(st.lists(LINES, max_size=8))
def test_whatever_is_edited_can_be_written_and_read_back(texts: list[str]) -> None:
    draft = read_draft("")
    for text in texts:
        with suppress(Mistake, ValueError):
            meaning = understand_configure(split_line(text).tokens, None)
            if isinstance(meaning.action, Edit):
                draft = edited(draft, meaning.action, meaning.arguments, "")
            elif isinstance(meaning.action, Visit):
                draft = visited(draft, meaning.action, meaning.arguments)
    written = write_draft(draft)
    assert write_draft(read_draft(written)) == written
