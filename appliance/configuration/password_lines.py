"""Passwords that were typed into a configuration, replaced by the keys that are kept: before anything is stored.

Only lines with a password change; the rest of the text stays as it was typed.
"""

from __future__ import annotations

from collections.abc import Iterator

from appliance.catalogue.errors import ValueFault
from appliance.catalogue.snmp_values import SnmpUser
from appliance.configuration.syntax_tree import Statement, parse_statements

# user NAME sha256 password ...
_PLACE_OF_PASSWORD = 3


def without_passwords(text: str) -> str:
    """The text with a key in place of each password of the section `snmp`."""
    if "password" not in text.lower():
        return text
    lines = text.split("\n")
    for statement in _with_passwords(parse_statements(text)[0]):
        line = lines[statement.line - 1]
        indentation = line[: len(line) - len(line.lstrip())]
        try:
            lines[statement.line - 1] = f"{indentation}{statement.texts[0]} {SnmpUser().read(statement.texts[1:])}"
        except ValueFault:
            # No user of SNMP, or a wrong one, which is refused elsewhere.
            continue
    return "\n".join(lines)


def _with_passwords(statements: list[Statement]) -> Iterator[Statement]:
    for statement in statements:
        yield from _with_passwords(statement.children)
        words = statement.texts
        if len(words) > _PLACE_OF_PASSWORD and words[_PLACE_OF_PASSWORD].lower() == "password":
            yield statement
