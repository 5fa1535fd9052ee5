"""Signalbox beside another proxy: Kamailio as the next hop, and as the previous hop (RFC 3261 16.6, 16.12)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.live.appliance import Appliance
from tests.live.kamailio import Kamailio
from tests.live.processes import Processes
from tests.live.sipp import Sipp, register, start_callee

START = Callable[..., Appliance]
Scenario = tuple[str, ...]
# Kamailio's processes may send a 200 before the 180 that came before it, if that was only just before.
PAIRS = [
    ("caller", ("callee-rings-long", "-d", "300")),
    ("caller-486", ("callee-busy",)),
    ("caller-cancels", ("callee-rings",)),
]


def place_calls(processes: Processes, scenario: str, proxy: object, domain: str, calls: int = 3) -> None:
    """Calls to bob at a domain, by way of a proxy that need not be its own."""
    caller = Sipp(processes, scenario, proxy=proxy, calls=calls, keys={"domain": domain})  # type: ignore[arg-type]
    caller.succeed()


@pytest.mark.parametrize(("calling", "called"), PAIRS, ids=[calling for calling, _ in PAIRS])
def test_kamailio_is_the_next_hop(
    processes: Processes, shared_appliance: START, calling: str, called: Scenario
) -> None:
    """caller - Signalbox - Kamailio - callee: a foreign domain is relayed, both proxies stay on the way."""
    appliance = shared_appliance("", ["relay any"])
    kamailio = Kamailio(processes, "127.0.0.2")
    callee = start_callee(processes, *called, calls=3)
    register(processes, kamailio, "bob", callee.contact)
    place_calls(processes, calling, appliance, f"{kamailio.address}:{kamailio.port}")
    callee.succeed()


@pytest.mark.parametrize(("calling", "called"), PAIRS, ids=[calling for calling, _ in PAIRS])
def test_kamailio_is_the_previous_hop(
    processes: Processes, shared_appliance: START, calling: str, called: Scenario
) -> None:
    """caller - Kamailio - Signalbox - callee: a trusted peer is not asked for a password."""
    appliance = shared_appliance("", ["authenticate", "peer 127.0.0.2", "peer 127.0.0.1"])
    kamailio = Kamailio(processes, next_hop=f"sip:{appliance.address}:{appliance.port}")
    callee = start_callee(processes, *called, calls=3)
    register(processes, appliance, "bob", callee.contact)
    place_calls(processes, calling, kamailio, appliance.domain)
    callee.succeed()


def test_nothing_is_relayed_for_a_stranger(processes: Processes, start_appliance: START) -> None:
    """RFC 3261 26.1: the appliance is no open relay unless it is told so."""
    appliance = start_appliance("", ["relay none"])
    kamailio = Kamailio(processes, "127.0.0.2")
    place_calls(processes, "caller-403", appliance, f"{kamailio.address}:{kamailio.port}", 1)
    assert appliance.counter("relays-refused") == 1
