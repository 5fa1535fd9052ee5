"""The failures of commands, and how they are shown.

A `Mistake` is in the line that was typed: a `^` under the place, as IOS does, then `%` and a sentence. `Failed` is
a command that was understood and could not be carried out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cli.output import printable

MARK = "% "
INVALID = "Invalid input"
AMBIGUOUS = "Ambiguous command"
INCOMPLETE = "Incomplete command"


class Mistake(Exception):
    """A line that was not understood. `column` counts from 0 and is where the `^` goes."""

    def __init__(self, column: int, kind: str, problem: str, remedy: str, guess: str = "") -> None:
        self.column = column
        self.kind = kind
        self.problem = problem
        self.remedy = remedy
        self.guess = guess
        super().__init__(f"{kind}: {problem}; {remedy}{'' if remedy.endswith('?') else '.'}")


class Failed(Exception):
    """`problem` and `remedy` are sentences; `details` are lines below them, `document` the whole for programs."""

    def __init__(
        self, problem: str, remedy: str = "", details: Sequence[str] = (), document: Mapping[str, Any] | None = None
    ) -> None:
        self.problem = problem
        self.remedy = remedy
        self.details = tuple(details)
        self.document: dict[str, Any] = dict(document) if document else {"message": problem, "remedy": remedy}
        super().__init__(problem)

    def lines(self) -> list[str]:
        """What the operator sees."""
        return [MARK + " ".join(part for part in (self.problem, self.remedy) if part), *self.details]


class Refused(Failed):
    """The appliance has refused a request."""


class Unreachable(Failed):
    """The control socket does not answer."""


class NoOperator(Failed):
    """A question in a script."""


class LoginNeeded(Failed):
    """The operator would have to be asked for a password."""


def refusal(error: Mapping[str, Any]) -> Refused:
    """The error of an answer, in words."""
    remedy = sentence(str(error.get("remedy", "")))
    return Refused(sentence(str(error.get("message", "The request was rejected."))), remedy, (), error)


def sentence(text: str) -> str:
    """The text with a full stop, and a capital letter where it begins with a word and not with a name or address."""
    stripped = text.strip()
    if not stripped:
        return ""
    end = "" if stripped[-1] in ".?!:" else "."
    begin = stripped[0].upper() if stripped.split()[0].rstrip(",;:").isalpha() else stripped[0]
    return begin + stripped[1:] + end


def failure_lines(failure: Mistake | Failed, indentation: int) -> list[str]:
    """The lines below what was typed; `indentation` is the column in which it began."""
    if isinstance(failure, Mistake):
        return [" " * (indentation + failure.column) + "^", printable(MARK + str(failure))]
    return [printable(line) for line in failure.lines()]


def failure_document(failure: Mistake | Failed) -> dict[str, Any]:
    """The failure for programs."""
    if isinstance(failure, Mistake):
        error = {"message": f"{failure.kind}: {failure.problem}.", "remedy": failure.remedy, "column": failure.column}
        return {"error": error}
    return {"error": failure.document}
