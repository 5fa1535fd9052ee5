"""`signalbox load`: the changes of the configuration file are committed while the appliance runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.live.appliance import Appliance
from tests.live.control import Control


@pytest.fixture
def appliance(start_appliance: Callable[..., Appliance]) -> Appliance:
    return start_appliance(workers=1)


def load(appliance: Appliance, *options: str) -> tuple[int, str]:
    done = appliance.command("load", "--config", str(appliance.config), *options)
    return done.returncode, done.stdout + done.stderr


def running(appliance: Appliance) -> str:
    return appliance.command("cli", "-c", "show running-config").stdout


def test_changes_of_the_file_are_committed_and_those_of_operators_stay(appliance: Appliance) -> None:
    assert load(appliance) == (0, f"{appliance.config} has not changed since it was loaded.\n")
    Control(appliance.state).commit(running(appliance) + "banner Welcome\n")
    appliance.config.write_text(appliance.config.read_text().replace("hostname live", "hostname moved"))
    assert load(appliance) == (0, f"Commit 3 is active: loaded from {appliance.config}.\n")
    assert "hostname moved" in running(appliance) and "banner Welcome" in running(appliance)
    # A restart finds nothing new in the file.
    appliance.stop()
    appliance.start()
    assert appliance.status()["commit"] == 3


def test_a_conflict_is_named_and_loads_nothing(appliance: Appliance) -> None:
    Control(appliance.state).commit(running(appliance).replace("hostname live", "hostname typed"))
    appliance.config.write_text(appliance.config.read_text().replace("hostname live", "hostname moved"))
    status, text = load(appliance)
    assert status == 1 and "have changed `hostname` differently" in text and "--replace" in text
    assert appliance.status()["commit"] == 2
    assert load(appliance, "--replace")[0] == 0
    assert "hostname moved" in running(appliance)


def test_a_fault_in_the_file_is_said_with_its_line(appliance: Appliance) -> None:
    appliance.config.write_text(appliance.config.read_text() + "colour blue\n")
    status, text = load(appliance)
    assert status == 1 and "has 1 fault, and is not used" in text and "colour" in text
    assert appliance.status()["commit"] == 1
