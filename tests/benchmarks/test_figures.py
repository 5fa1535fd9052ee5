"""The arithmetic of the benchmark: what a ratio, a percentile and a row are."""

from __future__ import annotations

import math

import pytest

from benchmarks.figures import Row, Target, per_unit_us, percentile


def test_the_ratio_is_of_medians_so_one_bad_round_does_not_count() -> None:
    row = Row("call", "cpu_us", "kamailio", ours=[100, 100, 900], theirs=[200, 5, 200])

    assert row.ratio == 0.5


def test_the_ratio_to_nothing_is_no_number() -> None:
    row = Row("call", "handed_over", "messages", ours=[1], theirs=[0])

    assert math.isnan(row.ratio)
    assert row.to_json()["ratio"] is None


def test_a_row_of_results_has_each_round_and_their_extremes() -> None:
    row = Row("register", "cpu_us", "kamailio", [30, 10, 20], [40, 60, 50], Target(0.40, 0.25)).to_json()

    assert (row["case"], row["figure"], row["peer"]) == ("register", "cpu_us", "kamailio")
    assert (row["ours"], row["theirs"], row["ratio"]) == (20, 50, 0.4)
    assert (row["ours_min"], row["ours_max"], row["theirs_min"], row["theirs_max"]) == (10, 30, 40, 60)
    assert (row["must"], row["aim"]) == (0.40, 0.25)
    assert row["rounds"] == [
        {"ours": 30, "theirs": 40},
        {"ours": 10, "theirs": 60},
        {"ours": 20, "theirs": 50},
    ]


def test_rounds_that_were_not_measured_alike_make_no_row() -> None:
    with pytest.raises(ValueError):
        Row("call", "cpu_us", "kamailio", [1, 2], [1]).to_json()


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_one_of_the_values(share: float, value: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == value


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError):
        percentile([], 0.5)


def test_processor_time_is_shared_out_among_the_units() -> None:
    assert per_unit_us(0.5, 5000) == 100


def test_nothing_completed_costs_nothing_that_can_be_said() -> None:
    with pytest.raises(ValueError):
        per_unit_us(0.5, 0)
