"""`apt install ./signalbox_*.deb` on a fresh Debian 12: what there is then, and who may do what."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.__main__ import place_call
from demo.user_agent import UserAgent
from tests.package.bridge import bridged, ip
from tests.package.calls import request
from tests.package.node import Node, Service, leave_network, make_base

EXPOSURE_MAX = 2.5


NETWORK = "pkg-fresh"
# Of phones, which are another machine than the appliance: it takes no contacts at its own addresses.
PHONES, MACHINE = "10.95.0.1", "10.95.0.11"


class FirstConfiguration:
    """Where a phone finds the appliance as it was installed."""

    domain = MACHINE
    address = MACHINE
    port = 5060


@pytest.fixture(scope="module")
def node(machines: Path) -> Iterator[Node]:
    """A fresh Debian 12."""
    make_base()
    leave_network()
    with bridged(f"{PHONES}/24", [(NETWORK, f"{MACHINE}/24")]):
        ip("-n", NETWORK, "route", "add", "default", "via", PHONES)
        machine = Node(machines, "one", NETWORK)
        try:
            machine.boot()
            yield machine
        finally:
            machine.close()


def test_two_commands_install_it_and_it_runs(node: Node, service: Service, package: Path) -> None:
    node.copy_in(package, f"/root/{package.name}")
    node.run("apt-get", "install", "--yes", "--no-install-recommends", f"/root/{package.name}")
    assert service.is_active
    assert service.fact("StatusText").endswith("accept calls.")
    assert service.fact("UnitFileState") == "enabled"
    assert node.said("systemctl", "list-units", "--failed", "--no-legend") == ""


def test_no_process_compiles_python(node: Node) -> None:
    """The service may not write below /usr: each of its processes would do so at each start."""
    kept, compiled = ("find", "/usr/lib/signalbox", "-name", "*.py"), ("find", "/usr/lib/signalbox", "-name", "*.pyc")
    assert len(node.said(*compiled).splitlines()) == len(node.said(*kept).splitlines()) > 1000


def test_the_version_is_that_of_the_package(node: Node) -> None:
    installed = node.said("dpkg-query", "--show", "--showformat=${Version}", "signalbox")
    facts = json.loads(node.said("signalbox", "version", "--json"))
    assert (facts["version"], facts["build"]) == (installed, "compiled")
    assert {"configuration", "registrations", "subscribers"} <= set(facts["formats"])


def test_the_limits_of_the_kernel_are_raised_at_each_boot(node: Node) -> None:
    """In a container they are those of its host; tests/live/test_kernel_limits.py has what the kernel takes."""
    applied = node.said("systemd-analyze", "cat-config", "sysctl.d")
    assert "net.core.optmem_max = 131072" in applied and "net.core.rmem_max = 4194304" in applied


def test_phones_are_answered_at_the_address_of_the_machine() -> None:
    assert request(MACHINE, "REGISTER", domain=MACHINE).startswith("SIP/2.0 401 ")


def test_the_service_has_few_rights(node: Node, service: Service) -> None:
    said = node.said("systemd-analyze", "security", "--no-pager", "signalbox")
    exposure = re.search(r"Overall exposure level for signalbox.service: ([0-9.]+)", said)
    assert exposure is not None and float(exposure[1]) <= EXPOSURE_MAX
    for pid in [*service.pids("appliance.workers"), *service.pids("appliance.management")]:
        status = node.said("cat", f"/proc/{pid}/status")
        assert "CapEff:\t0000000000000000" in status and "NoNewPrivs:\t1" in status
    owners = set(node.said("ps", "-o", "user=", "-C", "python3").split())
    assert owners <= {"signalbox"}


def test_state_is_for_the_service_alone(node: Node) -> None:
    node.run("useradd", "--create-home", "carol")
    assert node.run("ls", "/var/lib/signalbox", user="carol", check=False).returncode != 0
    assert node.run("cat", "/etc/signalbox/signalbox.conf", user="carol", check=False).returncode != 0
    refused = node.run("signalbox", "cli", "-c", "show version", user="carol", check=False)
    assert refused.returncode == 1 and "Permission denied" in refused.stderr


def test_what_root_stores_the_service_can_read(node: Node) -> None:
    node.run("signalbox", "subscriber", "add", f"alice@{MACHINE}", "--password-stdin", stdin="wonderland\n")
    files = node.said("find", "/var/lib/signalbox", "-not", "-user", "signalbox")
    assert files == ""


def test_a_member_of_the_group_is_the_operator_of_that_name(node: Node) -> None:
    node.run("useradd", "--create-home", "--groups", "signalbox", "--shell", "/usr/bin/signalbox-shell", "anna")
    node.shell("enable", "configure", "operator anna", "role admin", "commit")
    assert "anna" in node.said("runuser", "--login", "anna", "--command", "show users")


def test_an_operator_works_by_ssh(node: Node) -> None:
    """What docs/operations.md types: one command, and a backup that nothing is mixed into."""
    node.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/key")
    node.run("install", "-D", "--owner=anna", "--mode=0600", "/root/key.pub", "/home/anna/.ssh/authorized_keys")
    node.run("touch", "/home/anna/.hushlogin")
    ssh = ("ssh", "-i", "/root/key", "-o", "StrictHostKeyChecking=accept-new", "anna@127.0.0.1")
    assert "live" in node.said(*ssh, "show workers")
    assert "uid=" not in node.run(*ssh, "id", check=False).stdout
    passphrase = "a long passphrase"
    typed = f'printf \'enable\\nsystem backup passphrase "{passphrase}"\\n\' | {" ".join(ssh)} >/root/sip1.backup'
    node.run("sh", "-c", typed)
    node.run("systemctl", "stop", "signalbox")
    node.run("signalbox", "restore", "/root/sip1.backup", "--passphrase-stdin", stdin=f"{passphrase}\n")
    node.run("systemctl", "start", "signalbox")
    assert "operator anna" in node.said("signalbox", "cli", "-c", "show running-config")


async def placed(caller: UserAgent, callee: UserAgent) -> None:
    try:
        await place_call(caller, callee)
    finally:
        for phone in (caller, callee):
            phone.close()


def test_a_call_between_two_subscribers_as_it_was_installed(node: Node) -> None:
    """README: `signalbox subscriber add NAME` is all that two phones need (RFC 3261 22)."""
    phones: list[UserAgent] = []
    for name in ("bob", "carla"):
        added = node.said("signalbox", "subscriber", "add", name, "--password-stdin", stdin=f"{name}-wonderland\n")
        address = re.search(rf"{name}@(\S+) added", added)
        assert address is not None
        server = (FirstConfiguration.address, FirstConfiguration.port)
        phones.append(UserAgent(name, address[1], f"{name}-wonderland", server, lambda *_: None))
    asyncio.run(placed(*phones))


def test_the_login_shell_leads_to_no_other_program(node: Node) -> None:
    for command in ("sh", "/bin/sh -c id", "show version | redirect /etc/passwd", "show version | !id", "$(id)"):
        done = node.run("runuser", "--login", "anna", "--command", command, check=False)
        assert "uid=" not in done.stdout + done.stderr
        assert done.returncode != 0
    assert node.run("grep", "--quiet", "signalbox-shell", "/etc/shells").returncode == 0


def test_events_are_in_the_journal_with_their_fields(node: Node, service: Service) -> None:
    raised = node.said("journalctl", "--unit=signalbox", "--output=json", "SIGNALBOX_PROCESS=supervisor")
    entries = [json.loads(line) for line in raised.splitlines()]
    assert any("accept calls" in entry["MESSAGE"] for entry in entries)
    assert {entry["SYSLOG_IDENTIFIER"] for entry in entries} == {"signalbox"}
    assert all(not re.match(r"\d{4}-", str(entry["MESSAGE"])) for entry in entries)
