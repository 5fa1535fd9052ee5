"""`python -m tests.live.chaos [--seed N] [--minutes M]`: random faults of a cluster under calls and registrations.

Three appliances in network namespaces with a member of etcd beside each, as root. The seed says which faults happen and
for how long each lasts; after each the cluster is made whole again before the next one. What the caller, the phones and
the capture have seen ends in a table, which is written to benchmarks/chaos.json as well. Exit status 1 when something
is not as it must be.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.machine import commit, describe
from tests.live.appliance import DOMAIN
from tests.live.cluster_namespaces import FIRST, SECOND, ClusterOfAppliances
from tests.live.lease_namespaces import SECOND_V4, SECOND_V6, V4, V6, Observed, inside
from tests.live.namespace_etcd import NamespaceEtcd
from tests.live.namespace_sipp import CLIENT, SippAtClient, start_calls
from tests.live.registering import Registering

ROOT: Final = Path(__file__).resolve().parents[2]
MINUTES: Final = 60.0
CALLS_PER_S, RING_MS, TALK_MS = 10, 3000, 2000
REGISTERS_PER_S, PHONES = 20, 500
WHOLE_S: Final = 120.0
# The last calls end after the last fault.
LAST_CALLS_S: Final = 120
PAUSE_S: Final = (1.0, 5.0)
# A machine that spoke for an address between two others had a lease, and gave it up in order or let it end.
STINT_MIN_S: Final = 0.3
PROCESSES: Final = (
    "appliance.workers",
    "leases.lease",
    "cluster.replication",
    "cluster.coordination",
    "appliance.persister",
    "signalbox",
)


class Chaos:
    """Faults from a seed, on a cluster that runs."""

    def __init__(self, net: ClusterOfAppliances, etcd: NamespaceEtcd, seed: int) -> None:
        self.net = net
        self.etcd = etcd
        self.faults: Counter[str] = Counter()
        self.violations: list[str] = []
        self.longest_gap_s = 0.0
        self._random = random.Random(seed)
        self._kinds: tuple[Callable[[int], None], ...] = (
            self.kill_node,
            self.kill_process,
            self.freeze_node,
            self.cut_off,
            self.cut_one_way,
            self.switch_over,
            self.kill_etcd,
            self.freeze_etcd,
        )

    def one(self) -> None:
        """A fault, its repair, and what was seen of it."""
        fault, number = self._random.choice(self._kinds), self._random.choice(list(self.net.nodes))
        self.faults[fault.__name__] += 1
        what = f"{fault.__name__.replace('_', ' ')} {number}"
        print(f"{datetime.now(UTC):%H:%M:%S} {what}", flush=True)
        with self.net.polling() as finish:
            fault(number)
            self.make_whole(what)
            seen = Observed(finish())
        for address in (V4, V6, SECOND_V4, SECOND_V6):
            stints = seen.stints_s(address)
            if stints and min(stints) < STINT_MIN_S:
                self.violations.append(f"{what}: two machines answered for {address}: {stints}")
            self.longest_gap_s = max(self.longest_gap_s, seen.longest_gap_s(address))

    def make_whole(self, what: str) -> None:
        """Wait until each node takes part and each address has an owner."""
        until = time.monotonic() + WHOLE_S
        while time.monotonic() < until:
            if self._is_whole():
                time.sleep(self._random.uniform(*PAUSE_S))
                return
            time.sleep(0.2)
        self.violations.append(f"{what}: the cluster was not whole again within {WHOLE_S:g} s")

    def _is_whole(self) -> bool:
        take_part = all(
            node.is_linked() and node.is_guarded() and node.stance() in ("owning", "following")
            for node in self.net.nodes.values()
        )
        return take_part and bool(self.net.owner(FIRST)) and bool(self.net.owner(SECOND))

    # -- faults --------------------------------------------------------------------------------------

    def kill_node(self, number: int) -> None:
        """All processes at once; it is started again after a while."""
        node = self.net.nodes[number]
        node.signal_all(signal.SIGKILL)
        time.sleep(self._random.uniform(0.1, 4.0))
        node.start()

    def kill_process(self, number: int) -> None:
        """One of them, by chance. Its supervisor starts it again; a dead supervisor is started by this program."""
        node, name = self.net.nodes[number], self._random.choice(PROCESSES)
        pid = node.pid if name == "signalbox" else next(iter(node.pids_of(name)), 0)
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if pid == node.pid:
            assert node.supervisor is not None
            node.supervisor.wait(10)
            node.start()

    def freeze_node(self, number: int) -> None:
        """All processes stop, and go on."""
        node = self.net.nodes[number]
        node.freeze()
        time.sleep(self._random.uniform(0.2, 4.0))
        node.signal_all(signal.SIGCONT)

    def cut_off(self, number: int) -> None:
        """From the other nodes, in both directions; clients reach it."""
        others = [other for other in self.net.nodes if other != number]
        self._cut(*((number, other) for other in others), *((other, number) for other in others))

    def cut_one_way(self, number: int) -> None:
        """It does not hear one other node."""
        self._cut((self._random.choice([other for other in self.net.nodes if other != number]), number))

    def _cut(self, *pairs: tuple[int, int]) -> None:
        self.net.cut(*pairs)
        time.sleep(self._random.uniform(0.3, 5.0))
        self.net.heal()

    def switch_over(self, number: int) -> None:
        """The first address goes to that node by order, if it is another one's."""
        owner = self.net.owner(FIRST)
        if owner not in (0, number):
            with contextlib.suppress(OSError):
                self.net.nodes[owner].ask({"order": "switchover", "address": FIRST, "to": number})

    def kill_etcd(self, number: int) -> None:
        """The member of etcd beside that node."""
        self.etcd.kill(number)
        time.sleep(self._random.uniform(0.1, 4.0))
        self.etcd.start(number)

    def freeze_etcd(self, number: int) -> None:
        """All members of etcd, whichever node was chosen."""
        self.etcd.freeze()
        time.sleep(self._random.uniform(0.2, 4.0))
        self.etcd.go_on()


