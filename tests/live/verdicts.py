"""What the load tests measured: a table at the end of the run, and benchmarks/load.json or cluster.json.

A test gives its figures by pytest's `record_property(name, value)`. A run of some tests replaces the rows of those.
Figures that have a target (cluster_targets.py) make a table of their own.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks.machine import commit, describe
from tests.live.cluster_targets import table_of, worst_of

ROOT = Path(__file__).resolve().parents[2]


class Verdicts:
    """A pytest plugin: one row for each test, of its last try."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The row of a test; a try that failed is counted, and its row replaced by that of the next one."""
        if report.when != "call" and report.outcome == "passed":
            return
        name = report.nodeid.partition("tests/live/")[2] or report.nodeid
        tries = self._rows.get(name, {}).get("tries", 0) + 1
        figures = dict(report.user_properties)
        verdict = "FAILED" if report.outcome in ("failed", "rerun") else report.outcome
        self._rows[name] = {
            "test": name,
            "verdict": verdict,
            "tries": tries,
            "seconds": round(report.duration, 1),
            # What else the machine had to do shows in the figures.
            "load_average": round(os.getloadavg()[0], 1),
            "figures": figures,
        }
        # At once: the others may take long, or never end.
        self._write()

    def _write(self) -> None:
        earlier = json.loads(self._path.read_text(encoding="utf-8"))["rows"] if self._path.exists() else []
        origin = {"commit": commit(ROOT), "when": datetime.now(UTC).isoformat(timespec="seconds")}
        rows = {row["test"]: row for row in earlier} | {name: row | origin for name, row in self._rows.items()}
        text = json.dumps({"machine": describe(), "rows": [rows[name] for name in sorted(rows)]}, indent=1)
        self._path.write_text(text + "\n", encoding="utf-8")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table."""
        terminalreporter.section("verdicts")
        for row in self._rows.values():
            figures = ", ".join(f"{key} {value}" for key, value in row["figures"].items())
            tries = f" (try {row['tries']})" if row["tries"] > 1 else ""
            load = f"load {row['load_average']:4.1f}"
            terminalreporter.line(f"{row['verdict']:8}{row['seconds']:7.1f} s  {load}  {row['test']}{tries}: {figures}")
        figures = worst_of(row["figures"] for row in self._rows.values())
        for line in table_of(figures):
            terminalreporter.line(line)
