"""Whole appliances in network namespaces: three nodes of a cluster with one configuration, and a client that sends
OPTIONS to the virtual addresses. Needs root."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from appliance.catalogue.cluster_values import number_of
from appliance.commands.status import ask_status
from appliance.ipc.link_keys import new_link_keys
from appliance.management.errors import CommandFailed
from appliance.messages.plain_values import plain
from appliance.storage.cluster_file import ClusterFile, EtcdAccess, write_cluster
from tests.live.appliance import SIGNALBOX
from tests.live.control import Control
from tests.live.lease_namespaces import SECOND_V4, SECOND_V6, V4, V6, Namespaces, Node, need_namespaces
from tests.live.machine import within
from tests.live.processes import wait_until

FIRST, SECOND = number_of("first"), number_of("second")
START_TIMEOUT_S = within(180.0)
CLUSTER = "test"
LINK_PORT = 7678
# Where no etcd is started: what is tested then needs none.
NOWHERE = EtcdAccess(("http://127.0.0.1:1",))


def configuration(nodes: int, *listener_lines: str) -> str:
    """One for all nodes: two listeners on virtual addresses of each family, and one on each node's own address."""
    lines = [
        "hostname cluster",
        "workers 1",
        "domain signalbox.test",
        "overload",
        "  requests per-source unlimited",
        "  registrations per-source unlimited",
        "  delay target 1000",
        "  delay limit 3000",
        "!",
        *_listener("own", "10.77.0.1", *listener_lines),
        *_listener("first4", V4, *listener_lines),
        *_listener("first6", V6, *listener_lines),
        *_listener("second4", SECOND_V4, *listener_lines),
        *_listener("second6", SECOND_V6, *listener_lines),
        *_virtual("first", f"{V4}/24", f"{V6}/64"),
        *_virtual("second", f"{SECOND_V4}/24", f"{SECOND_V6}/64", "node node-2", "node node-1", "node node-3"),
    ]
    for number in range(2, nodes + 1):
        lines += [f"node node-{number}", f"  listener own 10.77.0.{number}", "!"]
    return "\n".join(lines) + "\n"


def _listener(name: str, address: str, *lines: str) -> list[str]:
    more = [f"  {line}" for line in lines]
    if not any(line.startswith("transport ") for line in lines):
        more.append("  transport udp")
    return [f"listener {name}", f"  address {address}", "  no authenticate", *more, "!"]


def _virtual(name: str, first: str, second: str, *lines: str) -> list[str]:
    return [f"virtual-address {name}", f"  address {first}", f"  address {second}", *(f"  {x}" for x in lines), "!"]


def children_of(pid: int) -> list[int]:
    """The processes below one, the deepest first."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                found += [*children_of(int(child)), int(child)]
    return found


def command_of(pid: int) -> str:
    """The command line of a process; "" when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


