"""What is shown cannot steer the operator's terminal, whatever its source."""

from __future__ import annotations

import pytest

from cli.errors import Failed, failure_lines
from cli.output import printable


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain text, ümlaut and 漢字", "plain text, ümlaut and 漢字"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("\x9b2Jgone", "\\x9b2Jgone"),
        ("a\rb\nc", "a\\rb\\nc"),
        ("a\tb", "a       b"),
        ("\u202eright to left", "\\u202eright to left"),
    ],
)
def test_what_cannot_be_seen_is_named(line: str, shown: str) -> None:
    assert printable(line) == shown


def test_nor_can_a_refusal() -> None:
    assert failure_lines(Failed("There is no \x1b[2J."), 0) == ["% There is no \\x1b[2J."]
