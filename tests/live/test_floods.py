"""Floods: garbage, half-open connections, calls that no phone answers. Memory stays bounded, each has its counter, and
a request that comes after it is served (design section 5)."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.live.appliance import Appliance
from tests.live.machine import STATISTICAL, rate
from tests.live.processes import LOOPBACK, Process, Processes, wait_until
from tests.live.sipp import call, register, start_callee

START = Callable[..., Appliance]
GARBAGE = 50_000
FLOOD = Path(__file__).with_name("flood.py")
CONNECTION_FLOOD = Path(__file__).with_name("connection_flood.py")
FLOOD_S = 5
GOOD_PER_S = rate(100)
GOOD_CALLS = 400
IDLE = 5_000
DRIPPING = 500
PARTIAL_S = 3
CLOSED_WITHIN_S = 30
CONNECTIONS_MAX = 40
TRANSACTIONS_MAX = 300
INVITES = 5_000
REFUSED_WITHIN_S = 10
MEMORY_GROWTH_MAX = 24 << 20


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A phone that takes everything and says nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((LOOPBACK, 0))
        yield phone


def assert_in_service(processes: Processes, appliance: Appliance) -> None:
    """All is as before: one more phone registers and is called."""
    callee = start_callee(processes)
    register(processes, appliance, "bob", callee.contact)
    call(processes, appliance)
    callee.succeed()


def test_garbage(processes: Processes, start_appliance: START) -> None:
    """Random octets, octets that begin like SIP, and empty datagrams."""
    appliance = start_appliance()
    memory = appliance.rss()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
        flood.connect((appliance.address, appliance.port))
        for number in range(GARBAGE // 2):
            flood.send(os.urandom(200))
            flood.send(b"INVITE sip:%d SIP/2.0\r\n" % number + os.urandom(200))
    wait_until(lambda: dropped(appliance) > GARBAGE // 4, "garbage is counted as dropped", pause_s=0.2)
    assert appliance.rss() - memory < MEMORY_GROWTH_MAX
    assert_in_service(processes, appliance)


@pytest.mark.load
@STATISTICAL
@pytest.mark.parametrize(("kind", "per_s"), [("garbage", 20_000), ("invites", 2_000)])
def test_good_calls_during_a_flood(processes: Processes, start_appliance: START, kind: str, per_s: int) -> None:
    """A hundred calls a second lose none while strangers send what they like, from ten thousand sources."""
    appliance = start_appliance()
    callee = start_callee(processes, "callee", calls=GOOD_CALLS)
    register(processes, appliance, "bob", callee.contact)
    per_s = rate(per_s)
    argv = [sys.executable, str(FLOOD), kind, appliance.address, str(appliance.port), str(per_s), str(FLOOD_S)]
    flood = processes.start("flood", argv)
    call(processes, appliance, "caller", "-r", str(GOOD_PER_S), calls=GOOD_CALLS)
    callee.succeed()
    assert flood.wait(FLOOD_S + 60) == 0
    assert int(flood.text()) > 0.9 * per_s * FLOOD_S
    assert appliance.counter("calls-answered") == GOOD_CALLS


@pytest.mark.load
@STATISTICAL
@pytest.mark.parametrize(
    ("kind", "connections", "closed"),
    [("idle", IDLE, "connections-closed-idle"), ("drip", DRIPPING, "connections-closed-partial")],
)
def test_good_calls_beside_connections_that_are_good_for_nothing(
    processes: Processes, start_appliance: START, kind: str, connections: int, closed: str
) -> None:
    """Peers that say nothing, and peers that say one octet now and then of a message that never ends: each is rid of
    after `message partial`, and a hundred calls a second by UDP lose none."""
    appliance = start_appliance(f"limits\n  message partial {PARTIAL_S}\n  connection per-source {IDLE}\n!")
    callee = start_callee(processes, "callee", calls=GOOD_CALLS)
    register(processes, appliance, "bob", callee.contact)
    flood = start_connection_flood(processes, appliance, kind, connections)
    call(processes, appliance, "caller", "-r", str(GOOD_PER_S), calls=GOOD_CALLS)
    callee.succeed()
    assert flood.wait(CLOSED_WITHIN_S + 60) == 0
    opened, closed_by_us, octets = map(int, flood.text().split())
    assert (opened, closed_by_us) == (connections, connections)
    assert bool(octets) == (kind == "drip")
    assert appliance.counter("calls-answered") == GOOD_CALLS
    # One that began to drip just before it was given up as a stranger counts as idle.
    idle = appliance.counter("connections-closed-idle") if kind == "drip" else 0
    assert appliance.counter("connections-accepted") == appliance.counter(closed) + idle == connections
    assert appliance.counter(closed) > connections // 2
    assert appliance.counter("connections-refused") == 0
    assert open_connections(appliance) == 0


def start_connection_flood(processes: Processes, appliance: Appliance, kind: str, connections: int) -> Process:
    """Connections until they are closed; see connection_flood.py for what it prints."""
    argv = [sys.executable, str(CONNECTION_FLOOD), kind, appliance.address, str(appliance.port)]
    return processes.start("connections", [*argv, str(connections), str(CLOSED_WITHIN_S)])


def dropped(appliance: Appliance) -> int:
    """Datagrams thrown away, for whichever reason."""
    return sum(count for name, count in appliance.counters().items() if name.startswith("dropped-"))


def test_half_open_connections(processes: Processes, start_appliance: START) -> None:
    """Ten times as many connections as allowed, each with a message that never ends."""
    limits = f"limits\n  connections {CONNECTIONS_MAX}\n  message partial 1\n!"
    appliance = start_appliance(limits)
    memory = appliance.rss()
    with ExitStack() as opened:
        for _ in range(10 * CONNECTIONS_MAX):
            connection = opened.enter_context(socket.socket())
            connection.connect((appliance.address, appliance.port))
            with suppress(ConnectionError):
                connection.sendall(b"INVITE sip:bob@signalbox.test SIP/2.0\r\nVia: " + b"x" * 2000)
        wait_until(lambda: appliance.counter("connections-displaced") > 0, "connections make room")
        assert open_connections(appliance) <= 2 * CONNECTIONS_MAX
        closed = "connections-closed-partial"
        wait_until(lambda: appliance.counter(closed) > 0, "messages that never end are given up")
        wait_until(lambda: open_connections(appliance) == 0, "no connection is left")
        assert appliance.rss() - memory < MEMORY_GROWTH_MAX
    assert_in_service(processes, appliance)


def open_connections(appliance: Appliance) -> int:
    """TCP connections of all workers."""
    return sum(worker["gauges"]["connections"] for worker in appliance.status()["workers"])


def test_calls_without_an_answer(processes: Processes, start_appliance: START, silent: socket.socket) -> None:
    """The table fills, new calls are refused with 503 and Retry-After, and the table empties by itself."""
    appliance = start_appliance(f"timers\n  t1 50\n!\nlimits\n  transactions {TRANSACTIONS_MAX}\n!")
    register(processes, appliance, "nobody", f"sip:nobody@{LOOPBACK}:{silent.getsockname()[1]}")
    memory = appliance.rss()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
        flood.bind((LOOPBACK, 0))
        flood.connect((appliance.address, appliance.port))
        refusals = [answer for number in range(INVITES) for answer in send_invite(flood, number) if is_refusal(answer)]
        # Workers that had no processor meanwhile find the calls in their sockets, and answer when all are sent.
        flood.settimeout(REFUSED_WITHIN_S)
        refusals = refusals or [next(filter(is_refusal, iter(lambda: flood.recv(65535), b"")))]
    assert b"\r\nRetry-After: " in refusals[0]
    assert appliance.counter("refused-table-full") >= len(refusals)
    assert appliance.status()["transactions"] <= 2 * TRANSACTIONS_MAX
    assert appliance.rss() - memory < MEMORY_GROWTH_MAX
    wait_until(lambda: appliance.status()["transactions"] == 0, "every transaction has ended", pause_s=0.2)
    assert_in_service(processes, appliance)


def send_invite(flood: socket.socket, number: int) -> Iterator[bytes]:
    """One call to the silent phone; what has come back meanwhile."""
    port = flood.getsockname()[1]
    flood.send(
        f"INVITE sip:nobody@signalbox.test SIP/2.0\r\nVia: SIP/2.0/UDP {LOOPBACK}:{port};branch=z9hG4bKf{number}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:flood@{LOOPBACK}>;tag={number}\r\nTo: <sip:nobody@signalbox.test>\r\n"
        f"Call-ID: flood-{number}\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n".encode()
    )
    with suppress(BlockingIOError):
        while True:
            yield flood.recv(65535, socket.MSG_DONTWAIT)


def is_refusal(answer: bytes) -> bool:
    """Whether a table was full."""
    return answer.startswith(b"SIP/2.0 503 ")
