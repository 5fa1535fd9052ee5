"""A persister in a process of its own, and a writer of registrations that remembers what it wrote, in its order."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from appliance.ipc.launch import PersisterLaunch
from appliance.location.binding import BindingChange
from appliance.location.binding_records import decode_address
from appliance.storage.durable_registrations import NO_POSITION, DurableRegistrations
from appliance.storage.registrations import SharedTable
from appliance.storage.table_folder import TableFolder
from tests.persister.registrations import LIMIT, aor_of, binding, commit

PATIENCE_S = 60.0


def wait_for(done: Callable[[], object], what: str) -> None:
    """Wait until a function returns something true."""
    until = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < until, what
        time.sleep(0.002)


class PersisterProcess:
    """It has a state folder and a table folder; the supervisor that it tells of itself is not there."""

    def __init__(self, path: Path, config_text: str = "persist\n  interval 10\n") -> None:
        (path / "state" / "run").mkdir(parents=True, exist_ok=True)
        self.folder = path / "state" / "registrations"
        self.tables = TableFolder.prepared(path / "table")
        self.launch = PersisterLaunch(str(path / "state"), str(self.tables.path), config_text)
        self.process = self.started()

    def started(self) -> subprocess.Popen[bytes]:
        with self.launch.to_stdin() as document:
            self.process = subprocess.Popen(self.launch.argv(), stdin=document)
        wait_for(self.tables.current, "a table")
        return self.process

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        """Ask it to end; its exit status."""
        self.process.terminate()
        return self.process.wait(PATIENCE_S)

    def pause(self) -> None:
        """Stop it where it is; returns when it stands still."""
        os.kill(self.process.pid, signal.SIGSTOP)
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)

    def go_on(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def attached(self) -> SharedTable:
        return SharedTable.attach(self.tables.directory(self.tables.current()), LIMIT)


class History:
    """One writer, one change a transaction: the number of a change is its place in the log and its record's CSeq."""

    def __init__(self, table: SharedTable, seed: int, addresses: int = 200) -> None:
        self.table = table
        self.numbers: list[int] = []
        """The address of each change."""
        self._random = random.Random(seed)
        self._addresses = addresses

    def write(self, count: int) -> None:
        for _ in range(count):
            number = self._random.randrange(self._addresses)
            self.numbers.append(number)
            lifetime_s = 0.0 if self._random.random() < 0.2 else 3600.0
            self.table.apply(BindingChange(aor_of(number), (binding(number, len(self.numbers), lifetime_s),)))
            commit(self.table)

    def check(self, store: DurableRegistrations, generation: int) -> int:
        """The store holds each address as it was at the store's place in the log, or later; returns the place."""
        stored: dict[bytes, int] = {}
        after = b""
        while page := store.page(after, 1000):
            for key, record in page:
                stored[key] = decode_address(record)[0].cseq
            after = page[-1][0]
        position = store.position(generation)
        at_position: dict[bytes, int] = {}
        for turn, number in enumerate(self.numbers[: max(position, 0)], 1):
            at_position[aor_of(number)] = turn
        for aor, turn in at_position.items():
            assert stored.get(aor, 0) >= turn
        for aor, turn in stored.items():
            assert aor_of(self.numbers[turn - 1]) == aor
        return position if position != NO_POSITION else 0
