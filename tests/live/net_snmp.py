"""Debian's net-snmp as manager: its commands, and snmptrapd."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable

import pytest

from tests.live.processes import Process, Processes

needs_net_snmp = pytest.mark.skipif(
    shutil.which("snmpget") is None or shutil.which("snmptrapd") is None,
    reason="net-snmp (packages snmp and snmptrapd) is not installed",
)
AUTHENTICATION, PRIVACY = "authpassword", "privpassword"
BY_COMMUNITY = ("-v2c", "-c", "public")
WITHOUT_MIBS = {"MIBS": "", "SNMPCONFPATH": "/nonexistent"}


def by_user(name: str, digest: str = "SHA-256", authentication: str = AUTHENTICATION) -> tuple[str, ...]:
    """The options of a user with authentication and privacy."""
    return (
        *("-v3", "-l", "authPriv", "-u", name, "-a", digest, "-A", authentication),
        *("-x", "AES", "-X", PRIVACY),
    )


class Manager:
    """Commands to one agent. `mibs`: with those that the options name."""

    def __init__(self, agent: str, mibs: bool = False) -> None:
        self._agent = agent
        self._environment = {"PATH": "/usr/bin:/bin", **({} if mibs else WITHOUT_MIBS)}
        self._output = () if mibs else ("-On", "-Oe")

    def run(self, command: str, *words: str, options: tuple[str, ...] = BY_COMMUNITY) -> str:
        """What a command of net-snmp says, on both outputs; identifiers and values as they are."""
        argv = [command, "-t", "5", "-r", "0", *self._output, *options, self._agent, *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env=self._environment)
        return done.stdout + done.stderr

    def get(self, oid: str, options: tuple[str, ...] = BY_COMMUNITY) -> str:
        """The value of one variable."""
        return self.run("snmpget", "-Oqv", oid, options=options).strip().strip('"')

    def walk(self, oid: str, options: tuple[str, ...] = BY_COMMUNITY) -> list[str]:
        """The lines of a walk by GETBULK."""
        return self.run("snmpbulkwalk", oid, options=options).splitlines()


class HostAgent:
    """snmpd, which passes requests on to an agent by the lines of docs/snmp.md."""

    def __init__(self, processes: Processes, port: int, agent: str, lines: Iterable[str]) -> None:
        config = processes.folder / f"snmpd-{port}.conf"
        proxies = [line.replace("127.0.0.1:11161", agent) for line in lines]
        config.write_text("\n".join(["rocommunity public", *proxies, ""]))
        argv = ["snmpd", "-f", "-Lo", "-C", "-c", str(config), "-p", str(processes.folder / "snmpd.pid")]
        mine = {**WITHOUT_MIBS, "SNMP_PERSISTENT_DIR": str(processes.folder / f"snmpd-{port}")}
        self.process = processes.start("snmpd", [*argv, f"127.0.0.1:{port}"], mine)


class TrapReceiver:
    """snmptrapd, which writes down what it gets."""

    def __init__(self, processes: Processes, port: int, engine_id: str = "") -> None:
        self._processes = processes
        self._port = port
        self._config = processes.folder / f"snmptrapd-{port}.conf"
        user = f"-e 0x{engine_id} " if engine_id else ""
        self._config.write_text(
            "authCommunity log public\n"
            f"createUser {user}monitor SHA-256 {AUTHENTICATION} AES {PRIVACY}\nauthUser log monitor priv\n"
        )
        self._process: Process | None = None

    def start(self) -> None:
        """Start it; it says so when it listens."""
        argv = ["snmptrapd", "-f", "-Lo", "-On", "-C", "-c", str(self._config), f"127.0.0.1:{self._port}"]
        # What it keeps is its own.
        mine = {**WITHOUT_MIBS, "SNMP_PERSISTENT_DIR": str(self._processes.folder / f"trapd-{self._port}")}
        self._process = self._processes.start("snmptrapd", argv, mine)

    @property
    def process(self) -> Process:
        assert self._process is not None
        return self._process

    def stop(self) -> None:
        """End it."""
        self.process.popen.terminate()
        self.process.popen.wait()

    def text(self) -> str:
        """All that it has got."""
        return self.process.text()
