"""`python -m benchmarks.report`: table and pictures of docs/performance.md, from results.json and history.jsonl."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cases import CALL, CALL_TCP, INVITE_CANCEL, OPTIONS, REGISTER, REGISTER_DIGEST
from benchmarks.results import HISTORY, RESULTS, draw_markdown, read_history, read_results

FOLDER = Path(__file__).parent
DOCS = FOLDER.parent / "docs"
BEGIN, END = "<!-- figures: made by `python -m benchmarks.report` -->", "<!-- end of figures -->"
BASIC = (REGISTER, REGISTER_DIGEST, OPTIONS, CALL, CALL_TCP, INVITE_CANCEL)
FEWEST_BINDINGS = 1000

Rows = Sequence[Mapping[str, Any]]
Points = list[tuple[float, float]]


def main() -> int:
    """Rewrite the page's table and draw the pictures; the exit status."""
    # Only here is matplotlib needed.
    from benchmarks import curves

    rows = read_results(FOLDER / RESULTS)
    page = DOCS / "performance.md"
    page.write_text(with_figures(page.read_text(encoding="utf-8"), rows), encoding="utf-8")
    curves.draw_bars(DOCS / "performance-cost.svg", "Processor time of a unit", "us", costs(rows))
    curves.draw_lines(DOCS / "performance-rates.svg", "Processor time by rate", "us", "units a second", by_rate(rows))
    curves.draw_lines(
        DOCS / "performance-growth.svg", "Processor time by bindings", "us", "bindings", by_bindings(rows)
    )
    commits, ratios = ratios_over_time(read_history(FOLDER / HISTORY))
    curves.draw_history(DOCS / "performance-history.svg", "Processor time of a unit, run by run", commits, ratios)
    return 0


def with_figures(page: str, rows: Rows) -> str:
    """The page with its table made anew. Raises ValueError when it has no place for one."""
    table = "\n".join(draw_markdown(rows))
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"the page has no {BEGIN}")
    return pattern.sub(lambda _: f"{BEGIN}\n\n{table}\n\n{END}", page)


def costs(rows: Rows) -> dict[str, dict[str, float]]:
    """Microseconds of a unit by case and peer."""
    groups: dict[str, dict[str, float]] = {}
    for case in BASIC:
        for row in _rows_of(rows, case.name):
            group = groups.setdefault(case.name, {"signalbox": row["ours"]})
            group[row["peer"]] = row["theirs"]
    return groups


def by_rate(rows: Rows) -> dict[str, Points]:
    """Microseconds of a REGISTER and of a call by their rate, ours and Kamailio's."""
    lines: dict[str, Points] = {}
    for case in (REGISTER, CALL):
        named = {case.name: case.rate} | {
            row["case"]: int(row["case"].rpartition("-")[2])
            for row in rows
            if re.fullmatch(f"{case.name}-\\d+", row["case"])
        }
        for name, rate in named.items():
            for row in _rows_of(rows, name, "kamailio"):
                lines.setdefault(f"signalbox, {case.name}", []).append((rate, row["ours"]))
                lines.setdefault(f"kamailio, {case.name}", []).append((rate, row["theirs"]))
    return {name: sorted(points) for name, points in lines.items()}


def by_bindings(rows: Rows) -> dict[str, Points]:
    """Microseconds of our REGISTER and call by the number of bindings."""
    lines: dict[str, Points] = {}
    for case in (REGISTER, CALL):
        points: dict[float, float] = {}
        for row in rows:
            match = re.fullmatch(rf"{case.name} \((\d+) bindings\)", row["case"])
            if match and row["figure"] == "cpu_us" and row["peer"] == "signalbox":
                points[float(match[1])] = row["ours"]
                points[FEWEST_BINDINGS] = row["theirs"]
        lines[f"signalbox, {case.name}"] = sorted(points.items())
    return lines


def ratios_over_time(runs: Iterable[Mapping[str, Any]]) -> tuple[list[str], dict[str, list[float | None]]]:
    """Each commit, and the ratio to Kamailio of each case there: the latest one; quick looks do not count."""
    by_commit: dict[str, dict[str, float]] = {}
    for run in runs:
        if not run["quick"]:
            known = by_commit.setdefault(run["commit"], {})
            for case in BASIC:
                for row in _rows_of(run["rows"], case.name, "kamailio"):
                    known[case.name] = row["ratio"]
    ratios = {case.name: [known.get(case.name) for known in by_commit.values()] for case in BASIC}
    return list(by_commit), ratios


def _rows_of(rows: Rows, case: str, peer: str = "") -> Rows:
    return [
        row for row in rows if row["case"] == case and row["figure"] == "cpu_us" and (not peer or row["peer"] == peer)
    ]


if __name__ == "__main__":
    sys.exit(main())
