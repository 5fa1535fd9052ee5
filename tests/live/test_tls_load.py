"""TLS under load: certificates that change a thousand times, handshakes by the thousand that are never finished.

Small sizes run with the other live tests; the full ones are load tests.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.processes import PRIVATE_PAGES, resident_bytes
from benchmarks.servers import DOMAIN
from tests.live.appliance import Appliance
from tests.live.control import Control
from tests.live.machine import STATISTICAL, rate
from tests.live.processes import LOOPBACK, Process, Processes, wait_until
from tests.live.sipp import Sipp, register, start_callee
from tests.live.test_floods import open_connections
from tests.live.test_tls import SecureAppliance, answers

START = Callable[..., Appliance]
Record = Callable[[str, Any], None]
FULL = (pytest.mark.load, STATISTICAL)

ROOT = Path(__file__).resolve().parents[2]
PHONES = "tests.live.secure_phone_load"
MANY_PHONES = "tests.live.many_secure_phones"
PHONES_PER_S = rate(10)
GROWTH_MAX = 1 << 20

FLOOD = Path(__file__).with_name("handshake_flood.py")
CALLS_PER_S = {200: rate(20), 5000: rate(100)}
CALLS_WHILE_HELD = {200: 50, 5000: 1000}
# More than there are: they go on until they are ended.
CALLS_MAX = 100_000
GIVE_UP_S = 300
HANDSHAKE_MAX = 64 << 10
CALLS_MEMORY_MAX = 16 << 20


def private_bytes(appliance: Appliance) -> int:
    """Memory of the workers that is their own."""
    return sum(resident_bytes(pid, PRIVATE_PAGES) for pid in appliance.worker_pids())


class Renewals:
    """Certificates that take turns in the files of a listener."""

    def __init__(self, secure: SecureAppliance, control: Control, phones: Process) -> None:
        self._secure = secure
        self._control = control
        self._phones = phones
        self._text = control.ask("show running-config")["text"]
        self._count = 0
        self._pairs = [secure.authority.issue(name, f"DNS:signalbox.test,IP:{LOOPBACK}") for name in ("one", "two")]

    def renew(self, count: int) -> None:
        """Replace it so many times. A connection that is opened after has the new one, and no phone has failed."""
        for _ in range(count):
            self._count += 1
            self._secure.put(*self._pairs[self._count % 2])
            self._control.commit(f"{self._text}banner Certificate-{self._count}\n")
            with self._secure.dial() as end:
                shown = end.getpeercert(binary_form=True)
                assert shown == self._secure.served(), f"after {self._count} renewals the former one is served"
                assert answers(end, f"renewal{self._count}")
            assert self._phones.is_running, self._phones.text()


@pytest.mark.parametrize(("warm_up", "count"), [(2, 20), pytest.param(200, 1000, marks=FULL)])
def test_certificates_are_renewed_under_load(
    processes: Processes, tmp_path: Path, start_appliance: START, warm_up: int, count: int, record_property: Record
) -> None:
    """Phones register, call each other and connect meanwhile: nothing fails, and nothing is left of the former ones."""
    secure = SecureAppliance(tmp_path, start_appliance, settings=f"domain {DOMAIN}\n")
    argv = [sys.executable, "-m", PHONES, str(secure.port), str(PHONES_PER_S)]
    phones = processes.start("phones", argv, {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": ""}, subprocess.PIPE)
    wait_until(lambda: "ready" in phones.text() or not phones.is_running, "the phones are registered")
    with Control(secure.appliance.state) as control:
        renewals = Renewals(secure, control, phones)
        renewals.renew(warm_up)
        before = private_bytes(secure.appliance)
        renewals.renew(count)
        growth = private_bytes(secure.appliance) - before
    phones.type("")
    assert phones.wait(60) == 0, phones.text()
    units = int(phones.text().split()[-1])
    record_property("renewals", count)
    record_property("calls", units)
    record_property("growth of the workers, KiB", growth >> 10)
    counters = secure.appliance.counters()
    assert (counters["calls-answered"], counters["calls-failed"], counters["handshakes-failed"]) == (units, 0, 0)
    assert [worker["restarts"] for worker in secure.appliance.status()["workers"]] == [0, 0]
    if count == 1000:
        assert growth < GROWTH_MAX


@pytest.mark.parametrize(
    ("count", "calls_per_s", "seconds"), [(200, rate(10), 10), pytest.param(10_000, rate(100), 60, marks=FULL)]
)
def test_phones_keep_their_connections_and_call_each_other(
    tmp_path: Path,
    processes: Processes,
    start_appliance: START,
    count: int,
    calls_per_s: int,
    seconds: int,
    record_property: Record,
) -> None:
    """Each registers again within a minute, by its connection, while half of them call the others: none is lost."""
    limits = f"limits\n  connections {2 * count}\n  connection per-source {2 * count}\n!\n"
    secure = SecureAppliance(tmp_path, start_appliance, settings=f"domain {DOMAIN}\n{limits}")
    argv = [sys.executable, "-m", MANY_PHONES, str(secure.port), str(count), str(calls_per_s), str(seconds)]
    before = private_bytes(secure.appliance)
    phones = processes.start("phones", argv, {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": ""})
    wait_until(lambda: "ready" in phones.text() or not phones.is_running, "the phones are registered", GIVE_UP_S)
    held = private_bytes(secure.appliance) - before
    wait_until(lambda: open_connections(secure.appliance) == count or not phones.is_running, "all of them are counted")
    assert phones.wait(GIVE_UP_S) == 0, phones.text()
    registered, called = map(int, phones.text().split()[-2:])
    record_property("registrations", registered)
    record_property("calls", called)
    record_property("memory of a connection, KiB", round(held / count / 1024, 1))
    wait_until(lambda: secure.appliance.counter("calls-answered") == called, "all calls are counted")
    counters = secure.appliance.counters()
    assert (counters["connections-accepted"], counters["calls-failed"], counters["handshakes-failed"]) == (count, 0, 0)


@pytest.mark.parametrize("count", [200, pytest.param(5000, marks=FULL)])
def test_calls_beside_handshakes_that_are_never_finished(
    processes: Processes, tmp_path: Path, start_appliance: START, count: int, record_property: Record
) -> None:
    """Half-open and slow ones are held at once, garbage comes beside them: no call by UDP is lost, memory is bounded,
    and the limit of their time closes them all."""
    secure = SecureAppliance(
        tmp_path,
        start_appliance,
        tls=lambda _: f"handshakes {count}\n  handshake timeout 60000",
        settings=f"limits\n  connection per-source {2 * count}\n  message partial {GIVE_UP_S}\n!\n",
    )
    appliance = secure.appliance
    caller = start_calls(processes, appliance, CALLS_PER_S[count])
    wait_until(lambda: appliance.counter("calls-answered") > 2 * CALLS_PER_S[count], "calls are made")
    before = private_bytes(appliance)
    argv = [sys.executable, str(FLOOD), LOOPBACK, str(secure.port), str(count), str(GIVE_UP_S)]
    flood = processes.start("handshakes", argv)
    wait_until(lambda: f"held {count}" in flood.text() or not flood.is_running, "the handshakes are begun")
    begun = appliance.counter("calls-answered")
    wait_until(lambda: appliance.counter("calls-answered") - begun >= CALLS_WHILE_HELD[count], "calls are made")
    assert open_connections(appliance) >= count and appliance.counter("handshakes-timed-out") == 0
    held = private_bytes(appliance) - before
    with Control(appliance.state) as control:
        text = control.ask("show running-config")["text"]
        control.commit(text.replace("handshake timeout 60000", "handshake timeout 1000"))
    assert flood.wait(GIVE_UP_S + 60) == 0, flood.text()
    closed, strangers, _ = map(int, flood.text().split()[-3:])
    assert closed == count
    # It begins no more calls, and ends when the last one has.
    caller.process.popen.send_signal(signal.SIGUSR1)
    caller.succeed()
    counters = appliance.counters()
    record_property("calls", counters["calls-answered"])
    record_property("memory of a handshake, KiB", round(held / count / 1024, 1))
    record_property("garbage beside", strangers)
    assert counters["calls-failed"] == 0
    assert counters["handshakes-timed-out"] >= count and counters["handshakes-displaced"] == 0
    assert counters["handshakes-failed"] + counters["handshakes-not-tls"] > strangers // 2
    assert held < count * HANDSHAKE_MAX + CALLS_MEMORY_MAX
    wait_until(lambda: open_connections(appliance) == 0, "no connection is left")
    with secure.dial() as phone:
        assert answers(phone, "after")


def start_calls(processes: Processes, appliance: Appliance, per_s: int) -> Sipp:
    """Calls to bob by UDP, until they are ended."""
    callee = start_callee(processes, "callee", calls=CALLS_MAX, timeout_s=2 * GIVE_UP_S)  # type: ignore[arg-type]
    register(processes, appliance, "bob", callee.contact)
    options = ("-r", str(per_s))
    keys = {"domain": appliance.domain}
    return Sipp(
        processes, "caller", *options, proxy=appliance, calls=CALLS_MAX, keys=keys, timeout_s=2 * GIVE_UP_S
    )
