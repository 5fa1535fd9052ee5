"""The page of performance: its table, and what its curves are drawn from."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.report import BEGIN, END, by_bindings, by_rate, costs, ratios_over_time, with_figures


def row(case: str, peer: str, ours: float, theirs: float, figure: str = "cpu_us") -> dict[str, Any]:
    extremes = {"ours_min": ours, "ours_max": ours, "theirs_min": theirs, "theirs_max": theirs}
    named = {"case": case, "figure": figure, "peer": peer, "ours": ours, "theirs": theirs, "ratio": ours / theirs}
    return named | extremes


def test_the_table_takes_the_place_of_the_one_before() -> None:
    page = f"# Title\n\n{BEGIN}\nold\n{END}\n\nText.\n"

    renewed = with_figures(page, [row("call", "kamailio", 50, 100)])
    assert "old" not in renewed and "| call | cpu_us | 50.0 |" in renewed
    assert renewed.startswith("# Title\n") and renewed.endswith("\n\nText.\n")
    assert with_figures(renewed, [row("call", "kamailio", 50, 100)]) == renewed


def test_a_page_without_a_place_for_the_table_is_refused() -> None:
    with pytest.raises(ValueError):
        with_figures("# Title\n", [])


def test_costs_are_grouped_by_case() -> None:
    rows = [row("call", "kamailio", 50, 100), row("call", "null", 50, 5), row("memory", "kamailio", 1, 1)]

    assert costs(rows) == {"call": {"signalbox": 50, "kamailio": 100, "null": 5}}


def test_a_curve_over_rates_has_the_usual_rate_too() -> None:
    rows = [row("register", "kamailio", 30, 60), row("register-500", "kamailio", 40, 90)]

    assert by_rate(rows) == {
        "signalbox, register": [(500, 40), (2000, 30)],
        "kamailio, register": [(500, 90), (2000, 60)],
    }


def test_a_curve_over_bindings_begins_with_what_the_others_are_compared_to() -> None:
    rows = [
        row("register (1000000 bindings)", "signalbox", 33, 30),
        row("register (100000 bindings)", "signalbox", 31, 30),
        row("register (1000000 bindings)", "kamailio, 1000000 bindings", 33, 60),
    ]

    assert by_bindings(rows)["signalbox, register"] == [(1000, 30), (100000, 31), (1000000, 33)]


def test_history_is_by_commit_and_leaves_gaps() -> None:
    runs = [
        {"quick": False, "commit": "a", "rows": [row("call", "kamailio", 50, 100)]},
        {"quick": True, "commit": "b", "rows": [row("call", "kamailio", 60, 100)]},
        {"quick": False, "commit": "c", "rows": []},
        {"quick": False, "commit": "a", "rows": [row("options", "kamailio", 70, 100)]},
    ]

    commits, ratios = ratios_over_time(runs)
    assert commits == ["a", "c"]
    assert (ratios["call"], ratios["options"]) == ([0.5, None], [0.7, None])
