"""SIPp scenarios that others wrote for their proxy, caller against callee through ours (corpora/sipp-drachtio)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.appliance import Appliance
from tests.live.processes import Processes, wait_until
from tests.live.sipp import Sipp, call, register, start_callee

ROOT = Path(__file__).resolve().parents[2]
CORPORA = Path(os.environ.get("SIP_CORPORA", ROOT.parent / "shared" / "corpora"))
SCENARIOS = CORPORA / "sipp-drachtio" / "test" / "scenarios"

pytestmark = pytest.mark.skipif(
    not SCENARIOS.is_dir(), reason=f"{SCENARIOS} is not there; SIP_CORPORA names the folder of test material"
)

# Callee, caller, transport. Left out is what needs a user agent in the proxy's place (session timers, outbound routes),
# and what no proxy can do right: callees that give an INVITE's answer one Via only, or cannot take a re-INVITE.
PAIRS = [
    ("uas-success", "uac", "udp"),
    ("uas-success", "uac", "tcp"),
    ("uas-fail-486", "uac-expect-486", "udp"),
    ("uas-success", "uac-preloaded-route", "udp"),
    ("uas-success", "uac-utf8", "udp"),
    ("uas-183-180-200", "uac", "udp"),
    ("uas-success", "uac-long-sdp", "udp"),
    ("uas-success", "uac-long-uri", "udp"),
]


@pytest.mark.parametrize(("callee", "caller", "transport"), PAIRS)
def test_pair(
    processes: Processes, shared_appliance: Callable[..., Appliance], callee: str, caller: str, transport: str
) -> None:
    """Each side sees what its scenario says."""
    appliance = shared_appliance()
    phone = start_callee(processes, SCENARIOS / f"{callee}.xml", user="service", transport=transport)
    calling = SCENARIOS / f"{caller}.xml"
    register(processes, appliance, called_user(calling), phone.contact, transport=transport)
    call(processes, appliance, calling, user="service", transport=transport)
    phone.succeed()


@pytest.mark.parametrize("caller", ["uac-invalid-uri-user", "uac-spammer-ack-crash", "register-bad-contact"])
def test_bad_input(processes: Processes, shared_appliance: Callable[..., Appliance], caller: str) -> None:
    """Whichever refusal the scenario hopes for, it gets one at once, and no worker ends."""
    appliance = shared_appliance()
    workers = appliance.worker_pids()
    before = appliance.counters()
    Sipp(processes, SCENARIOS / f"{caller}.xml", user="service", proxy=appliance, timeout_s=5).process.wait(10)
    after = appliance.counters()
    assert after["requests-received"] > before["requests-received"]
    assert any(after.get(name, 0) > before.get(name, 0) for name in ("responses-sent", "dropped-malformed"))
    register(processes, appliance, "service", "sip:service@127.0.0.1:5070")
    assert appliance.worker_pids() == workers


def test_everything_is_unregistered(processes: Processes, shared_appliance: Callable[..., Appliance]) -> None:
    """RFC 3261 10.2.2: `Contact: *`."""
    appliance = shared_appliance()
    register(processes, appliance, "service", "sip:service@127.0.0.1:5070")
    Sipp(processes, SCENARIOS / "uac-register-with-star-in-contact.xml", user="service", proxy=appliance).succeed()
    wait_until(lambda: appliance.registrations() == 0, "no worker knows the contact")


def called_user(scenario: Path) -> str:
    """Whom a caller calls."""
    found = re.search(r"INVITE sip:([^@]+)@", scenario.read_text(encoding="utf-8"))
    assert found is not None
    return found[1].replace("[service]", "service")
