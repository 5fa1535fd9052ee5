"""Members of a cluster in network namespaces: a bridge, three or five nodes with a lease process and an echo service
each, a client with a capture of all that carries the virtual address. Needs root."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from appliance.ipc.lease_launch import LeaseLaunch
from appliance.messages.lease_settings import LeaseSettings
from appliance.messages.membership import Member, Membership, VirtualAddress
from tests.live.processes import IS_REQUIRED, freeze, wait_until

V4, V6 = "10.77.0.50", "fd77::50"
SECOND_V4, SECOND_V6 = "10.77.0.51", "fd77::51"
HEARTBEAT_PORT = 7677
ECHO_PORT = 5060
FIRST, SECOND = 1, 2
CLONE_NEWNET = 0x40000000
_COUNT = itertools.count()


def need_namespaces() -> None:
    """Skip, or fail where live tests are required and root is there, unless network namespaces and nft can be used."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    if subprocess.run(["sh", "-c", "command -v nft && command -v ip"], capture_output=True).returncode:
        reason = "nft or ip is not installed; type: apt-get install nftables iproute2"
        pytest.fail(reason) if IS_REQUIRED else pytest.skip(reason)
    probe = f"sbx{os.getpid()}-probe"
    if subprocess.run(["ip", "netns", "add", probe], capture_output=True).returncode:
        pytest.skip("this machine allows no network namespaces")
    subprocess.run(["ip", "netns", "del", probe], check=True)


@contextlib.contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Sockets that this thread makes meanwhile belong to the namespace."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(descriptor: int) -> None:
        if libc.setns(descriptor, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"namespace {namespace}: {os.strerror(ctypes.get_errno())}")

    with open("/proc/thread-self/ns/net") as own, open(f"/run/netns/{namespace}") as other:
        enter(other.fileno())
        try:
            yield
        finally:
            enter(own.fileno())


