"""`interface NAME` on a machine that was made from the image: systemd-networkd does what a commit says."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.package.bridge import INTERFACE, bridged
from tests.package.calls import CONFIGURATION, FILE, request
from tests.package.node import Node, leave_network, wait_until

IMAGE = Path(__file__).parents[2] / "packaging/image"
NETWORK = "pkg-own"
OWN = "10.97.0.1"
FIRST, SECOND = "10.97.0.11", "10.97.0.12"
# What the first boot of the image writes.
LISTENS = f"address 0.0.0.0\n  advertise {FIRST}"
LINES = f"interface {INTERFACE} address {FIRST}/24\n"


@pytest.fixture(scope="module")
def node(installed: Path, machines: Path) -> Iterator[Node]:
    """With the programs and units of the image, and an interface at a bridge."""
    leave_network()
    with bridged(f"{OWN}/24", [(NETWORK, f"{FIRST}/24")]):
        machine = Node(machines, "own", NETWORK, [installed])
        try:
            (machine.root / "usr/lib/signalbox-image").mkdir()
            for program in IMAGE.glob("*.py"):
                shutil.copy(program, machine.root / "usr/lib/signalbox-image")
            for unit in ("signalbox-system.path", "signalbox-system.service"):
                shutil.copy(IMAGE / unit, machine.root / "etc/systemd/system")
            machine.write(FILE, CONFIGURATION.replace("address 127.0.0.1", LISTENS) + LINES)
            for unit in ("systemd-networkd", "signalbox-system.path"):
                subprocess.run(["systemctl", f"--root={machine.root}", "--quiet", "enable", unit], check=True)
            machine.boot()
            yield machine
        finally:
            machine.close()


def addresses(node: Node) -> set[str]:
    """Of IPv4, as the kernel has them, at the interface."""
    (link,) = json.loads(node.said("ip", "-json", "-4", "address", "show", "dev", INTERFACE)) or ({},)
    return {str(each["local"]) for each in link.get("addr_info", ())}


def shown(node: Node) -> str:
    return node.shell("show interfaces").stdout


def is_answered(address: str) -> bool:
    return request(address, "OPTIONS").startswith("SIP/2.0 ")


def test_a_commit_sets_an_address_and_a_rollback_takes_it_away(node: Node) -> None:
    wait_until(lambda: is_answered(FIRST), "the appliance is reached")
    done = node.shell("enable", "configure", f"interface {INTERFACE} address {SECOND}/24", "commit")
    assert "no effect" not in done.stdout
    wait_until(lambda: addresses(node) == {FIRST, SECOND}, "the interface has both")
    assert f"{SECOND}/24" in shown(node)
    node.shell("enable", "rollback 1 confirm")
    wait_until(lambda: addresses(node) == {FIRST}, "it has the first alone")
    assert SECOND not in shown(node) and f"{FIRST}/24" in shown(node)
    assert is_answered(FIRST)


def test_a_commit_that_is_not_confirmed_is_taken_back_with_its_address(node: Node) -> None:
    """docs/operations.md: an address that cuts you off is taken back."""
    change = (f"no interface {INTERFACE} address {FIRST}/24", f"interface {INTERFACE} address {SECOND}/24")
    node.shell("enable", "configure", *change, "commit confirmed 1")
    wait_until(lambda: addresses(node) == {SECOND}, "it has the other one")
    wait_until(lambda: addresses(node) == {FIRST}, "it is taken back")
    wait_until(lambda: is_answered(FIRST), "the appliance is reached")


def test_a_gateway_and_an_interface_that_comes_later(node: Node) -> None:
    other = ("interface later0 address 10.96.0.1/24", f"interface {INTERFACE} gateway {OWN}")
    done = node.shell("enable", "configure", *other, "commit")
    assert "This machine has no interface later0: it gets its addresses when it comes." in done.stdout
    wait_until(lambda: f"default via {OWN}" in node.said("ip", "route"), "there is a default route")
    node.run("ip", "link", "add", "later0", "type", "veth", "peer", "name", "later1")
    node.run("ip", "link", "set", "later1", "up")
    wait_until(lambda: "10.96.0.1/24" in shown(node), "it has its address")
    node.shell("enable", "rollback 1 confirm")
    wait_until(lambda: "10.96.0.1/24" not in shown(node), "it has it no more")
    wait_until(lambda: "default" not in node.said("ip", "route"), "nor is there a default route")
    assert addresses(node) == {FIRST}


def test_the_name_of_the_machine_is_that_of_the_configuration(node: Node) -> None:
    node.shell("enable", "configure", "hostname sip2", "commit")
    wait_until(lambda: node.said("hostname").strip() == "sip2", "the machine has that name")
    assert node.read("/etc/hostname") == "sip2\n"
