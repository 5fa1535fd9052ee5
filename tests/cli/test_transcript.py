"""The tour in docs/cli.md shows what the shell shows."""

from __future__ import annotations

from pathlib import Path

from tests.cli.transcript import BLOCK, PAGE, TYPED, recorded


def test_the_transcript_is_what_the_shell_shows(tmp_path: Path) -> None:
    page = PAGE.read_text()
    assert recorded(page, tmp_path) == page, "run: python -m tests.cli.transcript"
    assert sum(len(TYPED.findall(block)) for block in BLOCK.findall(page)) > 30
