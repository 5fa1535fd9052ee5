"""`python -m benchmarks`: measure, print a table."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.cases import CASES
from benchmarks.processes import BenchmarkFailed, running
from benchmarks.rounds import Contestant, Plan, measure
from statistics import median


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--case", action="append", choices=CASES)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    plan = Plan(rounds=3, seconds=4.0) if arguments.quick else Plan()
    for name in arguments.case or CASES:
        case = CASES[name]
        contestants = [Contestant("signalbox"), *(Contestant(peer) for peer in case.peers)]
        with tempfile.TemporaryDirectory(prefix="signalbox-bench-") as folder, running(Path(folder)) as processes:
            measured = measure(processes, case, contestants, plan)
        ours = median(measured["signalbox"].cpu_us)
        for peer in case.peers:
            theirs = median(measured[peer].cpu_us)
            print(f"{name}: cpu_us signalbox {ours:.1f} {peer} {theirs:.1f} ratio {ours / theirs:.3f}", flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchmarkFailed as fault:
        sys.exit(f"benchmark failed: {fault}")
