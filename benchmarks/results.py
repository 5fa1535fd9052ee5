"""What is kept of a run: the table that is printed, results.json, and a line of history.jsonl.

results.json holds the newest rows of every case, each with the run it comes from; a run of some cases replaces the rows
of those. history.jsonl has one line a run and only grows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.figures import Row

HEADING = ("case", "figure", "ours", "min-max", "peer", "theirs", "min-max", "ratio", "must", "aim", "")
RESULTS = "results.json"
HISTORY = "history.jsonl"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the benchmark: when, of which commit, where, and what came out."""

    when: str
    commit: str
    machine: Mapping[str, str | int]
    is_quick: bool
    rows: Sequence[Row] = field(default_factory=tuple)

    def to_results(self) -> list[dict[str, Any]]:
        """Its rows for results.json."""
        origin = {"commit": self.commit, "when": self.when, "quick": self.is_quick}
        return [row.to_json() | origin for row in self.rows]

    def to_history(self) -> dict[str, Any]:
        """Its line of history.jsonl: medians only."""
        head = {"when": self.when, "commit": self.commit, "quick": self.is_quick, "machine": dict(self.machine)}
        kept = ("case", "figure", "peer", "ours", "theirs", "ratio")
        return head | {"rows": [{name: row[name] for name in kept} for row in self.to_results()]}


def write_run(folder: Path, run: Run, is_whole: bool) -> None:
    """Put the run into both files of the folder; a whole one replaces all rows."""
    path = folder / RESULTS
    earlier = read_results(path) if path.exists() and not is_whole else []
    text = json.dumps({"machine": run.machine, "rows": merged(earlier, run.to_results())}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
    with (folder / HISTORY).open("a", encoding="utf-8") as history:
        history.write(json.dumps(run.to_history()) + "\n")


def read_results(path: Path) -> list[dict[str, Any]]:
    """The rows of a results.json."""
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return rows


def read_history(path: Path) -> list[dict[str, Any]]:
    """The runs of a history.jsonl, oldest first."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def merged(earlier: Sequence[dict[str, Any]], later: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The later rows in the places of the earlier ones that say the same; new ones at the end."""
    newest = {_key(row): row for row in later}
    kept = [newest.pop(_key(row), row) for row in earlier]
    return kept + list(newest.values())


def draw_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Rows of results.json in columns, for eyes."""
    lines = [HEADING, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADING))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def draw_markdown(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Rows of results.json as a table of a page."""
    lines = [HEADING, ["---"] * len(HEADING), *(_cells(row) for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def verdict(row: Mapping[str, Any]) -> str:
    """Whether the ratio is what it must be; nothing where there is no target."""
    if row.get("must") is None or row["ratio"] is None:
        return ""
    if row["ratio"] <= row["aim"]:
        return "aim met"
    return "met" if row["ratio"] <= row["must"] else "NOT MET"


def _key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["case"], row["figure"], row["peer"]


def _cells(row: Mapping[str, Any]) -> list[str]:
    targets = [str(row.get(name, "")) for name in ("must", "aim")]
    names = row["case"], row["figure"]
    return [*names, *_side(row, "ours"), row["peer"], *_side(row, "theirs"), _ratio(row), *targets, verdict(row)]


def _side(row: Mapping[str, Any], side: str) -> list[str]:
    return [_number(row[side]), f"{_number(row[f'{side}_min'])}-{_number(row[f'{side}_max'])}"]


def _ratio(row: Mapping[str, Any]) -> str:
    """Two digits that mean something: shares are far below 1."""
    if row["ratio"] is None:
        return ""
    return f"{row['ratio']:.2f}" if row["ratio"] >= 0.1 else f"{row['ratio']:.4f}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"
