"""A phone in the namespace of the client that can be reached one way only (answering_phone.py)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.live.cluster_namespaces import ClusterOfAppliances
from tests.live.lease_namespaces import V4
from tests.live.machine import within
from tests.live.namespace_sipp import CLIENT
from tests.live.processes import wait_until

DOMAIN = "signalbox.test"
PHONE_PORT = 7400


class PhoneAtClient:
    """bob, registered at the first address."""

    def __init__(self, net: ClusterOfAppliances, transport: str, *more: str, ring_s: float = 0.0) -> None:
        self._log = net.folder / f"phone-{transport}.log"
        program = str(Path(__file__).with_name("answering_phone.py"))
        argv = ["ip", "netns", "exec", net.client, sys.executable, program, transport, V4, "5060", DOMAIN, str(ring_s)]
        with self._log.open("wb") as log:
            net.started.append(subprocess.Popen([*argv, *more], stdout=log, stderr=log))
        wait_until(lambda: self.lines()[:1] == [f"{V4} SIP/2.0 200 OK"], "the phone is registered", within(20.0))

    def lines(self) -> list[str]:
        """The address that each message came from, and its first line; a word when the connection has ended."""
        return self._log.read_text().splitlines()

    def sources(self) -> set[str]:
        """The addresses that messages came from."""
        return {line.split()[0] for line in self.lines()}

    def methods(self) -> list[str]:
        """Of the requests that it got."""
        return [line.split()[1] for line in self.lines() if line.endswith(" SIP/2.0")]

    def has_got(self, method: str) -> bool:
        return method in self.methods()

    def statuses(self) -> list[int]:
        """Of the responses that it got."""
        return [int(line.split()[2]) for line in self.lines() if line.split()[1] == "SIP/2.0"]


def phone_behind_nat(net: ClusterOfAppliances, *target: str, ring_s: float = 0.0) -> PhoneAtClient:
    """By UDP; the kernel at the client drops what comes to it from any address but the first one.

    `target`: whom it calls once it has registered.
    """
    inside = ("ip", "netns", "exec", net.client, "nft", "add")
    net.run(*inside, "table", "inet", "nat-of-phone")
    net.run(*inside, "chain", "inet", "nat-of-phone", "input", "{ type filter hook input priority 0 ; }")
    rule = f"udp dport {PHONE_PORT} ip saddr != {V4} counter drop"
    net.run(*inside, "rule", "inet", "nat-of-phone", "input", *rule.split())
    return PhoneAtClient(net, "udp", CLIENT, str(PHONE_PORT), *target, ring_s=ring_s)
