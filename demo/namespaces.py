"""A small network on one machine: network namespaces with a cable each to one bridge. Needs root."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

CLONE_NEWNET = 0x40000000
END_PATIENCE_S = 10.0


class NetworkFailed(Exception):
    """A command failed; the text is what it said."""


def run(*argv: str) -> str:
    """What a command prints. Raises NetworkFailed."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NetworkFailed(f"`{' '.join(argv)}` failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


class Network:
    """Hosts with an address each, by their names. All of it, and all processes in it, go with the context."""

    def __init__(self, prefix: str, addresses: dict[str, str], prefix_len: int = 24) -> None:
        self._prefix = prefix
        self._addresses = addresses
        self._prefix_len = prefix_len

    def __enter__(self) -> Network:
        self._take_away()
        try:
            self._build()
        except BaseException:
            self._take_away()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self._take_away()

    def namespace(self, host: str) -> str:
        """The namespace of a host, as ip(8) knows it."""
        return f"{self._prefix}-{host}"

    def command(self, host: str, argv: Sequence[str]) -> list[str]:
        """The command line that runs a program on a host."""
        return ["ip", "netns", "exec", self.namespace(host), *argv]

    def pids(self, host: str) -> list[int]:
        """The processes of a host."""
        return [int(pid) for pid in run("ip", "netns", "pids", self.namespace(host)).split()]

    def kill(self, host: str) -> int:
        """SIGKILL to all processes of a host; how many there were."""
        pids = self.pids(host)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(pids)

    def has_address(self, host: str, address: str) -> bool:
        """Is an address on the interface of a host?"""
        return f" {address}/" in run("ip", "-n", self.namespace(host), "addr", "show", "dev", "eth0")

    def enter(self, host: str) -> None:
        """Make the sockets of this process, from now on, those of a host."""
        with Path("/var/run/netns", self.namespace(host)).open() as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
                raise NetworkFailed(f"setns: {os.strerror(ctypes.get_errno())}")

    def _build(self) -> None:
        switch = self.namespace("switch")
        run("ip", "netns", "add", switch)
        run("ip", "-n", switch, "link", "add", "bridge", "type", "bridge", "forward_delay", "0")
        run("ip", "-n", switch, "link", "set", "bridge", "up")
        for host, address in self._addresses.items():
            namespace = self.namespace(host)
            run("ip", "netns", "add", namespace)
            run("ip", "-n", switch, "link", "add", host, "type", "veth", "peer", "eth0", "netns", namespace)
            run("ip", "-n", switch, "link", "set", host, "master", "bridge", "up")
            run("ip", "-n", namespace, "link", "set", "lo", "up")
            run("ip", "-n", namespace, "addr", "add", f"{address}/{self._prefix_len}", "dev", "eth0")
            run("ip", "-n", namespace, "link", "set", "eth0", "up")

    def _take_away(self) -> None:
        there = [line.split()[0] for line in run("ip", "netns", "list").splitlines() if line]
        for host in (*self._addresses, "switch"):
            if self.namespace(host) in there:
                self._empty(host)
                run("ip", "netns", "del", self.namespace(host))

    def _empty(self, host: str) -> None:
        """End all processes of a host but this one."""
        until = time.monotonic() + END_PATIENCE_S
        while (left := [pid for pid in self.pids(host) if pid != os.getpid()]) and time.monotonic() < until:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
