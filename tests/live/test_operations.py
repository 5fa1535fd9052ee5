"""What operators of routers try first: shutdown, reload, drain, sockets, domains."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from tests.live.appliance import Appliance
from tests.live.phones import Phone, hang_up, talk
from tests.live.processes import Processes, free_port, wait_until


@pytest.fixture
def appliance(processes: Processes) -> Appliance:
    made = Appliance(processes)
    made.start()
    return made


def do(appliance: Appliance, *lines: str) -> str:
    """Commands of an operator, after `enable`."""
    words = [word for line in ("enable", *lines) for word in ("-c", line)]
    done = appliance.command("cli", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rows(appliance: Appliance, command: str, name: str) -> list[dict[str, Any]]:
    done = appliance.command("cli", "--json", "-c", command)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(done.stdout)
    found: list[dict[str, Any]] = document.get("result", document)[name]
    return found


def can_bind(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def test_a_listener_is_shut_down_and_opened_again(appliance: Appliance) -> None:
    """It stays in the configuration, with its description."""
    port = free_port()
    section = ["listener trunk", "address 127.0.0.1", f"port {port}", "description SIP trunk to Berlin"]
    do(appliance, "configure", "supervision", "drain 1", "exit", *section, "commit", "end")
    assert not can_bind(port)
    do(appliance, "configure", "listener trunk", "shutdown", "commit", "end")
    wait_until(lambda: can_bind(port), "the port is free")
    (trunk,) = [row for row in rows(appliance, "show listeners", "listeners") if row["name"] == "trunk"]
    assert (trunk["standing"], trunk["description"]) == ("shutdown", "SIP trunk to Berlin")
    assert "shutdown" in do(appliance, "show running-config")
    assert port not in [row["port"] for row in rows(appliance, "show ip sockets", "sockets")]
    do(appliance, "configure", "listener trunk", "no shutdown", "commit", "end")
    assert not can_bind(port)
    appliance.stop()
    appliance.start()
    assert not can_bind(port)


def test_a_reload_restarts_every_worker(appliance: Appliance) -> None:
    """One after another, so that there is always one that takes calls."""
    before = appliance.worker_pids()
    do(appliance, "reload in 10 confirm")
    assert "Reload scheduled in 10 minutes." in do(appliance, "show status")
    assert "replaces the reload scheduled in 10 minutes" in do(appliance, "reload in 7 confirm")
    assert "Reload scheduled in 7 minutes." in appliance.command("status").stdout
    do(appliance, "reload cancel")
    assert "Reload scheduled" not in do(appliance, "show status")
    assert appliance.command("cli", "-c", "enable", "-c", "reload cancel").returncode == 1
    assert "with `confirm` at its end" in appliance.command("cli", "-c", "enable", "-c", "reload").stderr
    assert appliance.worker_pids() == before
    do(appliance, "reload confirm")
    wait_until(lambda: are_others(appliance, before), "all workers are others")


def are_others(appliance: Appliance, before: list[int]) -> bool:
    pids = appliance.worker_pids()
    assert pids, "one takes calls at any time"
    return len(pids) == len(before) and not set(pids) & set(before)


def test_a_call_goes_on_over_a_reload(appliance: Appliance) -> None:
    """One that rings is answered after it; one that is up is ended as it should be."""
    with Phone(appliance, "alice") as alice, Phone(appliance, "bob") as bob:
        assert bob.register().status == 200
        answered = talk(alice, bob)
        alice.invite("bob")
        bob.answer(waiting := bob.expect("INVITE"), 180, "Ringing")
        alice.expect(180)
        before = appliance.worker_pids()
        do(appliance, "reload confirm")
        wait_until(lambda: are_others(appliance, before), "all workers are others")
        bob.answer(waiting)
        later = alice.expect(200)
        alice.in_dialog("ACK", later, 1)
        bob.expect("ACK")
        hang_up(alice, bob, answered)
        hang_up(alice, bob, later)


def test_a_drained_worker_says_so_everywhere(appliance: Appliance) -> None:
    do(appliance, "drain worker 1")
    wait_until(lambda: appliance.status()["workers"][1]["state"] == "drained", "it is drained")
    assert rows(appliance, "show workers", "workers")[1]["state"] == "drained"
    assert "worker 1 is drained" in appliance.command("status").stdout
    do(appliance, "undrain worker 1")
    wait_until(lambda: appliance.status()["workers"][1]["state"] == "live", "it takes calls again")


def test_domains_are_shown_with_their_realm(appliance: Appliance) -> None:
    shown = {row["domain"]: row["realm"] for row in rows(appliance, "show domains", "domains")}
    assert shown == {"signalbox.test": "signalbox.test", "127.0.0.1": "signalbox.test"}
