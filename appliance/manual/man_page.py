"""Man pages (man(7)): the parts of a page as roff, and text as it must be written in one."""

from __future__ import annotations

import re
from collections.abc import Iterable

MANUAL = "Signalbox"


def heading(name: str, section: int, version: str, summary: str) -> list[str]:
    """The beginning of a page."""
    return [
        f'.TH {quoted(name.upper())} {section} "" {quoted(f"signalbox {version}")} {quoted(MANUAL)}',
        ".SH NAME",
        f"{escaped(name)} \\- {escaped(summary)}",
    ]


def part(title: str, paragraphs: Iterable[str] = ()) -> list[str]:
    """A section with paragraphs."""
    lines = [f".SH {quoted(title.upper())}"]
    for paragraph in paragraphs:
        lines += [".PP", text(paragraph)]
    return lines


def entry(term: str, description: str) -> list[str]:
    """A term in bold, and what it means."""
    return [".TP", f"\\fB{escaped(term)}\\fR", text(description)]


def example(lines: Iterable[str]) -> list[str]:
    """Lines as they are typed."""
    return [".PP", ".nf", ".RS 4", *(text(line) for line in lines), ".RE", ".fi"]


def text(words: str) -> str:
    """Running text; what stands between backquotes is bold."""
    return re.sub(r"`([^`]*)`", r"\\fB\1\\fR", escaped(words))


def quoted(words: str) -> str:
    """An argument of a macro."""
    return '"' + escaped(words).replace('"', '\\(dq') + '"'


def escaped(words: str) -> str:
    """Text without meaning to roff: backslashes and hyphens are what they look like; a dot begins no macro."""
    safe = words.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{safe}" if safe.startswith((".", "'")) else safe
