"""The benchmark itself: one case, one round, all three servers; and a server that cannot load its rules."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.processes import BenchmarkFailed, running
from benchmarks.servers import Job, KamailioRouting
from tests.live.processes import find_program

ROOT = Path(__file__).resolve().parents[2]
# Not PYTHONPATH: the appliance that is measured would then be the sources, not what is installed.
RUN = "import runpy, sys; sys.path.append(sys.argv.pop(1)); runpy.run_module('benchmarks', run_name='__main__')"


@pytest.mark.load
def test_one_case_gives_ratios_to_both_peers(tmp_path: Path) -> None:
    for program, package in (("sipp", "sip-tester"), ("kamailio", "kamailio"), ("gcc", "gcc")):
        find_program(program, package)
    words = ["--case", "options", "--quick", "--rounds", "1", "--folder", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(ROOT), *words], capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads((tmp_path / "results.json").read_text())["rows"]
    assert [(row["case"], row["figure"], row["peer"]) for row in rows] == [
        ("options", "cpu_us", "kamailio"),
        ("options", "cpu_us", "null"),
    ]
    # Nothing that understands SIP costs less than what only sends datagrams back.
    assert all(row["ours"] > 0 and row["theirs"] > 0 for row in rows)
    assert rows[1]["ratio"] > 1
    assert len((tmp_path / "history.jsonl").read_text().splitlines()) == 1


class KamailioWithoutMemory(KamailioRouting):
    """The rows of its rules do not fit into the memory of its processes."""

    package_memory_mib = 8


def test_a_server_that_cannot_load_its_rules_is_told_with_its_own_words(tmp_path: Path) -> None:
    for program, package in (("kamailio", "kamailio"), ("taskset", "util-linux")):
        find_program(program, package)
    with running(tmp_path) as processes, pytest.raises(BenchmarkFailed, match="no private memory left"):
        KamailioWithoutMemory(processes, [0], 1, Job(rules=20_000, callee_port=9))
