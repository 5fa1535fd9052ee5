"""Etcd in network namespaces: a member beside each of three nodes, which holds their cluster."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from appliance.cluster.coordination.cluster_records import ClusterRecord, MembershipRecord
from appliance.cluster.coordination.keys import ClusterKeys
from appliance.storage.cluster_file import EtcdAccess
from tests.live.cluster_namespaces import CLUSTER, ClusterOfAppliances
from tests.live.machine import within
from tests.live.processes import find_program, freeze, wait_until

CLIENT_PORT, PEER_PORT = 2379, 2380
# Waits for etcd itself, at most for so long.
ANSWER_S = 10
WRITE = """
import json, sys
from appliance.cluster.coordination.key_store import Put
from appliance.cluster.coordination.store import EtcdStore
from appliance.storage.cluster_file import EtcdAccess
urls, *entries = json.load(sys.stdin)
store = EtcdStore(EtcdAccess(tuple(urls)))
assert store.commit([], [Put(key, value.encode()) for key, value in entries])
store.close()
"""


class NamespaceEtcd:
    """Made before the appliances start, which then have it."""

    def __init__(self, net: ClusterOfAppliances) -> None:
        self._net = net
        self._program = find_program("etcd", "etcd-server")
        self._control = find_program("etcdctl", "etcd-client")
        self.members: dict[int, subprocess.Popen[bytes]] = {}
        self.urls = {number: f"http://10.77.0.{number}:{CLIENT_PORT}" for number in net.nodes}
        for number in net.nodes:
            self.start(number)
        net.etcd = EtcdAccess(tuple(self.urls.values()))
        wait_until(lambda: self.leader(), "etcd has a leader", within(30.0), 0.2)
        self._write_cluster()

    def start(self, number: int) -> None:
        """Start the member beside a node, with the data it has."""
        net, peers = self._net, ",".join(f"m{n}=http://10.77.0.{n}:{PEER_PORT}" for n in self.urls)
        peer = f"http://10.77.0.{number}:{PEER_PORT}"
        argv = [
            "ip", "netns", "exec", net.nodes[number].namespace, self._program,
            "--name", f"m{number}", "--data-dir", str(net.folder / f"etcd{number}"),
            "--listen-client-urls", self.urls[number], "--advertise-client-urls", self.urls[number],
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", peers,
            "--grpc-keepalive-min-time", "1s", "--logger", "zap",
        ]  # fmt: skip
        with (net.folder / f"etcd{number}.log").open("ab") as log:
            self.members[number] = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        net.started.append(self.members[number])

    def kill(self, number: int) -> None:
        self.members[number].kill()
        self.members[number].wait()

    def freeze(self) -> None:
        """All members: they answer nothing, and no connection ends."""
        freeze(*(member.pid for member in self.members.values()))

    def go_on(self) -> None:
        for member in self.members.values():
            os.kill(member.pid, signal.SIGCONT)

    @contextlib.contextmanager
    def slow_disks(self, delay_ms: int) -> Iterator[None]:
        """Each write of any member to its disk takes so much longer."""
        delay = f"inject=fsync,fdatasync:delay_exit={delay_ms * 1000}"
        argv = [find_program("strace", "strace"), "-f", "-qq", "-o", os.devnull]
        argv += ["-e", "trace=fsync,fdatasync", "-e", delay]
        tracers = [subprocess.Popen([*argv, "-p", str(member.pid)]) for member in self.members.values()]
        self._net.started += tracers
        wait_until(lambda: all(map(_is_traced, self.members.values())), "the members are traced")
        try:
            yield
        finally:
            for tracer in tracers:
                tracer.terminate()
                tracer.wait(60)

    def seconds_to_write(self) -> float:
        """How long a client waits until etcd has an entry."""
        begun = time.monotonic()
        self._ask(1, "put", "probe", "1")
        return time.monotonic() - begun

    def leader(self) -> int:
        """The node beside the leader; 0 for none."""
        for number, status in self._status().items():
            if status["leader"] == status["header"]["member_id"]:
                return number
        return 0

    def lead(self, number: int) -> None:
        """Have the member beside a node become the leader."""

        def leads() -> bool:
            if (leader := self.leader()) not in (0, number):
                wanted = f"{self._status()[number]['header']['member_id']:x}"
                self._ask(leader, "move-leader", wanted)
            return leader == number

        wait_until(leads, f"the member of node {number} leads", within(20.0), 0.2)

    def _status(self) -> dict[int, dict[str, object]]:
        found = {}
        for number, url in self.urls.items():
            text = self._ask(number, "endpoint", "status", "--write-out", "json")
            if text.startswith("["):
                found[number] = next(row["Status"] for row in json.loads(text) if row["Endpoint"] == url)
        return found

    def _ask(self, number: int, *words: str) -> str:
        """What `etcdctl WORDS` prints, asked at one member; "" where it fails."""
        argv = ["ip", "netns", "exec", self._net.client, self._control, "--endpoints", self.urls[number], *words]
        environment = {**os.environ, "ETCDCTL_API": "3"}
        done = subprocess.run(argv, capture_output=True, text=True, env=environment, timeout=ANSWER_S)
        return done.stdout if done.returncode == 0 else ""

    def _write_cluster(self) -> None:
        net, keys = self._net, ClusterKeys(CLUSTER)
        members = MembershipRecord(net.membership, len(net.nodes) + 1)
        document = [
            list(self.urls.values()),
            [keys.cluster, ClusterRecord(net.key_hex, 1.0).to_octets().decode()],
            [keys.membership, members.to_octets().decode()],
        ]
        argv = ["ip", "netns", "exec", net.client, sys.executable, "-c", WRITE]
        subprocess.run(argv, input=json.dumps(document), text=True, check=True, timeout=60)


def _is_traced(process: subprocess.Popen[bytes]) -> bool:
    return "TracerPid:\t0\n" not in Path(f"/proc/{process.pid}/status").read_text()
