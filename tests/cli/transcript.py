"""The transcript in docs/cli.md, against the shell: each block is typed line by line, and shown anew.

`python -m tests.cli.transcript` records it anew.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cli.errors import Failed, Mistake, failure_lines
from cli.execution import execute
from cli.help import help_lines
from cli.session import Session
from tests.cli.shells import new_session
from tests.cli.stand_in import standing_in

PAGE = Path(__file__).parents[2] / "docs/cli.md"
BLOCK = re.compile(r"(?<=^```console\n)(.*?)(?=^```$)", re.MULTILINE | re.DOTALL)
TYPED = re.compile(r"^box(?:\([a-z-]+\))?[>#] (.*)$", re.MULTILINE)


def recorded(page: str, folder: Path) -> str:
    """The page with all its blocks as the shell shows them, in one session."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    with standing_in(folder) as stand_in:
        session = new_session(stand_in)
        return BLOCK.sub(lambda block: "".join(f"{line}\n" for line in _shown(session, block.group())), page)


def _shown(session: Session, block: str) -> Iterator[str]:
    for typed in TYPED.findall(block):
        yield f"{session.prompt} {typed}".rstrip()
        try:
            yield from _answer(session, typed)
        except (Mistake, Failed) as failure:
            yield from failure_lines(failure, len(session.prompt) + 1)


def _answer(session: Session, typed: str) -> Iterator[str]:
    if typed.endswith("?"):
        yield from help_lines(session.grammars, typed[:-1])
    else:
        yield from execute(session, typed).lines


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        PAGE.write_text(recorded(PAGE.read_text(), Path(name)))
