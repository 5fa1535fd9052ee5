"""When a soak says that something grew."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.processes import BenchmarkFailed
from benchmarks.soak import Sample, draw_sample, growths, half_load

MIB = 1024 * 1024


def samples(memory: Callable[[int], float], files: Callable[[int], int], count: int = 60) -> list[Sample]:
    return [Sample(float(at), int(memory(at) * MIB), files(at)) for at in range(count)]


def test_what_grows_in_the_first_quarter_and_then_no_more_is_flat() -> None:
    assert growths(samples(lambda at: min(100 + at * 10, 250), lambda at: 40)) == []


def test_memory_that_grows_for_ever_is_named() -> None:
    assert growths(samples(lambda at: 100 + at, lambda at: 40)) == ["Memory grew from 122.0 to 152.0 MiB."]


def test_file_descriptors_that_grow_are_named() -> None:
    assert growths(samples(lambda at: 100, lambda at: 40 + at)) == ["File descriptors grew from 62 to 92."]


def test_one_high_sample_is_not_growth() -> None:
    assert growths(samples(lambda at: 500 if at == 55 else 100, lambda at: 40)) == []


def test_few_samples_prove_nothing() -> None:
    with pytest.raises(BenchmarkFailed):
        growths(samples(lambda at: 100, lambda at: 40, count=5))


def test_a_line_of_the_curve_has_room_for_four_times_the_first() -> None:
    first = Sample(0, 100 * MIB, 40)

    assert draw_sample(Sample(30, 200 * MIB, 41), first).count("#") == 25
    assert draw_sample(Sample(30, 500 * MIB, 41), first).count("#") == 50


def test_half_load_is_half_the_rates_unless_that_is_nearly_all_of_a_processor() -> None:
    assert half_load(3.0) == 0.5
    assert half_load(7.5) == 0.25
