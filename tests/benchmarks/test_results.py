"""results.json, history.jsonl and the tables made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.figures import Row, Target
from benchmarks.results import Run, draw_markdown, draw_table, merged, read_history, read_results, verdict, write_run

MACHINE = {"cpu": "a processor", "cpus": 2}


def run_of(*rows: Row, commit: str = "abc", is_quick: bool = False) -> Run:
    return Run("2026-01-02T03:04:05+00:00", commit, MACHINE, is_quick, rows)


def row_of(case: str, ours: float, target: Target | None = None) -> Row:
    return Row(case, "cpu_us", "kamailio", [ours], [100.0], target)


def test_a_run_is_written_as_results_and_as_a_line_of_history(tmp_path: Path) -> None:
    write_run(tmp_path, run_of(row_of("call", 50)), is_whole=True)

    written = json.loads((tmp_path / "results.json").read_text())
    assert written["machine"] == MACHINE
    assert [(row["case"], row["ratio"], row["commit"]) for row in written["rows"]] == [("call", 0.5, "abc")]
    (line,) = read_history(tmp_path / "history.jsonl")
    assert (line["commit"], line["machine"], line["quick"]) == ("abc", MACHINE, False)
    assert line["rows"] == [
        {"case": "call", "figure": "cpu_us", "peer": "kamailio", "ours": 50, "theirs": 100, "ratio": 0.5}
    ]


def test_a_run_of_one_case_replaces_that_case_and_leaves_the_others(tmp_path: Path) -> None:
    write_run(tmp_path, run_of(row_of("register", 10), row_of("call", 50), commit="old"), is_whole=True)
    write_run(tmp_path, run_of(row_of("register", 20), row_of("options", 30), commit="new"), is_whole=False)

    rows = read_results(tmp_path / "results.json")
    assert [(row["case"], row["ours"], row["commit"]) for row in rows] == [
        ("register", 20, "new"),
        ("call", 50, "old"),
        ("options", 30, "new"),
    ]


def test_a_whole_run_leaves_nothing_of_what_was(tmp_path: Path) -> None:
    write_run(tmp_path, run_of(row_of("a case that is gone", 10)), is_whole=True)
    write_run(tmp_path, run_of(row_of("call", 50)), is_whole=True)

    assert [row["case"] for row in read_results(tmp_path / "results.json")] == ["call"]


def test_history_only_grows(tmp_path: Path) -> None:
    for commit in ("one", "two", "three"):
        write_run(tmp_path, run_of(row_of("call", 50), commit=commit), is_whole=True)

    assert [run["commit"] for run in read_history(tmp_path / "history.jsonl")] == ["one", "two", "three"]


def test_figures_of_one_case_to_several_peers_are_several_rows() -> None:
    rows: list[dict[str, Any]] = [{"case": "call", "figure": "cpu_us", "peer": peer} for peer in ("kamailio", "null")]

    assert merged(rows, [rows[1] | {"ours": 1}]) == [rows[0], rows[1] | {"ours": 1}]


@pytest.mark.parametrize(
    ("ours", "said"), [(24, "aim met"), (25, "aim met"), (26, "met"), (40, "met"), (41, "NOT MET")]
)
def test_the_verdict_is_on_the_ratio(ours: float, said: str) -> None:
    assert verdict(row_of("register", ours, Target(0.40, 0.25)).to_json()) == said


def test_without_a_target_there_is_no_verdict() -> None:
    assert verdict(row_of("register", 10).to_json()) == ""


def test_the_table_has_median_extremes_ratio_target_and_verdict() -> None:
    row = Row("register", "cpu_us", "kamailio", [210, 190, 200], [400, 400, 400], Target(0.40, 0.25)).to_json()

    heading, line = draw_table([row])
    assert heading.split()[:3] == ["case", "figure", "ours"]
    assert " ".join(line.split()) == "register cpu_us 200 190-210 kamailio 400 400-400 0.50 0.4 0.25 NOT MET"
    assert draw_markdown([row])[2].startswith("| register | cpu_us | 200 | 190-210 | kamailio |")


def test_a_small_share_is_not_rounded_to_nothing() -> None:
    row = Row("call (2 workers)", "handed_over", "messages", [12], [4800]).to_json()

    assert "0.0025" in draw_table([row])[1]
