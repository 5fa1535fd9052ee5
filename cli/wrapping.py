"""Long lines broken at words, with a hanging indent: below the text of a help line, or behind the mark of a failure."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Final

from cli.errors import MARK

# A word of help and the blanks before its text.
_BEGINNING: Final = re.compile(r"\s*\S+(?: \S+)*\s{2,}")


def wrapped(lines: Iterable[str], columns: int) -> Iterator[str]:
    """The lines, none wider than the terminal where words allow; 0 columns are any number."""
    for line in lines:
        if not columns or len(line) <= columns or not line.strip():
            yield line
        else:
            indent = " " * _indent(line, columns)
            yield from textwrap.wrap(
                line, columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
            )


def _indent(line: str, columns: int) -> int:
    if line.startswith(MARK):
        return len(MARK)
    beginning = _BEGINNING.match(line)
    indent = beginning.end() if beginning else 0
    return indent if indent <= columns // 2 else len(line) - len(line.lstrip()) + len(MARK)
