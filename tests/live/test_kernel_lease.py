"""Leases in the kernel, in a network namespace, as root: what a lease is, and what a process does too late."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.live.lease_namespaces import need_namespaces

PREAMBLE = """
import time
from appliance.cluster.leases.fence_rules import put_up_fence
from appliance.cluster.leases.kernel_lease import TICKET_MS, KernelLease, LeaseResult
A = ("10.77.0.50/24", "fd77::50/64")
put_up_fence(A)
pauses = []
def clock():
    now = time.monotonic()
    # Held up after the clock was read.
    time.sleep(pauses.pop() if pauses else 0)
    return now
lease, now = KernelLease(clock), time.monotonic
"""


@pytest.fixture
def namespace() -> Iterator[str]:
    need_namespaces()
    name = f"sbx{os.getpid()}-kernel"
    subprocess.run(["ip", "netns", "add", name], check=True)
    yield name
    subprocess.run(["ip", "netns", "del", name], check=True)


def outcome(namespace: str, program: str) -> list[str]:
    argv = ["ip", "netns", "exec", namespace, sys.executable, "-c", PREAMBLE + program]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_lease_that_ended_is_not_renewed_but_opened(namespace: str) -> None:
    program = """
print(lease.open(1, A, now() + 0.1).name, lease.renew(1, A, now() + 0.1).name)
time.sleep(0.2)
print(lease.renew(1, A, now() + 0.1).name, lease.open(1, A, now() + 0.1).name)
lease.close(A)
print(lease.renew(1, A, now() + 0.1).name)
"""
    assert outcome(namespace, program) == ["OPEN", "OPEN", "LAPSED", "OPEN", "LAPSED"]


def test_without_authority_nothing_is_opened(namespace: str) -> None:
    assert outcome(namespace, "print(lease.open(1, A, now()).name, lease.open(1, A, now() - 5).name)") == ["LATE"] * 2


def test_a_process_that_was_held_up_after_it_read_the_clock_writes_no_lease(namespace: str) -> None:
    program = """
pauses[:] = [0.1] * 3
print(lease.open(1, A, now() + 5).name, lease.late)
print(lease.renew(1, A, now() + 5).name)
lease.open(1, A, now() + 5)
pauses[:] = [0.1]
print(lease.renew(1, A, now() + 5).name, lease.late)
"""
    assert outcome(namespace, program) == ["LATE", "3", "LAPSED", "OPEN", "4"]


def test_the_fence_is_closed_by_default_for_both_families(namespace: str) -> None:
    program = """
import socket, subprocess
for word in ("link set lo up", "addr add 10.77.0.50/24 dev lo", "addr add fd77::50/64 dev lo nodad"):
    subprocess.run(["ip", *word.split()], check=True)
def answers(family, address):
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        one.settimeout(0.2)
        one.bind((address, 5060))
        try:
            one.sendto(b"x", (address, 5060))
            return bool(one.recv(1))
        except OSError:
            return False
def both():
    return answers(socket.AF_INET, "10.77.0.50"), answers(socket.AF_INET6, "fd77::50")
print(*both())
lease.open(1, A, now() + 5)
print(*both())
lease.close(A)
print(*both())
"""
    assert outcome(namespace, program) == ["False", "False", "True", "True", "False", "False"]


def test_an_address_is_reached_as_soon_as_it_was_added(namespace: str) -> None:
    """The kernel makes the route of an IPv6 address later, in a thread of its own."""
    program = """
import socket, subprocess
from appliance.cluster.leases.interface_addresses import InterfaceAddresses
for word in ("link set lo up", "link add eth0 type veth peer other", "link set eth0 up", "link set other up"):
    subprocess.run(["ip", *word.split()], check=True)
interface, reached = InterfaceAddresses(), 0
lease.open(1, A, now() + 60)
for _ in range(50):
    interface.add("eth0", A, 2)
    for family, address in ((socket.AF_INET, "10.77.0.50"), (socket.AF_INET6, "fd77::50")):
        with socket.socket(family, socket.SOCK_DGRAM) as one:
            one.bind((address, 5060))
            one.sendto(b"x", (address, 5060))
            reached += len(one.recv(1))
    interface.remove("eth0", A)
shown = subprocess.run(["ip", "route", "show", "table", "local"], capture_output=True, text=True).stdout
shown += subprocess.run(["ip", "-6", "route", "show", "table", "local"], capture_output=True, text=True).stdout
print(reached, "10.77.0.50" in shown, "fd77::50" in shown)
"""
    assert outcome(namespace, program) == ["100", "False", "False"]
