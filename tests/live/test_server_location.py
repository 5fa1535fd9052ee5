"""Servers found by NAPTR, SRV and A records of a DNS server of the test's own, with SIPp as servers (RFC 3263)."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.appliance import Appliance
from tests.live.control import Control
from tests.live.name_server import NameServer, Zone
from tests.live.processes import LOOPBACK, Processes, wait_until
from tests.live.sipp import Sipp, call, start_callee

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="needs root: port 53, and a mount namespace for /etc/resolv.conf"
)

DOMAIN = "partner.test"
HEAD = f"proxy\n  next-hop timeout 1\n  next-hop pause 600\n!\ndomain-route gate.test\n  next-hop sip:{DOMAIN}\n!\n"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port at which something takes what comes and never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((LOOPBACK, 0))
        yield silent.getsockname()[1]


def zone_of(first: int, second: int) -> Zone:
    """A domain that prefers UDP, with a server of each priority."""
    return {
        f"{DOMAIN}. NAPTR": [f'10 10 "s" "SIP+D2U" "" _sip._udp.{DOMAIN}.'],
        f"_sip._udp.{DOMAIN}. SRV": [f"10 1 {first} s1.{DOMAIN}.", f"20 1 {second} s2.{DOMAIN}."],
        f"s1.{DOMAIN}. A": [LOOPBACK],
        f"s2.{DOMAIN}. A": [LOOPBACK],
    }


def calls_to(processes: Processes, appliance: Appliance, domain: str = DOMAIN, calls: int = 1) -> None:
    Sipp(processes, "caller", proxy=appliance, keys={"domain": domain}, calls=calls).succeed()


def test_calls_go_on_with_a_dead_server_and_then_with_a_dead_dns(
    start_appliance: Callable[..., Appliance], processes: Processes, silent_port: int, tmp_path: Path
) -> None:
    callee = start_callee(processes, calls=8)
    dns = NameServer("127.0.0.153", zone_of(silent_port, callee.port), ttl_s=5)
    try:
        appliance = start_appliance(
            HEAD, workers=1, listener=("role core", f"peer {LOOPBACK}"), resolv_conf=dns.resolv_conf(tmp_path)
        )
        control = Control(appliance.state)
        calls_to(processes, appliance)
        assert dns.asked[f"_sip._udp.{DOMAIN}. SRV"] == 1
        assert appliance.counter("hops-failed-over") == 1
        (hop,) = control.ask("show dns hosts")["rows"]
        assert (hop["port"], hop["state"]) == (silent_port, "no response")
        # The silent server is left alone, by name and as the next hop of a domain route.
        calls_to(processes, appliance, calls=2)
        calls_to(processes, appliance, "gate.test")
        assert appliance.counter("hops-failed-over") == 1
        resolved = control.ask("resolve", name=DOMAIN)
        assert [target["port"] for target in resolved["targets"]] == [silent_port, callee.port]
        assert resolved["steps"][0]["query"] == f"NAPTR {DOMAIN}"

        dns.stop()
        wait_until(lambda: _is_over(control), "the answers of DNS have expired")
        calls_to(processes, appliance, calls=3)
        assert appliance.counter("dns-answers-outlived") > 0
        assert "stale" in {row["state"] for row in control.ask("show dns cache")["rows"]}
        # What was not known is refused, and the reason is counted.
        assert control.ask("resolve", name="unknown.test")["outcome"] == "No response from DNS for unknown.test."
        call(processes, Elsewhere(appliance, "unknown.test"), "caller-500")
        assert appliance.counter("dns-failed") > 0
        assert control.ask("clear dns cache")["cleared"] > 0
        callee.process.popen.terminate()
    finally:
        dns.stop()


class Elsewhere:
    """The appliance, called for another domain."""

    def __init__(self, appliance: Appliance, domain: str) -> None:
        self.domain = domain
        self.address = appliance.address
        self.port = appliance.port


def _is_over(control: Control) -> bool:
    return all(row["state"] != "valid" for row in control.ask("show dns cache")["rows"])
