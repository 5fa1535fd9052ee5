"""The grammar of each mode: EXEC mode by right, configuration mode, and a section of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from appliance.catalogue.command_declaration import Mode, Right
from appliance.catalogue.commands import BEGINNINGS, HABITS, commands_of
from appliance.catalogue.errors import alternatives
from appliance.catalogue.setting_declaration import Section
from appliance.catalogue.settings import Settings
from cli.catalogue_grammar import command_grammar, graft_commands, graft_settings
from cli.errors import INVALID, Mistake
from cli.grammar import Edge, Meaning, Node, follow, matching_edges, understand
from cli.tokens import Token

# Words before a setting that negate it.
VERBS = ("no", "default")
DO_HELP = "Run an EXEC command."


@cache
def exec_grammar(right: Right) -> Node:
    """What may be typed at the first prompt."""
    return command_grammar(commands_of(Mode.EXEC, right), BEGINNINGS)


@cache
def configure_grammar(section: Section | None, right: Right = Right.ADMIN) -> Node:
    """What may be typed in configuration mode, in a section or outside of any."""
    root = Node()
    graft_commands(root, commands_of(Mode.CONFIGURE, right), BEGINNINGS)
    root.edges.append(Edge("do", DO_HELP, exec_grammar(right)))
    graft_settings(root, section.settings_class if section else Settings, section)
    return root


def understand_exec(tokens: Sequence[Token], right: Right) -> Meaning:
    """The meaning of a line at the first prompt. Raises Mistake, another one when only the right is missing."""
    try:
        return understand(exec_grammar(right), tokens)
    except Mistake as mistake:
        if right is Right.VIEW and _is_better_understood(tokens, mistake):
            problem = "this command requires privileged mode"
            raise Mistake(tokens[0].column, "Not allowed", problem, "type `enable` first") from None
        raise by_habit(mistake, tokens) from None


def by_habit(mistake: Mistake, tokens: Sequence[Token]) -> Mistake:
    """The mistake, with the word of this shell for what another system calls otherwise."""
    if mistake.kind != INVALID:
        return mistake
    typed = [token.text.lower() for token in tokens if token.column <= mistake.column]
    for words, meant in HABITS.items():
        *before, wrong = words.split()
        is_begun = len(before) == len(typed) - 1 and all(map(str.startswith, before, typed))
        if is_begun and typed[-1] == wrong:
            return Mistake(mistake.column, INVALID, mistake.problem, f'did you mean "{meant}"?')
    return mistake


def _is_better_understood(tokens: Sequence[Token], mistake: Mistake) -> bool:
    """Is the line understood further in privileged mode?"""
    try:
        understand(exec_grammar(Right.ADMIN), tokens)
    except Mistake as other:
        return other.column > mistake.column
    return True


def understand_configure(tokens: Sequence[Token], section: Section | None) -> Meaning:
    """What a line means in configuration mode: in the section, or outside of it by a word that is not of the section.

    A word outside of the section has to be whole: the fault of a value never makes another setting of the line.
    Raises Mistake.
    """
    try:
        return understand(configure_grammar(section), tokens)
    except Mistake as inside:
        if section is None or inside.kind != INVALID or _is_of_section(tokens, section):
            raise by_habit(inside, tokens) from None
        wanted = _words_outside(tokens)
        if not wanted:
            raise by_habit(inside, tokens) from None
        word = _first_word(tokens)
        if word.text.lower() not in wanted:
            remedy = f"for a setting outside this section, type the whole word: {alternatives(wanted)}"
            raise Mistake(word.column, INVALID, f'unknown keyword "{word.text}" in this section', remedy) from None
    try:
        return understand(configure_grammar(None), tokens)
    except Mistake as outside:
        raise by_habit(outside, tokens) from None


def _verb_len(tokens: Sequence[Token]) -> int:
    """1 for a line that begins with `no` or `default`, else 0."""
    return int(len(tokens) > 1 and tokens[0].text.lower() in VERBS)


def _first_word(tokens: Sequence[Token]) -> Token:
    """The word that decides the meaning of the line."""
    return tokens[_verb_len(tokens)]


def _is_of_section(tokens: Sequence[Token], section: Section) -> bool:
    """Is the word that decides the meaning of the line, or its beginning, a word of the section?"""
    return bool(_edges(configure_grammar(section), tokens))


def _words_outside(tokens: Sequence[Token]) -> list[str]:
    """The words outside of any section that it may be."""
    return sorted(edge.word for edge in _edges(configure_grammar(None), tokens))


def _edges(root: Node, tokens: Sequence[Token]) -> list[Edge]:
    return matching_edges(follow(root, tokens[: _verb_len(tokens)]).node, _first_word(tokens))
