"""Upgrades, downgrades, removal and purge."""

from __future__ import annotations

import json
from pathlib import Path

from tests.live.processes import Processes
from tests.live.sipp import Sipp
from tests.package.calls import Installed, place_calls, registered
from tests.package.node import Node, Service, wait_until

CALLS = 20
TALK_MS = 15000


def install(node: Node, package: Path) -> None:
    node.copy_in(package, f"/root/{package.name}")
    node.run("apt-get", "install", "--yes", "--allow-downgrades", f"/root/{package.name}")


def version(node: Node) -> str:
    return str(json.loads(node.said("signalbox", "version", "--json"))["version"])


def commits(node: Node) -> str:
    return node.said("signalbox", "cli", "-c", "show configuration history", "--json")


def test_an_upgrade_and_a_downgrade_keep_everything_and_calls_go_on(
    node: Node, service: Service, processes: Processes, package: Path, later_package: Path
) -> None:
    before, history = version(node), commits(node)
    for target, is_later in ((later_package, True), (package, False)):
        user = registered(processes, CALLS, timeout_s=300)
        keys = {"domain": Installed.domain}
        options = ("-r", str(CALLS), "-d", str(TALK_MS))
        named = {"user": user, "calls": CALLS, "keys": keys, "timeout_s": 300}
        talking = Sipp(processes, "caller", *options, proxy=Installed(), **named)  # type: ignore[arg-type]
        wait_until(lambda: "answered" in shown(node), "calls are up")
        install(node, target)
        # Calls that were up end well: their BYEs go through the new version.
        talking.succeed()
        assert (version(node) != before) == is_later
        assert service.is_active and commits(node) == history
        place_calls(processes)


def shown(node: Node) -> str:
    counters = node.said("signalbox", "status", "--json", "--state", "/var/lib/signalbox")
    return "answered" if json.loads(counters)["counters"].get("calls-answered", 0) >= CALLS else ""


def test_the_state_of_a_later_version_is_refused_and_stays(node: Node, service: Service) -> None:
    name = "/var/lib/signalbox/formats"
    kept = node.read(name)
    service.control("stop")
    node.write(name, json.dumps({"version": "9.9", "formats": {"configuration": 99}}))
    cursor = service.cursor()
    assert node.run("systemctl", "start", "signalbox", check=False).returncode != 0
    assert "is of Signalbox 9.9, which stores configuration in format 99" in service.journal(cursor)
    assert "9.9" in node.read(name)
    # It is not tried again and again: only an operator can help.
    assert service.fact("ActiveState") == "failed"
    node.write(name, kept)
    node.run("systemctl", "reset-failed", "signalbox")
    service.control("start")


def test_a_removal_keeps_configuration_and_state(node: Node, package: Path, service: Service) -> None:
    history = commits(node)
    node.run("apt-get", "remove", "--yes", "signalbox")
    assert node.run("test", "-e", "/usr/bin/signalbox", check=False).returncode != 0
    assert node.run("ls", "/usr/lib/signalbox", check=False).returncode != 0
    install(node, package)
    assert service.is_active and commits(node) == history


def test_a_purge_leaves_nothing(node: Node) -> None:
    node.run("apt-get", "purge", "--yes", "signalbox")
    left = "/etc/signalbox /var/lib/signalbox /run/signalbox /usr/lib/signalbox /usr/share/signalbox"
    assert node.run("ls", "-d", *left.split(), check=False).stdout == ""
    assert "signalbox" not in node.said("cat", "/etc/shells")
