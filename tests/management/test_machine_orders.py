"""Orders to the machine: left for the units of the image, and refused where there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.management.errors import Refused
from appliance.management.tasks.machine_orders import leave_order

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["reboot", "power-off"])
def test_an_order_is_the_file_for_which_a_unit_of_the_image_waits(tmp_path: Path, name: str) -> None:
    mark = tmp_path / "own-machine"
    mark.touch()
    leave_order(name, {"RUNTIME_DIRECTORY": f"{tmp_path}:/run/other"}, mark)
    assert (tmp_path / f"order-{name}").exists()
    unit = (ROOT / f"packaging/image/signalbox-{name}.path").read_text()
    assert f"PathExists=/run/signalbox/order-{name}\n" in unit


def test_on_a_machine_of_others_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="others administer it"):
        leave_order("reboot", {"RUNTIME_DIRECTORY": str(tmp_path)}, tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def test_without_a_runtime_directory_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        leave_order("reboot", {}, tmp_path)


def test_a_directory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be written: No such file or directory"):
        leave_order("reboot", {"RUNTIME_DIRECTORY": str(tmp_path / "gone")}, tmp_path)
