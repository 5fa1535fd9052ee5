"""docs/snmp.md is a tour: each command on the page does what the page says, against a Signalbox of the test."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.appliance import Appliance
from tests.live.net_snmp import WITHOUT_MIBS, needs_net_snmp
from tests.live.processes import Processes, free_port, wait_until
from tests.live.snmp_agent import do, started

pytestmark = needs_net_snmp
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/snmp.md"
# The standard modules, which are not in Debian.
MODULES = os.environ.get("SMIPATH", "")
USER = 'user monitor sha256 password "authentication password" "privacy password"'
WRONG = ("Timeout", "Unknown", "No Such", "Error", "Authentication failure", "incorrect")


def commands(prompt: str) -> Iterator[str]:
    """What the page types after a prompt; a line that ends with a backslash goes on."""
    lines = iter(PAGE.read_text().splitlines())
    for line in lines:
        if line.startswith(f"    {prompt} "):
            whole = line.strip().removeprefix(prompt)
            while whole.endswith("\\"):
                whole = whole[:-1] + next(lines).strip()
            yield whole.strip()


def run(command: str, agent: str) -> str:
    """What a command of the page says; it is asked of the agent of the test."""
    words = [agent if word in ("127.0.0.1:11161", "192.0.2.10") else word for word in shlex.split(command)]
    environment = {**WITHOUT_MIBS, "PATH": os.environ["PATH"], "MIBDIRS": f"{MODULES}:{ROOT / 'mibs'}"}
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def appliance(processes: Processes, port: int) -> Appliance:
    return started(processes, port, USER)


def test_the_commands_of_the_tour_are_answered(appliance: Appliance, port: int) -> None:
    asked = [command for command in commands("$") if command.startswith("snmp") and "trapd" not in command]
    assert len(asked) >= 6
    for command in asked:
        if "-m " in command and not MODULES:
            continue
        said = run(command, f"127.0.0.1:{port}")
        assert said.strip() and not [word for word in WRONG if word in said], f"{command}: {said[:500]}"


def test_a_receiver_of_ones_own_gets_the_test(processes: Processes, appliance: Appliance) -> None:
    trap_port = free_port()
    (receiver,) = (command for command in commands("$") if command.startswith("snmptrapd"))
    (target,) = commands("box(config-snmp)#")
    (test,) = commands("box#")
    words = shlex.split(receiver.replace("11162", str(trap_port)))
    mine = {**WITHOUT_MIBS, "SNMP_PERSISTENT_DIR": str(processes.folder)}
    receiving = processes.start("snmptrapd", words, mine)
    do(appliance, "configure", "snmp", target.replace("11162", str(trap_port)), "commit", "end")
    assert "is sent to 1 targets" in do(appliance, test)
    wait_until(lambda: "1.3.6.1.4.1.32473.1.0.1" in receiving.text(), "the test arrives")
