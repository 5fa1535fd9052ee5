"""How a failure looks: a `^` under the place as IOS does, then `%` and a sentence."""

from __future__ import annotations

from typing import Any

from cli.failure import MARK, Failed
from cli.grammar import Mistake
from cli.printable import seen


def failure_lines(failure: Mistake | Failed, indentation: int) -> list[str]:
    """The lines below what was typed; `indentation` is the column in which it began."""
    if isinstance(failure, Mistake):
        return [" " * (indentation + failure.column) + "^", seen(MARK + str(failure))]
    return [seen(line) for line in failure.lines()]


def failure_document(failure: Mistake | Failed) -> dict[str, Any]:
    """The failure for programs."""
    if isinstance(failure, Mistake):
        error = {"message": f"{failure.kind}: {failure.problem}.", "remedy": failure.remedy, "column": failure.column}
        return {"error": error}
    return {"error": failure.document}
