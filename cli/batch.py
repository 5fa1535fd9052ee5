"""Commands for scripts: one after another, plain output, an end at the first one that fails."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from cli.errors import Failed, Mistake, failure_document, failure_lines
from cli.execution import Shown, execute
from cli.pipes import json_lines
from cli.session import Session

DONE, FAILED = 0, 1


def run_batch(session: Session, commands: Iterable[str], is_json: bool, out: TextIO, err: TextIO) -> int:
    """Do the commands; returns the exit status. What fails is named on `err`, as JSON on `out`."""
    for text in commands:
        try:
            shown = execute(session, text, is_json)
            _show(shown, out)
        except (Mistake, Failed) as failure:
            _tell(text, failure, is_json, out, err)
            return FAILED
        if shown.has_failed:
            return FAILED
        if session.is_over:
            break
    return _end(session, is_json, out, err)


def _show(shown: Shown, out: TextIO) -> None:
    for line in shown.lines:
        print(line, file=out, flush=True)
    for octets in shown.octets or ():
        out.buffer.write(octets)
        out.buffer.flush()


def _end(session: Session, is_json: bool, out: TextIO, err: TextIO) -> int:
    if session.candidate is None or not session.candidate.is_changed:
        return DONE
    failure = Failed("The script ended with uncommitted changes; they were discarded.", "End it with `commit`.")
    _tell("", failure, is_json, out, err)
    return FAILED


def _tell(text: str, failure: Mistake | Failed, is_json: bool, out: TextIO, err: TextIO) -> None:
    if is_json:
        print("\n".join(json_lines(failure_document(failure))), file=out)
        return
    for line in [text, *failure_lines(failure, 0)] if text else failure_lines(failure, 0):
        print(line, file=err)
