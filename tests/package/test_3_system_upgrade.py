"""`system upgrade` by an operator, on a machine that is the appliance's own: forward, or back again."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.live.processes import Processes
from tests.live.sipp import call
from tests.package.altered_packages import Altered
from tests.package.calls import Installed, place_calls, registered
from tests.package.node import Node, Service
from tests.package.test_4_upgrade import commits, version

PROGRAMS = Path(__file__).parents[2] / "packaging/image"
OWN = "/usr/lib/signalbox-image"
KEPT = "/var/lib/signalbox-upgrade"
FORMATS = "/var/lib/signalbox/formats"
SUDOERS = "/etc/sudoers.d/test"
# An upgrade and its way back take minutes on a busy machine; the phone waits for its call meanwhile.
WAITING_S = 1800


@pytest.fixture(scope="module")
def own_machine(node: Node, package: Path) -> Node:
    """As the image has it: its programs, the package that is installed, an operator who may use sudo."""
    node.run("mkdir", "--parents", OWN, KEPT)
    for program in PROGRAMS.glob("*.py"):
        node.copy_in(program, f"{OWN}/{program.name}")
    node.copy_in(package, f"{KEPT}/installed.deb")
    node.write(SUDOERS, "anna ALL=(ALL) NOPASSWD: ALL\n")
    return node


def installed_package(node: Node) -> str:
    """The version of the package, as dpkg writes it."""
    return node.said("dpkg-query", "--show", "--showformat=${Version}", "signalbox")


def upgrade(node: Node, package: Path) -> subprocess.CompletedProcess[str]:
    """Anna types it in her shell."""
    node.copy_in(package, f"/home/anna/{package.name}")
    typed = f"enable\nsystem upgrade /home/anna/{package.name}\n"
    return node.run("runuser", "--login", "anna", stdin=typed, check=False)


def test_an_upgrade_keeps_registrations_and_configuration(
    own_machine: Node, service: Service, processes: Processes, later_package: Path
) -> None:
    before, history, user = version(own_machine), commits(own_machine), registered(processes, timeout_s=WAITING_S)
    done = upgrade(own_machine, later_package)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The package is installed." in done.stdout and "Stored data keep their formats" in done.stdout
    assert version(own_machine) == f"{before}.later"
    assert service.is_active and commits(own_machine) == history
    call(processes, Installed(), user=user)
    place_calls(processes)
    # The way back from the next one leads to this one.
    kept = own_machine.said("dpkg-deb", "--field", f"{KEPT}/installed.deb", "Version").strip()
    assert kept == installed_package(own_machine)


@pytest.mark.parametrize("has_other_formats", [False, True])
def test_a_version_that_does_not_run_is_replaced_by_the_former_one(
    own_machine: Node,
    service: Service,
    processes: Processes,
    package: Path,
    tmp_path: Path,
    has_other_formats: bool,
) -> None:
    altered = Altered(package, tmp_path)
    altered.raise_version("broken")
    altered.break_start()
    if has_other_formats:
        altered.raise_format("registrations")
    before, history, user = version(own_machine), commits(own_machine), registered(processes, timeout_s=WAITING_S)
    former = installed_package(own_machine)
    formats = json.loads(own_machine.read(FORMATS))
    done = upgrade(own_machine, altered.pack("broken.deb"))
    said = done.stdout + done.stderr
    assert done.returncode != 0 and "The new version does not run: " in said, said
    assert f"Signalbox {former} is installed again, and runs." in said
    assert version(own_machine) == before
    assert service.is_active and commits(own_machine) == history
    assert json.loads(own_machine.read(FORMATS)) == formats
    call(processes, Installed(), user=user)


def test_a_file_that_is_no_package_changes_nothing(own_machine: Node, service: Service, tmp_path: Path) -> None:
    before, pid = version(own_machine), service.main_pid
    (tmp_path / "none.deb").write_text("none")
    done = upgrade(own_machine, tmp_path / "none.deb")
    assert done.returncode != 0 and "is no Debian package of Signalbox" in done.stdout + done.stderr
    assert (version(own_machine), service.main_pid) == (before, pid)
