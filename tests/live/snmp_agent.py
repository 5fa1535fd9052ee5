"""An appliance with an SNMP agent, and what an operator does with it."""

from __future__ import annotations

from tests.live.appliance import Appliance
from tests.live.net_snmp import Manager
from tests.live.processes import Processes, wait_until

SYS_DESCR = ".1.3.6.1.2.1.1.1.0"


def started(
    processes: Processes, port: int, *lines: str, settings: str = "", max_age: str = "max-age 100"
) -> Appliance:
    """An appliance whose agent is there. `lines`: of the section `snmp`; `settings`: other sections."""
    section = [f"listen 127.0.0.1 port {port}", "community public", max_age, *lines]
    made = Appliance(processes, settings + "\n  ".join(["snmp", *section]) + "\n!\n")
    made.start()
    manager = Manager(f"127.0.0.1:{port}")
    wait_until(lambda: "Signalbox" in manager.get(SYS_DESCR), "the agent answers")
    return made


def do(appliance: Appliance, *lines: str) -> str:
    """What the shell says to these lines."""
    words = [word for line in ("enable", *lines) for word in ("-c", line)]
    done = appliance.command("cli", *words)
    return done.stdout + done.stderr


def pid_of(appliance: Appliance, name: str) -> int:
    """A process of the appliance; 0 for none."""
    pids = [process["pid"] for process in appliance.status()["processes"] if process["name"] == name]
    return pids[0] if pids else 0
