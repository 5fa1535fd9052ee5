"""The experiments: every figure of the table of targets is compared, and every comparison can be made."""

from __future__ import annotations

import pytest

from benchmarks.__main__ import chosen, parse_arguments
from benchmarks.experiments import EXPERIMENTS, Comparison, Contestant, Experiment
from benchmarks.figures import Target
from benchmarks.rounds import MEMORY, Plan
from benchmarks.sipp import SCENARIOS

COMPARISONS = [row for experiment in EXPERIMENTS.values() for row in experiment.comparisons]


def targets() -> set[tuple[str, str, str, Target]]:
    return {(row.label, row.quantity, row.peer, row.target) for row in COMPARISONS if row.target}


@pytest.mark.parametrize(
    "row",
    [
        ("register", "cpu_us", "kamailio", Target(0.40, 0.25)),
        ("call", "cpu_us", "kamailio", Target(0.50, 0.33)),
        ("options", "cpu_us", "kamailio", Target(0.50, 0.33)),
        ("invite-latency", "p99_us", "kamailio", Target(1.0, 0.7)),
        ("call (2 workers)", "cpu_us", "signalbox", Target(1.25, 1.10)),
        ("call (2 workers)", "busiest_us", "idlest us", Target(1.3, 1.1)),
        ("register (1000000 bindings)", "cpu_us", "signalbox", Target(1.3, 1.1)),
        ("memory (1000000 bindings)", "binding_bytes", "kamailio, 1000000 bindings", Target(0.5, 0.3)),
        ("register (8 workers)", "cpu_us", "signalbox", Target(1.5, 1.2)),
        ("register (8 workers)", "cpu_us", "kamailio, 8 workers", Target(1.4, 1.0)),
        ("call-500 (8 workers)", "cpu_us", "signalbox", Target(1.6, 1.3)),
    ],
)
def test_every_target_is_compared(row: tuple[str, str, str, Target]) -> None:
    assert row in targets()


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=lambda experiment: experiment.name)
def test_what_is_compared_is_measured(experiment: Experiment) -> None:
    cases = {case.name for case in experiment.cases} | {MEMORY}
    for row in experiment.comparisons:
        assert row.case in cases
        assert {row.ours, row.theirs} <= set(experiment.contestants)


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=lambda experiment: experiment.name)
def test_only_what_is_compared_has_load(experiment: Experiment) -> None:
    compared = {(row.case, side) for row in experiment.comparisons for side in (row.ours, row.theirs)}

    assert {(case.name, contestant) for case, contestant in experiment.turns()} <= compared
    assert {contestant for _, contestant in experiment.turns()} == set(experiment.contestants)


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=lambda experiment: experiment.name)
def test_contestants_have_names_of_their_own_and_scenarios_are_there(experiment: Experiment) -> None:
    assert len({contestant.name for contestant in experiment.contestants}) == len(experiment.contestants)
    for case in experiment.cases:
        for scenario in filter(None, (case.scenario, case.callee)):
            assert (SCENARIOS / f"{scenario}.xml").exists()


def test_no_two_rows_of_all_experiments_say_the_same() -> None:
    keys = [(row.label, row.quantity, row.peer) for row in COMPARISONS]

    assert len(set(keys)) == len(keys)


def test_a_quick_look_has_fewer_bindings_and_no_target_for_them() -> None:
    full = Contestant(bindings=1_000_000)
    quick = Experiment("growth", [], [full], [Comparison("call", "cpu_us", full, Contestant(), Target(1.3, 1.1))])

    (row,) = quick.shrunk(20).comparisons
    assert (row.label, row.target) == ("call (50000 bindings)", None)


def test_a_quick_look_at_usual_bindings_is_the_experiment_itself() -> None:
    assert EXPERIMENTS["call"].shrunk(20).comparisons == EXPERIMENTS["call"].comparisons


def test_without_a_case_every_experiment_is_chosen() -> None:
    assert [experiment.name for experiment in chosen(parse_arguments([]))] == list(EXPERIMENTS)


def test_one_case_by_name() -> None:
    arguments = parse_arguments(["--case", "register", "--quick"])

    assert arguments.quick
    assert [experiment.name for experiment in chosen(arguments)] == ["register"]


def test_a_case_that_is_none_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["--case", "registre"])
    assert "invite-cancel" in capsys.readouterr().err


def test_turns_share_the_time_of_load_but_none_is_too_long() -> None:
    plan = Plan(rounds=3, load_s=45, turn_s_max=5)

    assert plan.turn_s(turns=3) == 5
    assert plan.turn_s(turns=1) == 5
    assert plan.turn_s(turns=10) == 1.5
