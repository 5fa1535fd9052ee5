"""What the appliance leaves for the units of its disk image, and what it says on a machine of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.catalogue.settings import Settings
from appliance.own_machine import OfOthers, leave_order, system_document, system_warnings, want_system

ROOT = Path(__file__).parents[1]
NETWORK = Settings(
    hostname="sip1",
    interfaces=("eth0 address 192.0.2.10/24", "eth0 gateway 192.0.2.1"),
    name_servers=("192.0.2.53",),
    ntp_servers=("ntp.example.com",),
)


@pytest.mark.parametrize("name", ["reboot", "power-off"])
def test_an_order_is_the_file_for_which_a_unit_of_the_image_waits(tmp_path: Path, name: str) -> None:
    leave_order(name, {"RUNTIME_DIRECTORY": f"{tmp_path}:/run/other"}, tmp_path)
    assert (tmp_path / f"order-{name}").exists()
    unit = (ROOT / f"packaging/image/signalbox-{name}.path").read_text()
    assert f"PathExists=/run/signalbox/order-{name}\n" in unit


def test_on_a_machine_of_others_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OfOthers, match="others administer it"):
        leave_order("reboot", {"RUNTIME_DIRECTORY": str(tmp_path)}, tmp_path / "none")
    with pytest.raises(OfOthers):
        want_system(NETWORK, {"RUNTIME_DIRECTORY": str(tmp_path)}, tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def test_without_a_runtime_directory_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OfOthers):
        leave_order("reboot", {}, tmp_path)


def test_a_directory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(OfOthers, match="cannot be written: No such file or directory"):
        leave_order("reboot", {"RUNTIME_DIRECTORY": str(tmp_path / "gone")}, tmp_path)


def test_the_network_is_left_for_a_unit_and_written_once(tmp_path: Path) -> None:
    environment = {"RUNTIME_DIRECTORY": str(tmp_path)}
    want_system(NETWORK, environment, tmp_path)
    written = tmp_path / "system.json"
    assert written.read_text() == system_document(NETWORK)
    before = written.stat()
    want_system(NETWORK, environment, tmp_path)
    assert written.stat().st_ino == before.st_ino
    assert "PathChanged=/run/signalbox/system.json\n" in (ROOT / "packaging/image/signalbox-system.path").read_text()


def test_where_the_network_is_the_hosts_the_operator_is_told(tmp_path: Path) -> None:
    (sentence,) = system_warnings(NETWORK, tmp_path / "none")
    assert sentence.startswith("The network of this machine is the host's: `interface` and `name-server` and ")
    assert list(system_warnings(Settings(), tmp_path / "none")) == []


def test_an_interface_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = Settings(interfaces=("lo address 192.0.2.1/24", "none7 address dhcp"))
    (sentence,) = system_warnings(settings, tmp_path)
    assert sentence == "This machine has no interface none7: it gets its addresses when it comes."
