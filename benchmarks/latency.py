"""Latency: from a request to the reply that is waited for, by our own client, at a fixed rate.

Requests go out by the clock, whether or not earlier ones were answered. A request's time is taken just before it is
sent, a reply's time is the kernel's (SO_TIMESTAMPNS): so neither the client's own work nor its waiting for the
processor counts. What the callee took between the INVITE's arrival and its own 180 is taken off.
"""

from __future__ import annotations

import gc
import select
import socket
import struct
import time
from typing import Protocol

from benchmarks.cases import Case
from benchmarks.figures import percentile
from benchmarks.processes import LOOPBACK, BenchmarkFailed
from benchmarks.user_agents import Callee, Caller, Phone

SO_TIMESTAMPNS = 35
ANCILLARY_OCTETS = 64
DATAGRAM_OCTETS = 65535
BUFFER_OCTETS = 4 << 20
GRACE_S = 5.0
NS_PER_S = 1_000_000_000
USERS = 1000


class UserAgent(Protocol):
    """Who sends requests and waits for replies."""

    def request(self, number: int) -> tuple[bytes, bytes]: ...

    def receive(self, datagram: bytes) -> tuple[bytes, int, bool, list[bytes]]: ...


class Times:
    """When each request was sent and its reply came, by Call-ID, in nanoseconds; a reply is the first of its status."""

    def __init__(self, status: int) -> None:
        self._status = status
        self._sent: dict[bytes, int] = {}
        self._callee_took: dict[bytes, int] = {}
        self._open: set[bytes] = set()
        self.latencies_us: list[float] = []

    @property
    def open(self) -> int:
        """Units that are not over."""
        return len(self._open)

    def request_sent(self, call_id: bytes, at_ns: int) -> None:
        self._sent[call_id] = at_ns
        self._open.add(call_id)

    def callee_answered(self, call_id: bytes, took_ns: int) -> None:
        """The first answer of the callee counts."""
        self._callee_took.setdefault(call_id, took_ns)

    def reply_arrived(self, call_id: bytes, status: int, is_over: bool, at_ns: int) -> None:
        """Raises BenchmarkFailed for a refusal."""
        if status >= 300:
            raise BenchmarkFailed(f"a request was answered {status}")
        if status == self._status and call_id in self._sent:
            passed = at_ns - self._sent.pop(call_id) - self._callee_took.pop(call_id, 0)
            self.latencies_us.append(passed / 1000)
        if is_over:
            self._open.discard(call_id)


def measure_latency(case: Case, port: int, contact_port: int, seconds: float) -> dict[str, float]:
    """p50 and p99 in microseconds. Raises BenchmarkFailed when a request was refused or not answered."""
    run = f"{time.time_ns():x}"
    with _open_socket(0) as door, _open_socket(contact_port) as callee_door:
        door.connect((LOOPBACK, port))
        own_port: int = door.getsockname()[1]
        agent = Caller(own_port, USERS, run) if case.is_call else Phone(own_port, USERS, run, contact_port)
        times = Times(180 if case.is_call else 200)
        client = Client(agent, door, Callee(contact_port), callee_door, times)
        client.send_all(case.rate, round(case.rate * seconds))
    latencies = times.latencies_us
    return {"p50_us": percentile(latencies, 0.50), "p99_us": percentile(latencies, 0.99)}


class Client:
    """The loop around a user agent and the callee it reaches."""

    def __init__(
        self, agent: UserAgent, door: socket.socket, callee: Callee, callee_door: socket.socket, times: Times
    ) -> None:
        self._agent = agent
        self._door = door
        self._callee = callee
        self._callee_door = callee_door
        self._times = times

    def send_all(self, rate: int, units: int) -> None:
        """Send the requests by the clock, and wait for the last reply. Raises BenchmarkFailed."""
        # A collection in the middle would be taken for the latency of a callee.
        gc.disable()
        try:
            begun = time.monotonic()
            for number in range(units):
                self._serve_until(begun + number / rate)
                call_id, request = self._agent.request(number)
                self._times.request_sent(call_id, time.time_ns())
                self._door.send(request)
            self._wait_for_last()
        finally:
            gc.enable()
        if self._times.open or len(self._times.latencies_us) != units:
            raise BenchmarkFailed(f"{self._times.open} of {units} requests were not answered")

    def _wait_for_last(self) -> None:
        deadline = time.monotonic() + GRACE_S
        while self._times.open and time.monotonic() < deadline:
            self._serve_until(time.monotonic() + 0.05)

    def _serve_until(self, deadline: float) -> None:
        """Answer what comes in until it is time for the next request."""
        while (left := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select((self._callee_door, self._door), (), (), left)
            if self._callee_door in ready:
                self._serve_callee()
            if self._door in ready:
                self._serve_agent()

    def _serve_callee(self) -> None:
        datagram, arrived_ns, sender = _receive(self._callee_door)
        call_id, responses = self._callee.receive(datagram)
        for response in responses:
            self._times.callee_answered(call_id, time.time_ns() - arrived_ns)
            self._callee_door.sendto(response, sender)

    def _serve_agent(self) -> None:
        datagram, arrived_ns, _ = _receive(self._door)
        call_id, status, is_over, requests = self._agent.receive(datagram)
        self._times.reply_arrived(call_id, status, is_over, arrived_ns)
        for request in requests:
            self._door.send(request)


def _open_socket(port: int) -> socket.socket:
    door = socket.socket(type=socket.SOCK_DGRAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_OCTETS)
    door.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    door.bind((LOOPBACK, port))
    return door


def _receive(door: socket.socket) -> tuple[bytes, int, tuple[str, int]]:
    """A datagram, when the kernel had it (nanoseconds since 1970), and where it came from."""
    datagram, ancillary, _, sender = door.recvmsg(DATAGRAM_OCTETS, ANCILLARY_OCTETS)
    for _, kind, octets in ancillary:
        if kind == SO_TIMESTAMPNS:
            seconds, ns = struct.unpack("qq", octets[:16])
            return datagram, seconds * NS_PER_S + ns, sender
    raise BenchmarkFailed("the kernel gave no time of arrival")
