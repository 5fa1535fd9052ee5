"""`python -m benchmarks.soak`: half load for half an hour; memory and file descriptors must stay flat.

Calls and registrations from SIPp, two workers, samples of each process of the appliance drawn as a curve. Flat means:
what the processes hold in the last quarter is no more than what they held in the second one, but for a margin. (The
first quarter fills pools and caches.)

Half load is half the rates of the benchmark, or less on a machine to which that is nearly all of a processor: a trial
at a quarter of the rates tells what a unit costs here, at most, for it costs less the more there are.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.cases import CALL, REGISTER
from benchmarks.machine import Processors, share_processors
from benchmarks.phones import register_phones
from benchmarks.processes import BenchmarkFailed, Processes, count_files, process_tree, resident_bytes, running
from benchmarks.servers import Job, Signalbox
from benchmarks.sipp import Load, SippLoad, start_callee

MINUTES = 30.0
SAMPLES = 60
WORKERS = 2
# Shares of the benchmark's rates.
SHARE = 0.5
TRIAL_SHARE = 0.25
TRIAL_S = 10.0
# Of the processor that the server has.
BUSY = 0.75
MEMORY_MARGIN = 1.05
FILES_MARGIN = 10
BAR_LEN = 50
# So many times the first sample fill a bar: transactions pile up for 32 s (timer J) before the first of them go.
FULL = 4
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """What all processes of the appliance held together at one moment, seconds after the beginning."""

    at_s: float
    memory: int
    files: int


def main(argv: Sequence[str]) -> int:
    """Run; exit status 1 when something grew."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description="Half load; nothing may grow.")
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"{MINUTES:g} by default")
    seconds = parser.parse_args(argv).minutes * 60
    with tempfile.TemporaryDirectory(prefix="signalbox-soak-") as folder, running(Path(folder)) as processes:
        samples = soak(processes, share_processors(), seconds)
    faults = growths(samples)
    print(*faults or ["Flat: neither memory nor file descriptors grew, and no call or registration failed."], sep="\n")
    return 1 if faults else 0


def soak(processes: Processes, cpus: Processors, seconds: float) -> list[Sample]:
    """Samples of so many seconds of load. Raises BenchmarkFailed when a call or registration failed."""
    callee, port = start_callee(processes, cpus.load, CALL.callee, CALL.transport)
    job = Job(callee_port=port)
    server = Signalbox(processes, cpus.of_server(WORKERS), WORKERS, job)
    register_phones(server.port, port, job.bindings)
    meter = server.meter()
    for load in _loads(processes, cpus, server, port, TRIAL_SHARE, TRIAL_S):
        load.finish()
    share = half_load(sum(meter.seconds_by_process().values()))
    print(f"{share:.2f} of the benchmark's rates", flush=True)
    loads = _loads(processes, cpus, server, port, share, seconds)
    samples = _watch(server, seconds)
    for load in loads:
        load.finish()
    server.check()
    callee.end()
    return samples


def _loads(
    processes: Processes, cpus: Processors, server: Signalbox, contact_port: int, share: float, seconds: float
) -> list[SippLoad]:
    wanted = [Load(case.scenario, round(case.rate * share), seconds, contact_port) for case in (CALL, REGISTER)]
    return [SippLoad(processes, cpus.load, load, server.port) for load in wanted]


def half_load(trial_cpu_s: float) -> float:
    """The share of the benchmark's rates that is half load; `trial_cpu_s`: processor time that the trial took."""
    return min(SHARE, TRIAL_SHARE * BUSY * TRIAL_S / trial_cpu_s)


def _watch(server: Signalbox, seconds: float) -> list[Sample]:
    begun = time.monotonic()
    samples: list[Sample] = []
    while (passed := time.monotonic() - begun) < seconds:
        server.check()
        pids = process_tree(server.process.pid)
        samples.append(Sample(passed, sum(map(resident_bytes, pids)), sum(map(count_files, pids))))
        print(draw_sample(samples[-1], samples[0]), flush=True)
        time.sleep(seconds / SAMPLES)
    return samples


def draw_sample(sample: Sample, first: Sample) -> str:
    """One line of the curve: time, memory as a bar, file descriptors."""
    bar = "#" * min(BAR_LEN, round(BAR_LEN * sample.memory / (FULL * first.memory)))
    return f"{sample.at_s:6.0f} s {sample.memory / MIB:8.1f} MiB {bar:<{BAR_LEN}} {sample.files:4} files"


def growths(samples: Sequence[Sample]) -> list[str]:
    """What grew, in words; nothing when all is flat. Raises BenchmarkFailed for fewer samples than can be judged."""
    quarter = len(samples) // 4
    if quarter < 2:
        raise BenchmarkFailed(f"{len(samples)} samples are too few to tell")
    before, after = samples[quarter : 2 * quarter], samples[-quarter:]
    memory = median(s.memory for s in before), median(s.memory for s in after)
    files = median(s.files for s in before), median(s.files for s in after)
    faults = []
    if memory[1] > memory[0] * MEMORY_MARGIN:
        faults.append(f"Memory grew from {memory[0] / MIB:.1f} to {memory[1] / MIB:.1f} MiB.")
    if files[1] > files[0] + FILES_MARGIN:
        faults.append(f"File descriptors grew from {files[0]:.0f} to {files[1]:.0f}.")
    return faults


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BenchmarkFailed as fault:
        sys.exit(f"soak failed: {fault}")
