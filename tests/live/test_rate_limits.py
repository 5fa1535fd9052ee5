"""Rate limits hold over all workers together, whichever of them the requests come to."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest

from tests.live.appliance import Appliance
from tests.live.control import Control
from tests.live.machine import STATISTICAL
from tests.live.processes import LOOPBACK, wait_until

RATE = 100
OFFERED = 300
SECONDS = 8
TOLERANCE = 0.05


def options(appliance: Appliance, port: int, call_id: str) -> bytes:
    """A request that is answered at once, by a 200 or by the limit's 503."""
    return (
        f"OPTIONS sip:{appliance.domain} SIP/2.0\r\nVia: SIP/2.0/UDP {LOOPBACK}:{port};branch=z9hG4bK{call_id}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:probe@{appliance.domain}>;tag=1\r\nTo: <sip:{appliance.domain}>\r\n"
        f"Call-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def offer(appliance: Appliance, call_ids: Callable[[int], str], seconds: float) -> tuple[int, int]:
    """Send OFFERED a second; (answers 200, answers 503) of the last part, when the shares have been dealt."""
    answers = {b"200": 0, b"503": 0}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((LOOPBACK, 0))
        probe.setblocking(False)
        port = probe.getsockname()[1]
        begun, settled_at, number = time.monotonic(), 3.0, 0
        while (elapsed := time.monotonic() - begun) < settled_at + seconds:
            while number < elapsed * OFFERED:
                number += 1
                probe.sendto(options(appliance, port, call_ids(number)), (appliance.address, appliance.port))
            time.sleep(0.005)
            for status in received(probe):
                answers[status] += elapsed >= settled_at
    return answers[b"200"], answers[b"503"]


def received(probe: socket.socket) -> list[bytes]:
    """The status of each answer that has come."""
    found = []
    while True:
        try:
            found.append(probe.recv(4096)[8:11])
        except BlockingIOError:
            return found


@pytest.mark.load
@STATISTICAL
@pytest.mark.parametrize("spread", ["evenly", "to one worker"])
def test_the_sum_over_two_workers_is_the_rate(start_appliance: Callable[..., Appliance], spread: str) -> None:
    limit = f"rate-limit probes\n  of requests\n  per source\n  rate {RATE}\n  burst 50\n!\n"
    appliance = start_appliance(limit, workers=2)
    control = Control(appliance.state)
    # One Call-ID for all has one owner; its branches differ, so each is a request of its own.
    mark = f"{time.monotonic_ns():x}"
    call_ids: Callable[[int], str] = lambda number: f"{mark}-{number}"  # noqa: E731
    if spread == "to one worker":
        control.ask("drain worker", number=1)
    passed, refused = offer(appliance, call_ids, SECONDS)
    assert abs(passed - RATE * SECONDS) <= TOLERANCE * RATE * SECONDS, (passed, refused)
    assert abs(passed + refused - OFFERED * SECONDS) <= TOLERANCE * OFFERED * SECONDS
    raised = [alarm["subject"] for alarm in control.ask("show alarms")["alarms"]]
    assert "rate-limit probes" in raised
    row = control.ask("show rate-limits")["limits"][0]
    assert row["exceeded"] >= refused and row["hit"][0]["key"] == LOOPBACK


def test_beyond_the_rate_is_refused_and_shown(start_appliance: Callable[..., Appliance]) -> None:
    """A burst passes, the next requests are answered 503, and the operator sees the limit and the source."""
    appliance = start_appliance("rate-limit probes\n  of requests\n  per source\n  rate 1\n  burst 4\n!\n", workers=2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((LOOPBACK, 0))
        probe.connect((appliance.address, appliance.port))
        probe.settimeout(60.0)
        answers = []
        for number in range(20):
            probe.send(options(appliance, probe.getsockname()[1], f"few-{time.monotonic_ns():x}-{number}"))
            answers.append(probe.recv(4096)[8:11])
    assert answers[0] == b"200" and b"503" in answers
    control = Control(appliance.state)
    wait_until(lambda: control.ask("show rate-limits")["limits"][0]["exceeded"], "the refusals are shown")
    row = control.ask("show rate-limits")["limits"][0]
    assert row["hit"][0]["key"] == LOOPBACK


def test_the_built_in_limits_are_shown_and_spare_loopback(start_appliance: Callable[..., Appliance]) -> None:
    appliance = start_appliance(workers=1)
    control = Control(appliance.state)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((LOOPBACK, 0))
        probe.connect((appliance.address, appliance.port))
        probe.settimeout(60.0)
        for number in range(10):
            probe.send(options(appliance, probe.getsockname()[1], f"spared-{time.monotonic_ns():x}-{number}"))
            assert probe.recv(4096)[8:11] == b"200"
    rows = control.ask("show rate-limits")["limits"]
    assert [(row["name"], row["rate_per_s"], row["passed"]) for row in rows] == [
        ("default-requests", 500, 0), ("default-registrations", 100, 0),
    ]  # fmt: skip
