"""Joining the work of two operators: a candidate brought up to date with what was committed meanwhile.

Three-way, statement by statement: whatever only one of the two has changed is taken; what both have changed
alike is no conflict; what they have changed differently is one, and so is a section that one has removed and
the other has changed.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.catalogue.settings import Settings
from appliance.configuration.statements import Key, Statements, statements_of, write_statements


@dataclass(frozen=True, slots=True)
class Conflict:
    """`line` names the statement; `theirs` is committed, `mine` is the candidate's; "" where it is not there."""

    line: str
    theirs: str
    mine: str


@dataclass(frozen=True, slots=True)
class Joined:
    """`text` has all of both; where there are conflicts, the committed side of them."""

    text: str
    conflicts: list[Conflict]


def join(base: Settings, theirs: Settings, mine: Settings) -> Joined:
    """What `mine` changed of `base`, upon `theirs`."""
    before, committed, candidate = statements_of(base), statements_of(theirs), statements_of(mine)
    joined = dict(committed)
    conflicts = []
    for key in dict.fromkeys([*before, *candidate]):
        old, new = before.get(key), candidate.get(key)
        if old == new:
            continue
        now = committed.get(key)
        if now not in (old, new) or _is_in_changed_section(key, before, committed, candidate):
            conflicts.append(Conflict(" ".join(key[:2]).strip(), now or "", new or ""))
        elif new is None:
            joined.pop(key, None)
        else:
            joined[key] = new
    return Joined(write_statements(_without_orphans(joined)), conflicts)


def _is_in_changed_section(key: Key, before: Statements, committed: Statements, candidate: Statements) -> bool:
    """Has one side removed the section that the other has changed?"""
    section = (key[0],)
    if section not in before:
        return False
    if section not in committed and len(key) > 1:
        return section in candidate
    if key == section and section not in candidate:
        return _within(section, before) != _within(section, committed)
    return False


def _within(section: Key, statements: Statements) -> dict[Key, str]:
    return {key: text for key, text in statements.items() if key[0] == section[0]}


def _without_orphans(statements: Statements) -> Statements:
    """Statements whose named section has been removed go with it."""
    named = {key[0] for key in statements if len(key) == 1}
    # A section with a name has two words in its line; those without have no statement of their own.
    return {key: text for key, text in statements.items() if key[0] in named or " " not in key[0]}
