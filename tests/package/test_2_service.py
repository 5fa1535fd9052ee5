"""The service in operation: calls, faults of each process, a hung supervisor, a reload, a restart, a reboot."""

from __future__ import annotations

import json

import pytest

from tests.live.processes import Processes
from tests.live.sipp import Sipp, call, register, start_callee
from tests.package.calls import CONFIGURATION, FILE, Installed, can_call, place_calls, registered
from tests.package.node import Node, Service, wait_until

# What operators have committed stays.
BANNER = "banner Kept"
WATCHDOG_S = 20.0
RINGING = 20
# Long enough for all calls to begin and the service to restart on a busy machine.
RING_MS = 20000


def counter(service: Service, name: str) -> int:
    """One of them, of this start of the service."""
    said = service.node.said("signalbox", "status", "--json", "--state", "/var/lib/signalbox")
    return int(json.loads(said)["counters"].get(name, 0))


def test_a_reload_commits_the_changes_of_the_file(node: Node, service: Service, processes: Processes) -> None:
    before = service.main_pid
    node.shell("enable", "configure", BANNER, "commit")
    node.write(FILE, CONFIGURATION.replace("hostname test", "hostname other"))
    service.control("reload")
    assert service.main_pid == before
    shown = node.shell("show running-config").stdout
    assert "hostname other" in shown and BANNER in shown
    node.write(FILE, CONFIGURATION)
    service.control("reload")
    place_calls(processes)


def test_a_faulty_file_is_refused_by_the_reload_and_said(node: Node, service: Service) -> None:
    cursor = service.cursor()
    node.write(FILE, CONFIGURATION + "colour blue\n")
    assert node.run("systemctl", "reload", "signalbox", check=False).returncode != 0
    assert "has 1 fault, and is not used" in service.journal(cursor)
    assert service.is_active
    node.write(FILE, CONFIGURATION)
    service.control("reload")


@pytest.mark.parametrize("module", ["appliance.workers", "appliance.management"])
def test_a_process_that_is_killed_is_started_again(service: Service, module: str, processes: Processes) -> None:
    main, before = service.main_pid, service.pids(module)
    for pid in before:
        service.node.run("kill", "-KILL", str(pid))
        wait_until(lambda pid=pid: pid not in service.pids(module) and len(service.pids(module)) == len(before), module)
        wait_until(can_call, "calls go on")
    place_calls(processes)
    assert service.main_pid == main and service.is_active


def test_a_supervisor_that_is_killed_is_started_again(service: Service, processes: Processes) -> None:
    before = service.main_pid
    service.node.run("kill", "-KILL", str(before))
    wait_until(lambda: service.is_active and service.main_pid not in (0, before), "the service runs again")
    place_calls(processes)


def test_a_supervisor_that_hangs_is_restarted_by_the_watchdog(service: Service, processes: Processes) -> None:
    before, cursor = service.main_pid, service.cursor()
    service.node.run("kill", "-STOP", str(before))
    # Its workers serve on meanwhile.
    assert can_call()
    healed = lambda: service.is_active and service.main_pid not in (0, before)  # noqa: E731
    wait_until(healed, "the watchdog has restarted the service", WATCHDOG_S + 300.0)
    assert "Watchdog timeout" in service.node.said("journalctl", "--output=cat", f"--after-cursor={cursor}")
    place_calls(processes)


def test_registrations_outlive_a_restart_of_the_service(service: Service, processes: Processes) -> None:
    user = registered(processes)
    service.control("restart")
    call(processes, Installed(), user=user)


@pytest.mark.parametrize("is_killed", [False, True])
def test_calls_that_ring_outlive_a_restart_of_the_service(
    service: Service, processes: Processes, is_killed: bool
) -> None:
    """RFC 3261 13.3.1.4: the callees answer after the restart, and repeat that until they have an ACK."""
    ringing = ("callee-rings-long", "-d", str(RING_MS))
    callee = start_callee(processes, *ringing, calls=RINGING, user="rings", timeout_s=300)
    register(processes, Installed(), "rings", callee.contact)
    options, keys = ("-r", str(RINGING), "-d", "100"), {"domain": Installed.domain}
    named = {"user": "rings", "calls": RINGING, "keys": keys, "timeout_s": 300}
    caller = Sipp(processes, "caller", *options, proxy=Installed(), **named)  # type: ignore[arg-type]
    wait_until(lambda: counter(service, "calls-started") >= RINGING, "all calls have begun", RING_MS / 1000)
    if is_killed:
        service.control("kill", "--signal=KILL")
    else:
        service.control("restart")
    caller.succeed()
    callee.succeed()
    assert counter(service, "calls-adopted") == RINGING


def test_registrations_outlive_a_reboot(node: Node, service: Service, processes: Processes) -> None:
    user = registered(processes)
    node.reboot()
    wait_until(lambda: service.is_active, "the service runs")
    call(processes, Installed(), user=user)


def test_a_stop_is_in_order(service: Service) -> None:
    service.control("stop")
    assert service.fact("Result") == "success"
    assert "SIGTERM received: the appliance stops." in service.journal()
    assert service.pids("appliance.workers") == []
    service.control("start")


def test_on_a_foreign_debian_the_network_is_the_hosts(node: Node) -> None:
    before = node.said("ip", "-brief", "address")
    done = node.shell("enable", "configure", "interface lo address 192.0.2.10/24", "commit")
    assert "The network of this machine is the host's: `interface` has no effect here." in done.stdout
    assert "192.0.2.10" not in node.shell("show interfaces").stdout
    assert node.said("ip", "-brief", "address") == before
    refused = node.shell("enable", "system reboot confirm", check=False)
    assert refused.returncode != 0 and "others administer it" in refused.stdout + refused.stderr
    node.shell("enable", "rollback 1 confirm")
