"""Real softphones through two workers: register with digest, call, talk, hang up (RFC 3261, RFC 7616, RFC 8760)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.live.appliance import Appliance
from tests.live.baresip import Baresip
from tests.live.linphone import Linphone
from tests.live.processes import Processes, wait_until

PASSWORDS = {"alice": "wonderland-1", "bob": "builder-2"}


def phones_welcome(start_appliance: Callable[..., Appliance], *digest: str) -> tuple[Appliance, str]:
    """An appliance that asks for passwords, and knows alice and bob; and the address that phones are told."""
    appliance = start_appliance("domain 127.0.0.1", ("authenticate",), digest=digest)
    for name, password in PASSWORDS.items():
        appliance.add_subscriber(name, password)
    return appliance, f"{appliance.address}:{appliance.port}"


def assert_one_call(appliance: Appliance) -> None:
    counters = appliance.counters()
    assert (counters["calls-started"], counters["calls-answered"], counters["calls-failed"]) == (1, 1, 0)
    assert counters["authentication-failed"] == 0
    assert {name: count for name, count in counters.items() if name.startswith("dropped") and count} == {}


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_baresip_registers_calls_talks_and_hangs_up(
    processes: Processes, start_appliance: Callable[..., Appliance], transport: str
) -> None:
    """It knows MD5 only, and fails at a challenge that names another algorithm as well."""
    appliance, server = phones_welcome(start_appliance, "algorithm md5")
    alice, bob = (Baresip(processes, name, server, PASSWORDS[name], transport) for name in ("alice", "bob"))
    bob.start()
    wait_until(lambda: appliance.registrations() == 1, "bob is registered")
    alice.start(dial=f"sip:bob@{server}", talk_s=6)
    bob.wait_until_it_says("Call established")
    alice.wait_until_it_says("Call established")
    alice.wait_until_it_says("incoming rtp for 'audio' established")
    bob.wait_until_it_says("terminated (duration")
    assert alice.process is not None and alice.process.wait(60.0) == 0
    wait_until(lambda: appliance.registrations() == 1, "alice has unregistered")
    assert_one_call(appliance)


def test_linphonec_registers_calls_talks_and_hangs_up(
    processes: Processes, start_appliance: Callable[..., Appliance]
) -> None:
    """It takes SHA-256, which is offered first (RFC 8760 2.4)."""
    appliance, server = phones_welcome(start_appliance)
    alice, bob = Linphone(processes, "alice"), Linphone(processes, "bob", auto_answer=True)
    for phone in (alice, bob):
        phone.register("127.0.0.1", server, PASSWORDS[phone.name])
    assert appliance.registrations() == 2
    alice.type(f"call sip:bob@{server}")
    for phone in (alice, bob):
        phone.wait_until_it_says("to LinphoneCallStreamsRunning")
        phone.wait_until_it_hears()
    alice.type("terminate")
    for phone in (alice, bob):
        phone.wait_until_it_says("to LinphoneCallReleased")
        phone.type("quit")
    wait_until(lambda: appliance.registrations() == 0, "both have unregistered")
    assert_one_call(appliance)
    assert "algorithm=SHA-256" in alice.process.text()


def test_baresip_calls_linphonec_over_another_transport(
    processes: Processes, start_appliance: Callable[..., Appliance]
) -> None:
    """Two makes of phone, one on TCP and one on UDP, perhaps on two workers (RFC 5658)."""
    appliance, server = phones_welcome(start_appliance, "algorithm md5")
    bob = Linphone(processes, "bob", auto_answer=True)
    bob.register("127.0.0.1", server, PASSWORDS["bob"])
    alice = Baresip(processes, "alice", server, PASSWORDS["alice"], "tcp")
    alice.start(dial=f"sip:bob@{server}", talk_s=6)
    bob.wait_until_it_says("to LinphoneCallStreamsRunning")
    alice.wait_until_it_says("Call established")
    bob.wait_until_it_says("to LinphoneCallReleased")
    bob.type("quit")
    assert_one_call(appliance)
