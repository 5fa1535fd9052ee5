"""Strangers that send by TCP as fast as the appliance takes it: no worker is ended for being silent, and a phone on
another connection stays connected and is answered (RFC 3261 18.3: a stream is read message by message)."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.appliance import Appliance
from tests.live.machine import within
from tests.live.processes import Processes, wait_until

START = Callable[..., Appliance]
FLOOD = Path(__file__).with_name("stream_flood.py")
PHONE = "127.0.0.2"
FLOOD_OCTETS = 20_000_000
FLOOD_S = 6
FULL_OCTETS = 200_000_000
FULL_S = 20
ANSWERED_WITHIN_S = within(2.0)
# Where others may take the machine for a while: answered at all.
ANSWERED_S = 60.0
PAUSE_S = 0.05


def options(number: int) -> bytes:
    """What a phone sends to see whether its connection still works."""
    return (
        f"OPTIONS sip:signalbox.test SIP/2.0\r\nVia: SIP/2.0/TCP {PHONE};branch=z9hG4bKphone{number}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:bob@signalbox.test>;tag=1\r\nTo: <sip:signalbox.test>\r\n"
        f"Call-ID: phone-{number}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def ask(phone: socket.socket, number: int) -> float:
    """Send one OPTIONS and read its answer, whatever it is; how long that took."""
    begun = time.monotonic()
    phone.sendall(options(number))
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = phone.recv(65536)
        assert part, "the phone has lost its connection"
        answer += part
    assert f"Call-ID: phone-{number}\r\n".encode() in answer
    return time.monotonic() - begun


@pytest.mark.parametrize("connections", [1, 20])
@pytest.mark.parametrize("reads", [True, False])
def test_a_flood_by_tcp_ends_no_worker(
    processes: Processes, start_appliance: START, connections: int, reads: bool
) -> None:
    flood_beside_a_phone(processes, start_appliance, connections, FLOOD_OCTETS, FLOOD_S, reads, ANSWERED_S)


@pytest.mark.load
@pytest.mark.parametrize("connections", [1, 20, 400])
@pytest.mark.parametrize("reads", [True, False])
def test_a_flood_by_tcp_at_full_strength_ends_no_worker(
    processes: Processes, start_appliance: START, connections: int, reads: bool
) -> None:
    flood_beside_a_phone(processes, start_appliance, connections, FULL_OCTETS, FULL_S, reads, ANSWERED_WITHIN_S)


def flood_beside_a_phone(
    processes: Processes,
    start_appliance: START,
    connections: int,
    octets: int,
    seconds: int,
    reads: bool,
    answered_within_s: float,
) -> None:
    """Both workers live on, and a phone that was connected before is answered all the time."""
    appliance = start_appliance(listener=("authenticate",))
    with socket.create_connection((appliance.address, appliance.port), source_address=(PHONE, 0)) as phone:
        phone.settimeout(ANSWERED_S)
        ask(phone, 0)
        phone.settimeout(answered_within_s)
        argv = [sys.executable, str(FLOOD), appliance.address, str(appliance.port)]
        flood = processes.start("flood", [*argv, *map(str, (connections, octets, seconds, int(reads)))])
        number = 0
        while flood.is_running:
            number += 1
            ask(phone, number)
            time.sleep(PAUSE_S)
        assert flood.wait(60) == 0, flood.text()
        assert int(flood.text().split()[0]) > 0
        ask(phone, number + 1)
        wait_until(lambda: len(appliance.status()["workers"]) == 2, "both workers are told of")
        assert [worker["restarts"] for worker in appliance.status()["workers"]] == [0, 0]
