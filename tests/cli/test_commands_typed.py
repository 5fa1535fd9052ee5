"""Every command of the catalogue as it is typed: understood, shortened, helped, completed, and wrong somewhere."""

from __future__ import annotations

import pytest

from appliance.catalogue.command_declaration import Command, Mode, Right
from appliance.catalogue.commands import COMMANDS
from cli.commands import HANDLERS, is_request
from cli.completion import complete
from cli.errors import INCOMPLETE, INVALID, Mistake
from cli.grammar import Node, follow, understand
from cli.help import ENTER, help_lines
from cli.modes import configure_grammar, exec_grammar
from cli.tokens import split_line
from tests.cli.samples import lines_of, shortest

CASES = [(command, line) for command in COMMANDS for line in lines_of(command)]
IDS = [f"{line} ({command.mode.name})" for command, line in CASES]


def no_names(what: str, start: str) -> list[str]:
    return []


def grammar_of(command: Command) -> Node:
    return configure_grammar(None) if command.mode is Mode.CONFIGURE else exec_grammar(Right.ADMIN)


@pytest.mark.parametrize(("command", "line"), CASES, ids=IDS)
def test_it_is_understood(command: Command, line: str) -> None:
    meaning = understand(grammar_of(command), split_line(line).tokens)
    assert meaning.action is command
    assert set(meaning.arguments) <= {parameter.name for parameter in command.parameters}


@pytest.mark.parametrize(("command", "line"), CASES, ids=IDS)
def test_each_word_may_be_shortened_while_it_is_unique(command: Command, line: str) -> None:
    root = grammar_of(command)
    tokens = split_line(line).tokens
    short = []
    for place in range(len(command.words)):
        node = follow(root, tokens[:place]).node
        short.append(shortest(command.words[place], [edge.word for edge in node.edges]))
    rest = " ".join(token.text for token in tokens[len(command.words) :])
    meaning = understand(root, split_line(f"{' '.join(short)} {rest}").tokens)
    assert meaning.action is command


@pytest.mark.parametrize(("command", "line"), CASES, ids=IDS)
def test_help_shows_each_next_word(command: Command, line: str) -> None:
    root = grammar_of(command)
    for place, word in enumerate(command.words):
        before = "".join(f"{word} " for word in command.words[:place])
        assert any(row.split()[0] == word and len(row.split()) > 1 for row in help_lines([root], before))
        assert any(row.split()[0] == word for row in help_lines([root], before + word[:1]))
    assert ENTER in " ".join(help_lines([root], f"{line} "))


@pytest.mark.parametrize(("command", "line"), CASES, ids=IDS)
def test_tab_completes_each_word(command: Command, line: str) -> None:
    root = grammar_of(command)
    for place, word in enumerate(command.words):
        before = "".join(f"{word} " for word in command.words[:place])
        others = [edge.word for edge in follow(root, split_line(before).tokens).node.edges]
        short = shortest(word, others)
        completion = complete([root], before + short, no_names)
        assert completion.addition == word[len(short) :] + " " or word in completion.words


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: f"{c.name} {c.mode.name}")
def test_a_wrong_word_is_pointed_at(command: Command) -> None:
    line = list(lines_of(command))[-1].split(" comment ")[0]
    with pytest.raises(Mistake) as mistake:
        understand(grammar_of(command), split_line(f"{line} %%%").tokens)
    assert mistake.value.kind == INVALID
    assert mistake.value.column == len(line) + 1
    assert mistake.value.problem
    assert mistake.value.remedy


@pytest.mark.parametrize("command", [command for command in COMMANDS if len(command.words) > 1], ids=lambda c: c.name)
def test_a_command_that_is_not_all_says_what_is_missing(command: Command) -> None:
    root, begun = grammar_of(command), " ".join(command.words[:-1])
    if follow(root, split_line(begun).tokens).node.action is not None:
        return
    with pytest.raises(Mistake) as mistake:
        understand(root, split_line(begun).tokens)
    assert mistake.value.kind == INCOMPLETE
    assert mistake.value.remedy.startswith("type ")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: f"{c.name} {c.mode.name}")
def test_each_command_has_code_that_does_it(command: Command) -> None:
    assert is_request(command) or command.name in HANDLERS


def test_all_that_is_done_can_be_typed() -> None:
    assert HANDLERS.keys() <= {command.name for command in COMMANDS}
