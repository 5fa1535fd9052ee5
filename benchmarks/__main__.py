"""`python -m benchmarks`: measure, print a table, write results.json and a line of history."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.experiments import EXPERIMENTS, Experiment
from benchmarks.figures import Row
from benchmarks.machine import come_first, commit, describe, share_processors
from benchmarks.processes import BenchmarkFailed, running
from benchmarks.results import Run, draw_table, write_run
from benchmarks.rounds import Plan, run_experiment

WHOLE = Plan(rounds=3, load_s=30.0, turn_s_max=4.0)
QUICK = Plan(rounds=3, load_s=24.0, turn_s_max=3.0)
QUICK_DIVISOR = 20
FOLDER = Path(__file__).parent


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """What was typed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="What Signalbox costs, beside Kamailio and the kernel's own floor."
    )
    parser.add_argument(
        "--case", action="append", choices=EXPERIMENTS, metavar="NAME", help=f"one of {', '.join(EXPERIMENTS)}; all"
    )
    parser.add_argument("--quick", action="store_true", help="under a minute a case, and fewer bindings")
    parser.add_argument("--rounds", type=int, help="rounds, 3 or more for a figure")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where results.json and history.jsonl are")
    return parser.parse_args(argv)


def chosen(arguments: argparse.Namespace) -> list[Experiment]:
    """The experiments to run."""
    names = arguments.case or list(EXPERIMENTS)
    divisor = QUICK_DIVISOR if arguments.quick else 1
    return [EXPERIMENTS[name].shrunk(divisor) for name in names]


def main(argv: Sequence[str]) -> int:
    """Run; the exit status."""
    arguments = parse_arguments(argv)
    plan = QUICK if arguments.quick else WHOLE
    plan = dataclasses.replace(plan, rounds=arguments.rounds or plan.rounds)
    cpus = share_processors()
    # The client that measures latency is in this process.
    come_first(cpus.load)
    when = datetime.now(UTC).isoformat(timespec="seconds")
    rows: list[Row] = []
    fault: BenchmarkFailed | None = None
    for experiment in chosen(arguments):
        try:
            with tempfile.TemporaryDirectory(prefix="signalbox-bench-") as folder, running(Path(folder)) as processes:
                rows += run_experiment(processes, cpus, experiment, plan)
        except BenchmarkFailed as failed:
            # What the others show is kept; the run has failed all the same.
            fault = fault or failed
            print(f"{experiment.name} failed: {failed}", file=sys.stderr)
    run = Run(when, commit(FOLDER.parent), describe(), arguments.quick, rows)
    print("", *draw_table(run.to_results()), sep="\n")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    write_run(arguments.folder, run, is_whole=arguments.case is None and fault is None)
    return 1 if fault else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BenchmarkFailed as fault:
        sys.exit(f"benchmark failed: {fault}")
