"""A Signalbox of a test: its own state folder, its own ports on loopback, real processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from appliance.commands.status import ask_status
from appliance.management.errors import CommandFailed
from appliance.messages.plain_values import plain
from tests.live.machine import within
from tests.live.processes import LOOPBACK, Process, Processes, free_port, wait_until

SIGNALBOX = Path(sys.executable).with_name("signalbox")
DOMAIN = "signalbox.test"
START_TIMEOUT_S = within(120.0)
# A worker tells its figures once a second.
TOLD_WITHIN_S = 1.2
# Others are at work on the machine, so messages may have to wait for a processor: no reason to refuse calls.
PATIENT = "overload\n  delay target 1000\n  delay limit 3000\n!\n"


class Appliance:
    """`signalbox run` with a configuration made by the test."""

    domain = DOMAIN

    def __init__(
        self,
        processes: Processes,
        settings: str = "",
        listener: Iterable[str] = (),
        workers: int = 2,
        digest: Iterable[str] = (),
        port: int = 0,
        files: int = 0,
        options: Iterable[str] = (),
        resolv_conf: Path | None = None,
        within: Iterable[str] = (),
    ) -> None:
        """`files`: as many may each process have open, if not 0. `options`: more of them for `signalbox run`.
        `resolv_conf`: what it finds as /etc/resolv.conf; needs root. `within`: words before its command line, of what
        runs it in another network namespace.
        """
        self.address = LOOPBACK
        self.port = port or free_port()
        self.state = processes.folder / f"state-{self.port}"
        self.config = processes.folder / f"signalbox-{self.port}.conf"
        self.workers = workers
        self._files = files
        self._resolv_conf = resolv_conf
        self._options = tuple(options)
        self.service: list[str] = list(within)
        """Words before the command line, of who starts it as a service; `service_environment`: what it then finds."""
        self.service_environment: dict[str, str] = {}
        self._processes = processes
        self._process: Process | None = None
        listener = tuple(listener)
        if "authenticate" not in listener:
            listener = ("no authenticate", *listener)
        sections = [
            _section("digest", f"realm {DOMAIN}", *digest),
            settings,
            _section("listener main", f"address {self.address}", f"port {self.port}", *listener),
        ]
        head = f"hostname live\nworkers {workers}\ndomain {DOMAIN}\n"
        self.config.write_text(head + "\n".join(sections))

    # -- its life --------------------------------------------------------------------------------------

    def start(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Start it, and wait until every worker takes calls."""
        argv = [str(SIGNALBOX), "run", "--config", str(self.config), "--state", str(self.state), *self._options]
        if self._files:
            # Root would raise the limit again.
            keep = ["setpriv", "--bounding-set=-sys_resource"] if os.geteuid() == 0 else []
            argv = ["prlimit", f"--nofile={self._files}", *keep, *argv]
        if self._resolv_conf is not None:
            mount = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
            argv = ["unshare", "--mount", "sh", "-c", mount, str(self._resolv_conf), *argv]
        argv = [*self.service, *argv]
        self._process = self._processes.start("signalbox", argv, self._environment())
        wait_until(lambda: self._is_ready() or not self.is_running, "all workers take calls", timeout_s, 0.1)
        assert self.is_running, self.process.text()

    def _environment(self) -> dict[str, str]:
        # So that it is found by what is started with the same, and by nothing else of this machine.
        only = str(self._processes.folder / "running")
        ours = {"PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "", "SIGNALBOX_RUNTIME_DIR": only}
        return ours | self.service_environment

    def stop(self) -> None:
        """Stop it as an operator does."""
        self.process.popen.send_signal(signal.SIGTERM)
        assert self.process.wait(60.0) == 0

    def crash(self) -> None:
        """SIGKILL to the supervisor; its workers may not outlive it."""
        self.process.popen.kill()
        self.process.popen.wait()

    @property
    def process(self) -> Process:
        assert self._process is not None, "not started"
        return self._process

    @property
    def is_running(self) -> bool:
        return self.process.is_running

    def _is_ready(self) -> bool:
        workers = self.status().get("workers", [])
        if len(workers) != self.workers or any(worker["state"] != "live" for worker in workers):
            return False
        with socket.socket(socket.AF_UNIX) as control:
            return control.connect_ex(str(self.state / "run" / "control.sock")) == 0

    # -- what an operator types ------------------------------------------------------------------------

    def command(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """`signalbox WORDS --state DIR`."""
        argv = [str(SIGNALBOX), *words, "--state", str(self.state)]
        return subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=120, check=False)

    def add_subscriber(self, username: str, password: str) -> None:
        """Add a subscriber of the appliance's domain."""
        words = ("subscriber", "add", f"{username}@{DOMAIN}", "--password-stdin", "--config", str(self.config))
        done = self.command(*words, stdin=f"{password}\n")
        assert done.returncode == 0, done.stderr

    def status(self) -> dict[str, Any]:
        """What `signalbox status --json` says, without a process for each question; {} without an answer."""
        try:
            report: dict[str, Any] = plain(ask_status(self.state / "run"))
            return report
        except CommandFailed:
            return {}

    # -- what a test wants to know ---------------------------------------------------------------------

    def counters(self) -> dict[str, int]:
        """All counters, over all workers, once their next heartbeats have told them."""
        time.sleep(TOLD_WITHIN_S)
        counters: dict[str, int] = self.status()["counters"]
        return counters

    def counter(self, name: str) -> int:
        """One of them."""
        return self.counters().get(name, 0)

    def registrations(self) -> int:
        """Contacts registered, as each worker knows them; fails when the workers do not agree in the end."""
        known: set[int] = set()

        def agree() -> bool:
            nonlocal known
            known = {worker["registrations"] for worker in self.status()["workers"]}
            return len(known) == 1

        time.sleep(TOLD_WITHIN_S)
        wait_until(agree, "the workers agree on their registrations")
        return known.pop()

    def worker_pids(self) -> list[int]:
        """The process of each live worker, by number."""
        return [worker["pid"] for worker in self.status()["workers"] if worker["state"] == "live"]

    def rss(self) -> int:
        """Bytes of memory of all workers."""
        return sum(worker["rss"] for worker in self.status()["workers"])


def _section(name: str, *lines: str) -> str:
    """A section of the configuration."""
    return "\n  ".join((name, *lines)) + "\n!\n"
