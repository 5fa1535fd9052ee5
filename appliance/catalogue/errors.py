"""The faults of a configuration, in the terms of the operator who corrects them.

All faults of a text are found before any is reported, so that they can be corrected at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault: `line` counts from 1 (0: the text as a whole), `column` from 1 (0: the whole line).

    `problem` says what is wrong, `remedy` what to type instead; both without a full stop.
    """

    line: int
    column: int
    problem: str
    remedy: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.problem}; {self.remedy}"


class ConfigError(ValueError):
    """A configuration that cannot be used. `faults` are all of them, by line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def as_values(self) -> list[dict[str, Any]]:
        """The faults as plain values, for operators' programs."""
        return [
            {"line": fault.line, "column": fault.column, "problem": fault.problem, "remedy": fault.remedy}
            for fault in self.faults
        ]


class ValueFault(ValueError):
    """Words that are no value of their kind: `problem` and `remedy` as in Fault; `word` counts from 0."""

    def __init__(self, problem: str, remedy: str, word: int = 0) -> None:
        super().__init__(f"{problem}; {remedy}")
        self.problem = problem
        self.remedy = remedy
        self.word = word


def alternatives(names: Iterable[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The name a typist may have meant by `word`, or None."""
    found = get_close_matches(word.lower(), list(names), n=1, cutoff=0.6)
    return found[0] if found else None
