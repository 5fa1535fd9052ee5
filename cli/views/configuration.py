"""Configurations, commits, and what a commit changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from appliance.catalogue.redaction import without_url_secrets
from appliance.catalogue.results import EFFECTS
from cli.views.tables import draw_rows, time_text


def draw_text(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """The text without the passwords of URLs; a remark where there is none."""
    text = without_url_secrets(str(result.get("text", "")))
    yield from text.rstrip("\n").split("\n") if text.strip() else ["! All settings have their defaults."]


def draw_commit(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """User, time, comment, and the lines that the commit changed."""
    why = f": {result['comment']}" if result.get("comment") else ""
    when = time_text(result.get("wall_time", 0))
    yield f"Commit {result.get('number')} by {result.get('user')}, {when}, {result.get('state')}{why}"
    yield from [without_url_secrets(str(line)) for line in result.get("diff", ())] or ["No changes."]


def draw_rollback(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """Which commit is active."""
    yield f"Commit {result.get('number', '?')} is now active."


def draw_confirmed(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """Which commit was confirmed."""
    yield f"Commit {result.get('number', '?')} confirmed."


def draw_effects(effects: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    """What changes, and what that takes; [] when nothing does."""
    return draw_rows(EFFECTS.fields, effects) if effects else []


def draw_faults(faults: Sequence[Mapping[str, Any]], text: str) -> Iterator[str]:
    """Each fault under its line of the text, with `^` under the place."""
    lines = text.split("\n")
    for fault in faults:
        number, column = int(fault.get("line", 0)), int(fault.get("column", 0))
        if 0 < number <= len(lines):
            yield f"{number:6}  {lines[number - 1]}"
            if column:
                yield f"{'':6}  {' ' * (column - 1)}^"
        remedy = str(fault.get("remedy", ""))
        yield f"{'':6}  {fault.get('problem', '')}; {remedy}{'' if remedy.endswith('?') else '.'}"


def draw_conflicts(conflicts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Lines that two operators have changed."""
    for conflict in conflicts:
        yield f"  {conflict.get('line', '')}"
        yield f"    theirs  {conflict.get('theirs') or '(removed)'}"
        yield f"    yours   {conflict.get('mine') or '(removed)'}"
