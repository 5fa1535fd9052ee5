"""Calls between SIPp phones: set up, refused, taken back, forked, over UDP and TCP, and with loss (RFC 3261)."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

import pytest

from tests.live.appliance import DOMAIN, Appliance
from tests.live.kamailio import Kamailio
from tests.live.processes import LOOPBACK, Processes
from tests.live.sipp import Proxy, Sipp, call, register, start_callee

# To see whether a scenario is right: SIGNALBOX_LIVE_AGAINST=kamailio runs it through Kamailio instead.
IS_AGAINST_KAMAILIO = os.environ.get("SIGNALBOX_LIVE_AGAINST") == "kamailio"
TRANSPORTS = ("udp", "tcp")


@pytest.fixture
def proxy(processes: Processes, shared_appliance: Callable[..., Appliance]) -> Proxy:
    """A registrar and proxy with two workers that asks for no password and gives an unanswered call up soon."""
    if IS_AGAINST_KAMAILIO:
        return Kamailio(processes, DOMAIN, LOOPBACK, ring_ms=2000)
    return shared_appliance("timers\n  t1 50\n  c 2\n!")


def callee_registered(
    processes: Processes, proxy: Proxy, scenario: str = "callee", *options: str, transport: str = "udp", calls: int = 1
) -> Sipp:
    """Bob's phone: waits for calls, and is registered."""
    callee = start_callee(processes, scenario, *options, transport=transport, calls=calls)
    register(processes, proxy, "bob", callee.contact, transport=transport)
    return callee


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_call_is_set_up_and_ended(processes: Processes, proxy: Proxy, transport: str) -> None:
    """RFC 3665 3.2: both sides stay with their proxy by Record-Route until the BYE."""
    callee = callee_registered(processes, proxy, transport=transport, calls=5)
    call(processes, proxy, transport=transport, calls=5)
    callee.succeed()


def test_a_call_changes_its_transport_on_the_way(processes: Processes, proxy: Proxy) -> None:
    """RFC 5658: two Record-Routes, so that each side is reached by its own transport."""
    callee = callee_registered(processes, proxy, transport="tcp", calls=3)
    call(processes, proxy, transport="udp", calls=3)
    callee.succeed()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_busy_callee_is_heard(processes: Processes, proxy: Proxy, transport: str) -> None:
    """RFC 3665 3.7: the 486 goes end to end, its ACK hop by hop."""
    callee = callee_registered(processes, proxy, "callee-busy", transport=transport)
    call(processes, proxy, "caller-486", transport=transport)
    callee.succeed()


def test_a_callee_who_is_not_registered(processes: Processes, proxy: Proxy) -> None:
    """RFC 3261 16.5: a user of ours without a binding is temporarily unavailable."""
    if isinstance(proxy, Appliance):
        call(processes, proxy, "caller-404")
        proxy.add_subscriber("bob", "wonderland")
    register(processes, proxy, "bob", f"sip:bob@{LOOPBACK}:9")
    register(processes, proxy, "bob", f"sip:bob@{LOOPBACK}:9", expires_s=0)
    call(processes, proxy, "caller-480")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_ringing_call_is_taken_back(processes: Processes, proxy: Proxy, transport: str) -> None:
    """RFC 3665 3.8: CANCEL hop by hop, 487 end to end."""
    callee = callee_registered(processes, proxy, "callee-rings", transport=transport, calls=3)
    call(processes, proxy, "caller-cancels", transport=transport, calls=3)
    callee.succeed()


def test_a_call_is_answered_while_it_is_taken_back(processes: Processes, proxy: Proxy) -> None:
    """RFC 5407 3.1.2: a 200 that crosses the CANCEL wins."""
    callee = callee_registered(processes, proxy, "callee-answers-late", calls=3)
    call(processes, proxy, "caller-cancels-late", calls=3)
    callee.succeed()


def test_a_call_without_an_answer_is_given_up(processes: Processes, proxy: Proxy) -> None:
    """RFC 3261 16.8: timer C takes the ringing branch back."""
    callee = callee_registered(processes, proxy, "callee-rings")
    call(processes, proxy, "caller-given-up")
    callee.succeed()


def test_a_phone_that_says_nothing_is_given_up(processes: Processes, proxy: Proxy) -> None:
    """RFC 3261 17.1.1.2: timer B, 64 times T1; the caller gets 408."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((LOOPBACK, 0))
        register(processes, proxy, "bob", f"sip:bob@{LOOPBACK}:{silent.getsockname()[1]}")
        call(processes, proxy, "caller-408")


def test_a_call_rings_at_two_phones_and_one_answers(processes: Processes, proxy: Proxy) -> None:
    """RFC 3261 16.7 step 10: the branch that is not answered is cancelled."""
    ringing = callee_registered(processes, proxy, "callee-rings")
    answering = callee_registered(processes, proxy)
    call(processes, proxy)
    answering.succeed()
    ringing.succeed()


def test_a_busy_phone_does_not_stop_another_one(processes: Processes, proxy: Proxy) -> None:
    """RFC 3261 16.7 step 6: no final response is the best one while a branch is open."""
    busy = callee_registered(processes, proxy, "callee-busy")
    answering = callee_registered(processes, proxy)
    call(processes, proxy)
    busy.succeed()
    answering.succeed()


def test_calls_succeed_over_a_network_that_loses_messages(
    processes: Processes, start_appliance: Callable[..., Appliance]
) -> None:
    """RFC 3261 17: retransmissions mend a loss of one message in twenty at both ends; no end gives up after 2 s."""
    proxy = start_appliance()
    callee_registered(processes, proxy, "callee-lossy", "-lost", "5", calls=40)
    call(processes, proxy, "caller", "-lost", "5", calls=40)
