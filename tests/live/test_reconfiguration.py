"""The configuration changes while calls go on: none is lost, and every worker goes by the new one."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest

from tests.live.appliance import DOMAIN, PATIENT, Appliance
from tests.live.control import Control
from tests.live.machine import STATISTICAL, rate
from tests.live.processes import LOOPBACK, Processes, free_port, wait_until
from tests.live.sipp import Sipp, open_ports, register, start_callee

CALLS_PER_S = rate(300)
SECONDS = 25
COMMITS = 20
DRAIN_S = 4
FEW = 10
TALK_MS = 8000


def configuration(appliance: Appliance, workers: int, others: dict[str, int], more: str = "") -> str:
    """One text: listener `main`, where the calls are, and other listeners by name and port."""
    ports = {"main": appliance.port, **others}
    listeners = "".join(
        f"listener {name}\n  address {LOOPBACK}\n  port {port}\n  no authenticate\n!\n" for name, port in ports.items()
    )
    head = f"hostname live\nworkers {workers}\ndomain {DOMAIN}\n{listeners}digest\n  realm {DOMAIN}\n!\n"
    return f"{head}{PATIENT}supervision\n  drain {DRAIN_S}\n!\n{more}"


def steps(appliance: Appliance) -> list[str]:
    """What is committed, one after another."""
    one, other = free_port(), free_port()
    changes = [
        (1, {"b": one}, ""),
        (3, {"b": one}, ""),
        (3, {"b": one}, "timers\n  t1 400\n!\n"),
        (3, {"b": other}, "timers\n  t1 400\n!\n"),
        (3, {"b": other}, "limits\n  transactions 90000\n  connections 500\n!\n"),
        (3, {}, "limits\n  transactions 90000\n!\n"),
        (3, {}, "registrar\n  expires maximum 3600\n!\n"),
        (2, {}, "registrar\n  expires maximum 3600\n!\n"),
        (2, {"c": one}, "proxy\n  fork parallel\n!\n"),
        (2, {}, "persist\n  interval 100\n!\n"),
    ]
    return [configuration(appliance, *change) for change in changes] * 2


def test_calls_that_are_up_end_well_whatever_is_committed(
    processes: Processes, start_appliance: Callable[..., Appliance]
) -> None:
    """Listeners come, move and go, and workers are one, three and two, while calls are up."""
    appliance = start_appliance(workers=1)
    callee = start_callee(processes, "callee-lossy", calls=2 * FEW, timeout_s=60)  # type: ignore[arg-type]
    register(processes, appliance, "bob", callee.contact)
    talk = ("-r", str(FEW), "-d", str(TALK_MS))
    caller = Sipp(processes, "caller", *talk, proxy=appliance, calls=FEW, keys={"domain": appliance.domain})
    wait_until(lambda: appliance.counter("calls-answered") == FEW, "all calls are up", TALK_MS / 1000)
    control = Control(appliance.state)
    for text in steps(appliance)[: COMMITS // 2]:
        control.commit(text)
    caller.succeed()
    Sipp(processes, "caller", proxy=appliance, keys={"domain": appliance.domain}).succeed()
    assert appliance.counter("calls-failed") == 0


@pytest.mark.load
@STATISTICAL
def test_no_call_is_lost_while_the_configuration_changes_twenty_times(
    processes: Processes, start_appliance: Callable[..., Appliance]
) -> None:
    """Listeners come, move and go, workers are one, three and two, limits and timers change."""
    appliance = start_appliance(PATIENT, workers=1)
    calls = CALLS_PER_S * SECONDS
    # A call that goes on in another worker may be sent to the callee again, as RFC 3261 17.1.1.2 has it of any INVITE.
    callee = start_callee(processes, "callee-lossy", calls=calls, timeout_s=SECONDS + 90)  # type: ignore[arg-type]
    register(processes, appliance, "bob", callee.contact, expires_s=3000)
    keys = {"domain": appliance.domain}
    caller = Sipp(
        processes, "caller", "-r", str(CALLS_PER_S), "-d", "300", proxy=appliance, calls=calls, keys=keys,
        timeout_s=SECONDS + 60,
    )
    control = Control(appliance.state)
    texts = steps(appliance)
    assert len(texts) == COMMITS
    pause_s = (SECONDS - 7) / COMMITS
    begun = time.monotonic()
    for number, text in enumerate(texts):
        control.commit(text, comment=f"step {number}")
        time.sleep(max(begun + (number + 1) * pause_s - time.monotonic(), 0.0))
    assert caller.process.is_running, "the calls ended before the commits did"
    caller.succeed()
    callee.succeed()
    commits = control.ask("show commits", limit=COMMITS)["commits"]
    assert [commit["comment"] for commit in reversed(commits)] == [f"step {number}" for number in range(COMMITS)]
    assert appliance.counter("calls-failed") == 0
    assert appliance.counter("calls-answered") == calls
    wait_until(lambda: len(control.ask("show workers")["workers"]) == 2, "two workers are left")


def test_a_listener_is_there_and_gone_again(processes: Processes, start_appliance: Callable[..., Appliance]) -> None:
    appliance = start_appliance()
    control = Control(appliance.state)
    port = free_port()
    control.commit(configuration(appliance, 2, {"b": port}))
    callee = start_callee(processes, calls=2)
    register(processes, appliance, "bob", callee.contact)
    beside = Beside(appliance, port)
    for transport in ("udp", "tcp"):
        Sipp(processes, "caller", proxy=beside, keys={"domain": DOMAIN}, transport=transport).succeed()
    callee.succeed()
    control.commit(configuration(appliance, 2, {}))
    wait_until(lambda: port not in open_ports(), "the port is closed", DRAIN_S + 10.0)
    assert [row["name"] for row in control.ask("show listeners")["listeners"]] == ["main"]


def test_what_is_refused_changes_nothing_and_says_why(start_appliance: Callable[..., Appliance]) -> None:
    appliance = start_appliance()
    control = Control(appliance.state)
    before = control.ask("show running-config")
    faults = control.error("commit", text="workers many\nport 1\n", base=before["commit"])["faults"]
    assert [fault["line"] for fault in faults] == [1, 2]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((LOOPBACK, 0))
        taken = configuration(appliance, 2, {"b": other.getsockname()[1]})
        assert "in use by another program" in control.error("commit", text=taken, base=before["commit"])["message"]
    assert control.ask("show running-config") == before
    stale = control.error("commit", text=before["text"], base=before["commit"] - 1)
    assert "in the meantime" in stale["message"]


class Beside:
    """The appliance at another of its ports."""

    def __init__(self, appliance: Appliance, port: int) -> None:
        self.domain = appliance.domain
        self.address = appliance.address
        self.port = port
