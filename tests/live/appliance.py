"""A Signalbox of a test: its own state folder, its own ports on loopback, real processes.

Knows nothing of peers.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.live.processes import LOOPBACK, Process, Processes, free_port, wait_until

SIGNALBOX = Path(sys.executable).with_name("signalbox")
DOMAIN = "signalbox.test"
START_TIMEOUT_S = 30.0
# Beside other tests messages wait for a processor: no reason to refuse calls.
PATIENT = "overload\n  delay target 10000\n  delay limit 10000\n!\n"


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
    ) -> None:
        self.address = LOOPBACK
        self.port = port or free_port()
        self.state = processes.folder / f"state-{self.port}"
        self.config = processes.folder / f"signalbox-{self.port}.conf"
        self.workers = workers
        self._processes = processes
        self._process: Process | None = None
        sections = [
            _section("digest", f"realm {DOMAIN}", *digest),
            settings,
            _section("listener main", f"address {self.address}", f"port {self.port}", *listener),
        ]
        head = f"hostname live\nworkers {workers}\ndomain {DOMAIN}\n"
        self.config.write_text(head + "\n".join(sections))

    # -- its life --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it, and wait until every worker takes calls."""
        argv = [str(SIGNALBOX), "run", "--config", str(self.config), "--state", str(self.state)]
        self._process = self._processes.start("signalbox", argv, {"PYTHONUNBUFFERED": "1"})
        wait_until(lambda: self._is_ready() or not self.is_running, "all workers take calls", START_TIMEOUT_S, 0.2)
        assert self.is_running, self.process.text()

    def stop(self) -> None:
        """Stop it as an operator does."""
        self.process.popen.send_signal(signal.SIGTERM)
        assert self.process.wait(15.0) == 0

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
        return len(workers) == self.workers and all(worker["state"] == "live" for worker in workers)

    # -- what an operator types ------------------------------------------------------------------------

    def command(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """`signalbox WORDS --state DIR`."""
        argv = [str(SIGNALBOX), *words, "--state", str(self.state)]
        return subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=30, check=False)

    def add_subscriber(self, username: str, password: str) -> None:
        """Add a subscriber of the appliance's domain."""
        words = ("subscriber", "add", f"{username}@{DOMAIN}", "--password-stdin", "--config", str(self.config))
        done = self.command(*words, stdin=f"{password}\n")
        assert done.returncode == 0, done.stderr

    def status(self) -> dict[str, Any]:
        """What `signalbox status --json` says; {} when nobody answers."""
        done = self.command("status", "--json")
        return json.loads(done.stdout) if done.returncode == 0 else {}

    # -- what a test wants to know ---------------------------------------------------------------------

    def counter(self, name: str) -> int:
        """A counter, over all workers."""
        return int(self.status()["counters"].get(name, 0))

    def registrations(self) -> int:
        """Contacts registered, as each worker knows them; fails when the workers do not agree."""
        known = {worker["registrations"] for worker in self.status()["workers"]}
        assert len(known) == 1, f"the workers do not agree: {known}"
        return int(known.pop())

    def worker_pids(self) -> list[int]:
        """The process of each live worker, by number."""
        return [worker["pid"] for worker in self.status()["workers"] if worker["state"] == "live"]

    def rss(self) -> int:
        """Bytes of memory of all workers."""
        return sum(worker["rss"] for worker in self.status()["workers"])


def _section(name: str, *lines: str) -> str:
    """A section of the configuration."""
    return "\n  ".join((name, *lines)) + "\n!\n"
