"""`python -m demo.cluster`, as root: three nodes, three members of etcd, one virtual address, a caller and a callee.

It places a call. While a second call rings, it kills every process of the node that owns the address: it shows when
the address answers again, and that the call is answered. All of it is on this machine, in network namespaces; Ctrl-C
takes it away.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from demo.__main__ import place_call, show
from demo.namespaces import Network, NetworkFailed, run
from demo.probe import Probe
from demo.user_agent import CallFailed, UserAgent

NODES = ("node-1", "node-2", "node-3")
ADDRESSES = {**{node: f"10.99.0.{number}" for number, node in enumerate(NODES, 1)}, "phones": "10.99.0.100"}
VIRTUAL = "10.99.0.50"
DOMAIN = "signalbox.test"
SIGNALBOX = str(Path(sys.executable).with_name("signalbox"))
CONFIGURATION = Path(__file__).parents[1] / "packaging" / "cluster-demo.conf"
ETCD_URLS = ",".join(f"http://{ADDRESSES[node]}:2379" for node in NODES)
NEEDED = {"ip": "iproute2", "nft": "nftables", "etcd": "etcd-server"}
START_PATIENCE_S = 180.0
PAUSE_S = 0.1
LAST_LINES = 8
# Longer than a take-over takes.
RING_S = 3.0


def say(text: str = "") -> None:
    """A line for the user."""
    print(text, flush=True)


class Cluster:
    """The nodes, in a network. `folder`: their states and logs."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.network = network
        self.folder = folder

    def start(self, host: str, name: str, argv: list[str]) -> None:
        """Start a program on a host; its output goes to a file."""
        with (self.folder / f"{host}-{name}.log").open("ab") as log:
            command = self.network.command(host, argv)
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def start_etcd(self) -> None:
        """A member of etcd on each node."""
        peers = ",".join(f"{node}=http://{ADDRESSES[node]}:2380" for node in NODES)
        for node in NODES:
            client, peer = (f"http://{ADDRESSES[node]}:{port}" for port in (2379, 2380))
            self.start(node, "etcd", [
                "etcd", "--name", node, "--data-dir", str(self.folder / f"{node}-etcd"),
                "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
                "--initial-advertise-peer-urls", peer, "--initial-cluster", peers, "--grpc-keepalive-min-time", "1s",
            ])  # fmt: skip

    def state(self, node: str) -> str:
        """The state folder of a node."""
        return str(self.folder / node)

    def signalbox(self, node: str, *words: str) -> str:
        """What `signalbox` prints on a node."""
        return run(*self.network.command(node, [SIGNALBOX, *words, "--state", self.state(node)]))

    def make(self) -> None:
        """The first node creates the cluster, the others join it."""
        first, *others = NODES
        self.signalbox(first, "cluster", "create", "demo", "--etcd", ETCD_URLS, *_member(first))
        for node in others:
            token = self.signalbox(first, "cluster", "token").split()[-1]
            self.signalbox(node, "cluster", "join", token, *_member(node))

    def start_nodes(self) -> None:
        """Start the appliances."""
        for node in NODES:
            argv = [SIGNALBOX, "run", "--config", str(CONFIGURATION), "--state", self.state(node)]
            self.start(node, "signalbox", argv)

    def owner(self, dead: str = "") -> str:
        """The node that has the virtual address; "" for none. A dead one may have it for two seconds still."""
        return next((node for node in NODES if node != dead and self.network.has_address(node, VIRTUAL)), "")