class Node:
    """A member in its namespace."""

    def __init__(self, net: Namespaces, number: int) -> None:
        self.net = net
        self.number = number
        self.namespace = f"{net.prefix}-n{number}"
        self.control = net.folder / f"lease{number}.sock"
        self.lease: subprocess.Popen[bytes] | None = None
        self.echo: subprocess.Popen[bytes] | None = None
        self.mac = ""

    @property
    def port(self) -> str:
        """The end of its cable that is in the bridge."""
        return f"p{self.number}"

    def launch(self) -> LeaseLaunch:
        """What the lease process is started with."""
        net = self.net
        return LeaseLaunch(self.number, net.membership, net.addresses, net.key_hex, str(self.control), net.settings)

    def start(self) -> None:
        """Start the lease process."""
        net, launch = self.net, self.launch()
        with launch.to_stdin() as document, (net.folder / f"lease{self.number}.log").open("ab") as log:
            argv = ["ip", "netns", "exec", self.namespace, *launch.argv()]
            self.lease = subprocess.Popen(argv, stdin=document, stdout=log, stderr=log, start_new_session=True)
        net.started.append(self.lease)

    def start_echo(self) -> None:
        """Start the service that clients reach by the virtual addresses."""
        program = [sys.executable, str(Path(__file__).with_name("lease_echo.py")), str(self.number), str(ECHO_PORT)]
        program += [text.partition("/")[0] for address in self.net.addresses for text in address.addresses]
        with (self.net.folder / f"echo{self.number}.log").open("ab") as log:
            argv = ["ip", "netns", "exec", self.namespace, *program]
            self.echo = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)
        self.net.started.append(self.echo)

    @property
    def lease_pid(self) -> int:
        """`ip netns exec` becomes the program that it starts."""
        assert self.lease is not None
        return self.lease.pid

    def guard_pids(self) -> list[int]:
        """The guards of the lease process."""
        children = Path(f"/proc/{self.lease_pid}/task/{self.lease_pid}/children").read_text().split()
        return [int(pid) for pid in children]

    def pids(self) -> list[int]:
        """All processes of the node."""
        assert self.echo is not None
        return [*self.guard_pids(), self.lease_pid, self.echo.pid]

    def signal_all(self, number: int) -> None:
        """Send a signal to all processes of the node, the guard first."""
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def freeze(self) -> None:
        """Stop all processes of the node, the guard first."""
        freeze(*self.pids())

    def ask(self, order: dict[str, Any]) -> str:
        """The reply to an order."""
        with self.connection() as control:
            control.send(json.dumps(order).encode())
            while True:
                answer = json.loads(control.recv(1 << 16))
                if "reply" in answer:
                    return str(answer["reply"])

    def status(self) -> dict[str, Any]:
        """A report."""
        with self.connection() as control:
            while True:
                report: dict[str, Any] = json.loads(control.recv(1 << 16))
                if "addresses" in report:
                    return report

    def owners(self) -> list[int]:
        """The members that own the addresses, as far as this one has heard."""
        return [address["last_owner"] for address in self.status()["addresses"]]

    @contextlib.contextmanager
    def connection(self) -> Iterator[socket.socket]:
        """A connection to the control socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as control:
            # One that is frozen does not answer.
            control.settimeout(0.5)
            control.connect(str(self.control))
            yield control

    def stance(self, address: int = FIRST) -> str:
        """What it does about an address; "" when its lease process does not answer."""
        try:
            return str(self.status()["addresses"][address - 1]["stance"])
        except OSError:
            return ""

    def run(self, *argv: str) -> str:
        """Run a program in the namespace."""
        return self.net.run("ip", "netns", "exec", self.namespace, *argv)


class Namespaces:
    """The network and its members. Use as a context manager."""

    probe: tuple[str, ...] = ()
    """What the client sends, as lease_client.py has it."""
    patience_s = 60.0
    """Within which a node takes part that has been started."""

    def __init__(
        self, folder: Path, members: int = 3, settings: LeaseSettings | None = None, has_witness: bool = False
    ) -> None:
        """`has_witness`: the last member is one."""
        self.folder = folder
        self.prefix = f"sbx{os.getpid()}x{next(_COUNT)}"
        self.settings = settings or LeaseSettings()
        self.key_hex = secrets.token_hex(32)
        numbers = range(1, members + 1)
        last = members if has_witness else 0
        self.membership = Membership(
            1, tuple(Member(n, f"node-{n}", f"10.77.0.{n}", HEARTBEAT_PORT, n == last) for n in numbers)
        )
        second = (2, *(n for n in numbers if n != 2))
        self.addresses = (
            VirtualAddress(FIRST, "first", tuple(numbers), (f"{V4}/24", f"{V6}/64"), "eth0"),
            VirtualAddress(SECOND, "second", second, (f"{SECOND_V4}/24", f"{SECOND_V6}/64"), "eth0"),
        )
        self.nodes = {n: Node(self, n) for n in numbers}
        self.started: list[subprocess.Popen[bytes]] = []
        self.client = f"{self.prefix}-cl"
        self.switch = f"{self.prefix}-sw"

    def __enter__(self) -> Namespaces:
        try:
            self._build()
        except BaseException:
            self._take_down()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._take_down()

    def _build(self) -> None:
        for name in (self.switch, self.client, *(node.namespace for node in self.nodes.values())):
            self.run("ip", "netns", "add", name)
            self.run("ip", "-n", name, "link", "set", "lo", "up")
        self.run("ip", "-n", self.switch, "link", "add", "br0", "type", "bridge", "forward_delay", "0")
        self.run("ip", "-n", self.switch, "link", "set", "br0", "up")
        for node in self.nodes.values():
            self._connect(node.namespace, node.port, node.number)
            text = self.run("ip", "-n", node.namespace, "-j", "link", "show", "eth0")
            node.mac = json.loads(text)[0]["address"]
        self._connect(self.client, "pc", 100)
        partitions = "table bridge partitions { chain forward { type filter hook forward priority 0; }; }"
        self.run("ip", "netns", "exec", self.switch, "nft", partitions)

    def _connect(self, namespace: str, port: str, host: int) -> None:
        self.run("ip", "-n", self.switch, "link", "add", port, "type", "veth", "peer", "eth0", "netns", namespace)
        self.run("ip", "-n", self.switch, "link", "set", port, "master", "br0", "up")
        self.run("ip", "netns", "exec", namespace, "sysctl", "-qw", "net.ipv6.conf.eth0.accept_dad=0")
        self.run("ip", "-n", namespace, "link", "set", "eth0", "up")
        self.run("ip", "-n", namespace, "addr", "add", f"10.77.0.{host}/24", "dev", "eth0")
        self.run("ip", "-n", namespace, "addr", "add", f"fd77::{host}/64", "dev", "eth0", "nodad")

    def _take_down(self) -> None:
        guards = [pid for node in self.nodes.values() if node.lease and node.lease.poll() is None
                  for pid in node.guard_pids()]
        for pid in [*guards, *(process.pid for process in self.started if process.poll() is None)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self.started:
            process.wait(60)
        for name in (self.client, *(node.namespace for node in self.nodes.values()), self.switch):
            subprocess.run(["ip", "netns", "del", name], capture_output=True)

    def run(self, *argv: str) -> str:
        """Run a program; fails the test when it fails."""
        done = subprocess.run(argv, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr}"
        return done.stdout

    def program(self, namespace: str, text: str) -> subprocess.Popen[bytes]:
        """A Python program in a namespace; returns when it has printed its first line."""
        argv = ["ip", "netns", "exec", namespace, sys.executable, "-c", text]
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        self.started.append(process)
        return process

    def start(self) -> None:
        """Start all, and wait until each address has the owner that is preferred, and all know it."""
        for node in self.nodes.values():
            node.start()
            node.start_echo()
        self.give(FIRST, 1)
        self.give(SECOND, 2)
        wait_until(lambda: all(node.owners() == [1, 2] for node in self.nodes.values()), "all know who owns what")

    def change_members(self, members: tuple[Member, ...]) -> None:
        """The next version of the membership: tell each member that runs, one after the other."""
        self.membership = Membership(self.membership.version + 1, members)
        for number in self.membership.numbers:
            node = self.nodes[number]
            if node.lease is not None:
                assert node.ask({"order": "members", **node.launch().fields_of_members}) == ""

    def owner(self, address: int = FIRST) -> int:
        """The node that says that it owns an address; 0: none."""
        return next((n for n, node in self.nodes.items() if node.stance(address) == "owning"), 0)

    def give(self, address: int, number: int) -> None:
        """Have a node own an address."""

        def is_given() -> bool:
            owner = self.owner(address)
            if owner not in (0, number):
                self.nodes[owner].ask({"order": "switchover", "address": address, "to": number})
            return owner == number

        wait_until(is_given, f"node {number} is given address {address}", self.patience_s, 0.2)

    def wait_for_owner(self, number: int, address: int = FIRST) -> None:
        """Wait until a node owns an address."""
        node = self.nodes[number]
        wait_until(lambda: node.stance(address) == "owning", f"node {number} owns address {address}")

    def cut(self, *pairs: tuple[int, int]) -> None:
        """Drop all frames from one node to another; node 0 is the client."""
        for sender, receiver in pairs:
            names = [f"p{number}" if number else "pc" for number in (sender, receiver)]
            rule = f'add rule bridge partitions forward iifname "{names[0]}" oifname "{names[1]}" drop'
            self.run("ip", "netns", "exec", self.switch, "nft", rule)

    def heal(self) -> None:
        """End all partitions."""
        self.run("ip", "netns", "exec", self.switch, "nft", "flush", "chain", "bridge", "partitions", "forward")

    @contextlib.contextmanager
    def polling(self) -> Iterator[Callable[[], dict[str, Any]]]:
        """A client that sends to all virtual addresses every 2 ms and captures; yields what ends it and reports."""
        out = self.folder / f"poll{next(_COUNT)}.json"
        program = Path(__file__).with_name("lease_client.py")
        targets = [text.partition("/")[0] for address in self.addresses for text in address.addresses]
        argv = [sys.executable, str(program), str(out), str(ECHO_PORT), *self.probe, *targets]
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.client, *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == b"ready\n"

        def finish() -> dict[str, Any]:
            assert process.stdin is not None
            if process.poll() is None:
                process.stdin.close()
                process.wait(60)
            found: dict[str, Any] = json.loads(out.read_text())
            return found

        try:
            yield finish
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()


class Observed:
    """What the client saw during one fault."""

    def __init__(self, result: dict[str, Any]) -> None:
        self._result = result

    def longest_gap_s(self, *addresses: str) -> float:
        """The longest time without an answer from any of these."""
        return max((length for address in addresses for _, length in self._result[address]["gaps"]), default=0.0)

    def changes(self, address: str) -> list[str]:
        """The hardware addresses that spoke for it, one after the other."""
        return [hardware for _, hardware in self._result[address]["speakers"]]

    def stints_s(self, address: str) -> list[float]:
        """For how long each machine spoke for it, but for the first one and the last one."""
        times = [moment for moment, _ in self._result[address]["speakers"]]
        return [end - begin for begin, end in pairwise(times[1:])]

    def answering(self, address: str) -> list[str]:
        """The nodes that answered, one after the other."""
        return [node for _, node in self._result[address]["answering"]]

    def has_one_owner(self) -> bool:
        """In one fault an address moves once at most: who speaks again after another machine is a second owner."""
        changes = [self.changes(address) for address in self._result]
        return all(len(speakers) == len(set(speakers)) for speakers in changes)

    def check_one_owner(self) -> None:
        """Fails the test where `has_one_owner` is false, with who spoke when."""
        for address in self._result:
            speakers = self.changes(address)
            assert len(speakers) == len(set(speakers)), f"{address}: {self._result[address]['speakers']}"
