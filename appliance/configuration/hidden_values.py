"""Secrets that an editor of a configuration was not shown: put back before the text is read.

What hides them is catalogue/redaction.py. A hidden value stands for the one that the same line of the same section has
in the configuration that was shown; it can be left, removed or replaced, but goes nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator

from appliance.catalogue.errors import Fault
from appliance.catalogue.redaction import is_hidden, without_secrets
from appliance.configuration.syntax_tree import Statement


def with_hidden_values(text: str, shown: str) -> str:
    """The text with the secrets of `shown`, which is a configuration as it is written."""
    originals: dict[tuple[str, str], list[str]] = {}
    for place, original in zip(_places(without_secrets(shown)), shown.split("\n"), strict=True):
        if is_hidden(place[1]):
            originals.setdefault(place, []).append(original)
    lines = []
    for place, line in zip(_places(text), text.split("\n"), strict=True):
        of_place = originals.get(place)
        # Each once: two lines that look alike are two secrets.
        lines.append(of_place.pop(0) if of_place else line)
    return "\n".join(lines)


def _places(text: str) -> Iterator[tuple[str, str]]:
    """Of each line its section, "" for none, and what it says."""
    section = ""
    for line in text.split("\n"):
        content = line.strip()
        if line[:1].isspace():
            yield section, content
        else:
            section = content
            yield "", content


def hidden_faults(statements: list[Statement]) -> Iterator[Fault]:
    """A fault for each value that is still hidden."""
    for statement in statements:
        for word in statement.words:
            if is_hidden(word.text):
                yield Fault(statement.line, word.column, "the value is hidden", "type the value itself")
        yield from hidden_faults(statement.children)