def _member(node: str) -> list[str]:
    return ["--address", ADDRESSES[node], "--node", node]


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Raises NetworkFailed when it does not come."""
    until = time.monotonic() + START_PATIENCE_S
    while not condition():
        if time.monotonic() > until:
            raise NetworkFailed(f"{what}: not within {START_PATIENCE_S:g} seconds")
        time.sleep(PAUSE_S)


def succeeds(attempt: Callable[[], object]) -> bool:
    """Does it raise nothing?"""
    try:
        attempt()
    except NetworkFailed:
        return False
    return True


async def demonstrate(cluster: Cluster) -> None:
    """Call, kill, wait, call. Raises CallFailed, NetworkFailed."""
    server = (VIRTUAL, 5060)
    probe = Probe(server)
    await probe.open()
    say(f"waiting until sip:{VIRTUAL} answers ...")
    await probe.next_answer(START_PATIENCE_S)
    owner = cluster.owner()
    say(f"\n{VIRTUAL} is on {owner}.")
    await _call(server)

    async def kill_the_owner() -> None:
        count = cluster.network.kill(owner)
        say(f"\nkill -9 while it rings: all {count} processes of {owner} are dead, its member of etcd too.")
        gap_s = await probe.next_answer(START_PATIENCE_S)
        say(f"{VIRTUAL} answers again, from {cluster.owner(owner)}. It gave no answer for {gap_s * 1000:.0f} ms.\n")

    await _call(server, RING_S, kill_the_owner)
    say(f"\nThe call that rang at {owner} was answered and ended at {cluster.owner(owner)}.")
    probe.close()


async def _call(
    server: tuple[str, int], ring_s: float = 0.0, while_ringing: Callable[[], Awaitable[None]] | None = None
) -> None:
    caller = UserAgent("alice", DOMAIN, "", server, show)
    callee = UserAgent("bob", DOMAIN, "", server, show, ring_s)
    try:
        await place_call(caller, callee, while_ringing)
    finally:
        caller.close()
        callee.close()


def run_demo(cluster: Cluster, is_once: bool) -> None:
    """The whole demonstration."""
    say("starting etcd on three nodes ...")
    cluster.start_etcd()
    say("creating the cluster ...")
    wait_for(lambda: succeeds(cluster.make), "The cluster is created")
    say("starting three nodes ...")
    cluster.start_nodes()
    cluster.network.enter("phones")
    asyncio.run(demonstrate(cluster))
    if not is_once:
        left = next(node for node in NODES if cluster.network.pids(node))
        say(f"\nThe cluster runs on. To operate it, in another terminal: {SIGNALBOX} cli --state {cluster.state(left)}")
        say("Ctrl-C takes everything away.")
        while True:
            time.sleep(60)


def last_lines(folder: Path) -> str:
    """The ends of all logs, which go with the folder."""
    found = []
    for path in sorted(folder.glob("*.log")):
        found += [f"-- {path.name}", *path.read_text(errors="replace").splitlines()[-LAST_LINES:]]
    return "\n".join(found)


def missing() -> str:
    """What is not there that the demonstration needs, as a sentence."""
    if os.geteuid() != 0:
        return "Network namespaces need root. Type: sudo make cluster"
    packages = [package for program, package in NEEDED.items() if not shutil.which(program)]
    return f"Programs are missing. Type: apt-get install {' '.join(packages)}" if packages else ""


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m demo.cluster", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the demonstration")
    parser.add_argument("--prefix", default="signalbox-demo", help="of the names of the network namespaces")
    options = parser.parse_args()
    if reason := missing():
        sys.exit(reason)
    with Path(f"/run/{options.prefix}.lock").open("w") as lock, contextlib.ExitStack() as taken_away:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit("The demonstration runs already in another terminal. End it there by Ctrl-C.")
        folder = Path(taken_away.enter_context(tempfile.TemporaryDirectory(prefix=f"{options.prefix}-")))
        try:
            run_demo(Cluster(taken_away.enter_context(Network(options.prefix, ADDRESSES)), folder), options.once)
        except (CallFailed, NetworkFailed, OSError) as fault:
            print(f"\nThe demonstration failed: {fault}\n{last_lines(folder)}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            say("\ntaking everything away ...")
    return 0


if __name__ == "__main__":
    sys.exit(main())