class ApplianceNode(Node):
    """A member that is a whole appliance."""

    def __init__(self, net: ClusterOfAppliances, number: int) -> None:
        super().__init__(net, number)
        self.state_dir = net.folder / f"state{number}"
        self.control = self.state_dir / "run" / "lease.sock"
        self.supervisor: subprocess.Popen[bytes] | None = None
        self.modules = ""
        """The folder of the modules that it runs, if not those that are installed."""
        self.environment: dict[str, str] = {}
        """Variables that its processes have beside those of the tests."""

    def start(self) -> None:
        """Start the appliance as the member that it is from the beginning."""
        net = self.net
        self.state_dir.mkdir(mode=0o700, exist_ok=True)
        known = ClusterFile(CLUSTER, self.number, net.key_hex, net.secret_keys[self.number], net.membership, net.etcd)
        write_cluster(self.state_dir, known)
        self.run_appliance()

    def run_appliance(self) -> None:
        """Start the appliance with the state that it has."""
        net = self.net
        config = net.folder / "signalbox.conf"
        config.write_text(configuration(len(net.nodes), *net.listener_lines) + net.more_configuration)
        argv = [str(SIGNALBOX), "run", "--config", str(config), "--state", str(self.state_dir)]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "SIGNALBOX_RUNTIME_DIR": str(net.folder / "running")}
        environment |= {"PYTHONPATH": self.modules, **self.environment}
        with (net.folder / f"node{self.number}.log").open("ab") as log:
            self.supervisor = subprocess.Popen(
                ["ip", "netns", "exec", self.namespace, *argv],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        net.started.append(self.supervisor)

    @property
    def pid(self) -> int:
        """Of the supervisor."""
        assert self.supervisor is not None
        return self.supervisor.pid

    def report(self) -> dict[str, Any]:
        """What `signalbox status --json` says; {} without an answer."""
        try:
            report: dict[str, Any] = plain(ask_status(self.state_dir / "run"))
            return report
        except CommandFailed:
            return {}

    def stance(self, address: int = FIRST) -> str:
        """What it does about an address; "" when its lease process does not answer."""
        try:
            rows = self.status()["addresses"]
        except OSError:
            return ""
        return next((str(row["stance"]) for row in rows if row["address"] == address), "")

    def alarms(self) -> list[str]:
        """The names of the raised alarms."""
        with Control(self.state_dir, is_enabled=False) as control:
            return [row["name"] for row in control.ask("show alarms")["alarms"]]

    def is_guarded(self) -> bool:
        """Does the guard of the leases wait? It has a priority of its own from then on."""
        guards = [child for pid in self.pids_of("leases.lease") for child in children_of(pid)]
        with contextlib.suppress(ProcessLookupError):
            return [os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK for pid in guards] == [os.SCHED_RR]
        return False

    def is_linked(self) -> bool:
        """Have both other nodes connected to it?"""
        return len(self.run("ss", "-tnH", "state", "established", f"( sport = :{LINK_PORT} )").splitlines()) >= 2

    def counters(self) -> dict[str, int]:
        """What it has counted; {} without an answer."""
        counters: dict[str, int] = self.report().get("counters", {})
        return counters

    def pids_of(self, what: str) -> list[int]:
        """Its processes with that word in their command line."""
        return [pid for pid in self.pids() if what in command_of(pid)]

    def pids(self) -> list[int]:
        """All processes of the node."""
        return [*children_of(self.pid), self.pid]

    @property
    def lease_pid(self) -> int:
        return self.pids_of("leases.lease")[0]


class ClusterOfAppliances(Namespaces):
    """Three appliances. Use as a context manager."""

    nodes: dict[int, ApplianceNode]  # type: ignore[assignment]
    probe = ("--sip",)
    patience_s = START_TIMEOUT_S

    def __init__(
        self, folder: Path, members: int = 3, listener_lines: Sequence[str] = (), more_configuration: str = ""
    ) -> None:
        """`listener_lines`: what stands in the section of each listener. `more_configuration`: other sections."""
        super().__init__(folder, members)
        self.more_configuration = more_configuration
        self.listener_lines = tuple(listener_lines)
        self.etcd = NOWHERE
        keys = {member.number: new_link_keys() for member in self.membership.members}
        self.secret_keys = {number: secret for number, (_, secret) in keys.items()}
        linked = tuple(
            replace(member, link_port=LINK_PORT, public_key=keys[member.number][0])
            for member in self.membership.members
        )
        self.membership = replace(self.membership, members=linked)
        self.nodes = {number: ApplianceNode(self, number) for number in self.nodes}

    def start(self) -> None:
        """Start all, and wait until each address has the owner that is preferred."""
        for node in self.nodes.values():
            node.start()
        for node in self.nodes.values():
            wait_until(lambda node=node: node.stance(), f"node {node.number} runs", START_TIMEOUT_S)  # type: ignore[misc]
        wait_until(lambda: self.owner(FIRST) and self.owner(SECOND), "the addresses have owners", START_TIMEOUT_S)
        self.await_members()
        self.give(FIRST, 1)
        self.give(SECOND, 2)

    def owner(self, address: int = FIRST) -> int:
        return super().owner(address)

    def wait_for_owner(self, number: int, address: int = FIRST) -> None:
        super().wait_for_owner(number, address)

    def await_members(self) -> None:
        """Wait until each node owns an address or could take one over."""
        for node in self.nodes.values():
            ready = lambda node=node: node.stance() in ("owning", "following")  # noqa: E731
            wait_until(ready, f"node {node.number} takes part", START_TIMEOUT_S)
            wait_until(node.is_guarded, f"the guard of node {node.number} waits", START_TIMEOUT_S)

    def settle(self) -> None:
        """All nodes run, take part and are linked, none is drained, and each address has its preferred owner."""
        for number, node in self.nodes.items():
            if node.supervisor is None or node.supervisor.poll() is not None:
                self.start_again(number)
        self.await_members()
        for node in self.nodes.values():
            if node.status()["is_draining"]:
                assert node.ask({"order": "drain", "on": False}) == ""
        wait_until(lambda: all(node.is_linked() for node in self.nodes.values()), "links are up", within(60.0))
        self.give(FIRST, 1)
        self.give(SECOND, 2)

    def start_again(self, number: int) -> None:
        """Start a node that has ended."""
        supervisor = self.nodes[number].supervisor
        assert supervisor is not None
        supervisor.wait(10)
        self.nodes[number].start()

    def _take_down(self) -> None:
        for node in self.nodes.values():
            if node.supervisor is not None and node.supervisor.poll() is None:
                for pid in node.pids():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        super()._take_down()


@contextlib.contextmanager
def linked_cluster(folder: Path, *listener_lines: str) -> Iterator[ClusterOfAppliances]:
    """Three nodes that are linked; the first address is node 1's, the second one node 2's."""
    need_namespaces()
    with ClusterOfAppliances(folder, listener_lines=listener_lines) as net:
        net.start()
        wait_until(lambda: all(node.is_linked() for node in net.nodes.values()), "links are up", within(60.0))
        yield net
