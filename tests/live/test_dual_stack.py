"""A server with an IPv4 and an IPv6 address of which one drops what would open a connection (RFC 8305, RFC 7984)."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.appliance import Appliance
from tests.live.control import Control
from tests.live.processes import Processes, find_program, wait_until
from tests.live.sipp import Sipp

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a network namespace with a packet filter")

HOST = "dual.test"
ADDRESSES = {"ip": "127.0.0.5", "ip6": "::1"}
# `limits connection timeout`: a call that waits for the dead address takes longer.
CONNECT_TIMEOUT_S = 5.0
SETTINGS = (
    "listener six\n  address ::1\n  port 5060\n  transport udp tcp\n  relay any\n  no authenticate\n!\n"
    "proxy\n  next-hop timeout 20\n!\n"
)


@contextmanager
def namespace(name: str) -> Iterator[tuple[str, ...]]:
    """A network namespace of loopback alone, in which HOST has both addresses: the words that run a command in it."""
    find_program("nft", "nftables")
    etc = Path("/etc/netns") / name
    words = ("ip", "netns", "exec", name)
    run("ip", "netns", "add", name)
    try:
        etc.mkdir(parents=True)
        (etc / "hosts").write_text("".join(f"{address} {HOST}\n" for address in ADDRESSES.values()))
        run(*words, "ip", "link", "set", "lo", "up")
        yield words
    finally:
        (etc / "hosts").unlink(missing_ok=True)
        etc.rmdir()
        run("ip", "netns", "delete", name)


def run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize("dead", ["ip", "ip6"])
def test_a_call_goes_by_the_other_family_without_a_wait(
    dead: str,
    start_appliance: Callable[..., Appliance],
    processes: Processes,
    record_property: Callable[[str, object], None],
) -> None:
    live = "ip6" if dead == "ip" else "ip"
    with namespace(f"conn-{os.getpid()}-{dead}") as words:
        run(*words, "nft", "add", "table", "inet", "t")
        run(*words, "nft", "add", "chain", "inet", "t", "in", "{ type filter hook input priority 0; }")
        appliance = start_appliance(SETTINGS, ("role core", "relay any"), workers=1, options=(), within=words)
        callee = Sipp(processes, "callee", calls=2, transport="tcp", address=ADDRESSES[live], within=words)
        drop = f"{dead} daddr {ADDRESSES[dead]} tcp dport {callee.port} tcp flags syn counter drop"
        run(*words, "nft", "add", "rule", "inet", "t", "in", *drop.split())
        tables = [Path(f"/proc/{callee.process.pid}/net/{table}") for table in ("tcp", "tcp6")]
        listens = f":{callee.port:04X} "
        wait_until(lambda: any(listens in table.read_text() for table in tables), "the callee has its port open")

        def call() -> float:
            begun = time.monotonic()
            keys = {"domain": f"{HOST}:{callee.port};transport=tcp"}
            Sipp(processes, "caller", "-d", "0", proxy=appliance, keys=keys, within=words).succeed()
            return time.monotonic() - begun

        first_s, second_s = call(), call()
        callee.succeed()
        record_property("first call (s)", round(first_s, 2))
        record_property("second call (s)", round(second_s, 2))
        assert first_s < CONNECT_TIMEOUT_S
        counters = appliance.counters()
        assert (counters["calls-answered"], counters["connections-opened"], counters["connections-failed"]) == (2, 1, 0)
        # IPv4 is tried first: only when that is dead, the other one has to be waited for, once.
        assert counters["hops-failed-over"] == (dead == "ip")
        with Control(appliance.state) as control:
            hops = [(row["address"], row["state"]) for row in control.ask("show dns hosts")["rows"]]
        assert hops == ([(ADDRESSES["ip"], "no response")] if dead == "ip" else [])
