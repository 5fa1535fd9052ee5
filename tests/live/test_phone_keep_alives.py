"""Keep-alives of the registrar to real phones: who answers stays, and who has gone loses its contact (RFC 3261 11)."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from tests.live.appliance import Appliance
from tests.live.baresip import Baresip
from tests.live.phones import Phone
from tests.live.processes import Processes, wait_until

SETTINGS = """domain 127.0.0.1
registrar
  keepalive options
  keepalive-interval 5
  keepalive-failures 2
!
timers
  t1 100
  t2 400
!
"""
GIVE_UP_S = 120.0


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_softphone_that_was_killed_loses_its_contact_and_another_one_stays(
    processes: Processes, start_appliance: Callable[..., Appliance], transport: str
) -> None:
    """baresip answers OPTIONS by itself."""
    appliance = start_appliance(SETTINGS, workers=2)
    server = f"{appliance.address}:{appliance.port}"
    alice, bob = (Baresip(processes, name, server, "any", transport) for name in ("alice", "bob"))
    alice.start()
    bob.start()
    wait_until(lambda: appliance.registrations() == 2, "both are registered", GIVE_UP_S)
    wait_until(lambda: appliance.counters()["keepalives-answered"] >= 4, "both have answered", GIVE_UP_S)
    assert "OPTIONS sip:alice" in alice.text()
    assert appliance.counters()["keepalives-unanswered"] == 0
    assert bob.process is not None
    os.kill(bob.process.pid, signal.SIGKILL)
    wait_until(lambda: appliance.registrations() == 1, "bob's contact is removed", GIVE_UP_S)
    answered = appliance.counters()["keepalives-answered"]
    wait_until(lambda: appliance.counters()["keepalives-answered"] >= answered + 3, "alice goes on", GIVE_UP_S)
    counters = appliance.counters()
    assert appliance.registrations() == 1
    assert counters["keepalive-contacts-removed"] == 1
    assert counters["dropped-malformed"] == 0


def test_a_phone_that_is_silent_loses_its_contact_by_the_timeout(start_appliance: Callable[..., Appliance]) -> None:
    """Its socket is open, so no error comes back."""
    appliance = start_appliance(SETTINGS, workers=2)
    with Phone(appliance, "silent") as silent, Phone(appliance, "talker") as talker:
        silent.register()
        talker.register()

        def is_alone() -> bool:
            talker.answer(talker.expect("OPTIONS", GIVE_UP_S), 404, "Not Found")
            return appliance.counters()["keepalive-contacts-removed"] == 1

        wait_until(is_alone, "the silent one is gone", GIVE_UP_S)
        assert appliance.registrations() == 1
        silent.expect("OPTIONS")