Row = tuple[str, Any, str, bool]


def verdicts(chaos: Chaos, calls: int, caller: SippAtClient, phones: Registering) -> list[Row]:
    """Rows: what, seen, must, is it so?"""
    succeeded, failed = caller.outcome()
    course, faults = caller.course(), sum(chaos.faults.values())
    broken = phones.broken_promises()
    lost = [sentence for sentence in broken if not sentence.endswith("no answer")]
    for sentence in broken:
        print(sentence)
    return [
        ("faults", faults, "", True),
        ("two machines for one address, or not whole", len(chaos.violations), "0", not chaos.violations),
        ("longest gap of an address, s", round(chaos.longest_gap_s, 2), "", True),
        ("calls that ended, one way or the other", succeeded + failed, str(calls), succeeded + failed == calls),
        ("calls failed once established", course.failed_established, "0", course.failed_established == 0),
        # What is on its way at that moment and not copied yet: 20 ms.
        ("calls failed before, one a fault at most", course.failed_ringing, f"<= {faults}",
         course.failed_ringing <= faults),
        ("registrations answered", phones.statuses[200], "> 0", phones.statuses[200] > 0),
        ("registrations answered and lost", len(lost), "0", not lost),
        ("requests of phones without an answer", phones.unanswered + len(broken) - len(lost), "0",
         phones.unanswered + len(broken) == len(lost)),
    ]  # fmt: skip


def run(seed: int, minutes: float, folder: Path) -> int:
    """Run; prints the table, and returns the exit status."""
    calls = round(CALLS_PER_S * minutes * 60)
    with ClusterOfAppliances(folder, listener_lines=("relay any",)) as net:
        etcd = NamespaceEtcd(net)
        net.start()
        chaos = Chaos(net, etcd, seed)
        chaos.make_whole("start")
        with inside(net.client):
            phones = Registering(5060, DOMAIN, PHONES, REGISTERS_PER_S, V4, CLIENT)
        phones.start()
        lasts_s = round(minutes * 60) + LAST_CALLS_S
        options = ("-l", str(50 * CALLS_PER_S))
        caller, _ = start_calls(net, calls, CALLS_PER_S, RING_MS, *options, talk_ms=TALK_MS, timeout_s=lasts_s)
        until = time.monotonic() + minutes * 60
        while time.monotonic() < until:
            chaos.one()
        phones.end()
        rows = verdicts(chaos, calls, caller, phones)
    for what, seen, must, is_met in rows:
        print(f"{'ok' if is_met else 'FAILED':7} {what:45} {seen!s:>10}  {must}")
    for violation in chaos.violations:
        print(violation)
    report = {
        "machine": describe(),
        "commit": commit(ROOT),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "minutes": minutes,
        "faults": dict(chaos.faults),
        "rows": [{"what": what, "seen": seen, "must": must, "met": is_met} for what, seen, must, is_met in rows],
        "violations": chaos.violations,
    }
    (ROOT / "benchmarks/chaos.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return int(not all(is_met for *_, is_met in rows))


def main() -> int:
    """Parse the command line, and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.live.chaos", description="Random faults of a cluster.")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"{MINUTES:g} by default")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the logs of all processes there")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}, {arguments.minutes:g} minutes", flush=True)
    if arguments.keep is not None:
        arguments.keep.mkdir(parents=True, exist_ok=True)
        return run(arguments.seed, arguments.minutes, arguments.keep)
    with tempfile.TemporaryDirectory(prefix="signalbox-chaos-") as folder:
        return run(arguments.seed, arguments.minutes, Path(folder))


if __name__ == "__main__":
    sys.exit(main())
