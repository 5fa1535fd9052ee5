"""The registration table as the supervisor sees it: the persister that makes and keeps it, its lock, its place.

Workers are started once the table is loaded. A table that was found unsound is replaced by the persister; then the
workers are told. At the end of the appliance the persister is the last to go; when all is on the disk the table in
memory is removed, and otherwise it stays for the next start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from appliance.catalogue.alarms import TABLE_WRITER_KILLED, Condition
from appliance.catalogue.counters import TABLE_WRITERS_KILLED
from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.messages.bus_messages import BusMessage, Heartbeat
from appliance.messages.table_messages import TableUnsound
from appliance.storage.lmdb_environment import WriteLock
from appliance.storage.table_folder import TableFolder
from appliance.supervisor.lock_watch import LOOK_S, LockWatch, has_thread
from appliance.supervisor.persister_process import PersisterProcess

# It never had a table and has died so often: starting it again will not help.
HOPELESS_DEATHS: Final = 3
STOP_FACTOR: Final = 4  # of the time that a worker has to stop: it may have much to write
ALARM_S: Final = 600.0
ENDED_WELL: Final = "exited with status 0"


class TableSupervision:
    """Call `tend` in every cycle. `send` passes a message to the persister."""

    def __init__(
        self, folder: TableFolder, persister: PersisterProcess, report: Callable[[str], None]
    ) -> None:
        self.persister = persister
        self.send: Callable[[BusMessage], bool] = lambda message: False
        self.directory = ""
        """Of the table in force; "" before there is one."""
        self.killed = 0
        self._folder = folder
        self._report = report
        self._generation = 0
        self._lock: WriteLock | None = None
        self._watch: LockWatch | None = None
        self._killed_sentence = ""
        self._alarm_until = 0.0
        self._stop_by = 0.0

    @property
    def is_loaded(self) -> bool:
        """Can workers be started?"""
        return bool(self.directory)

    @property
    def is_hopeless(self) -> bool:
        """Will there be no table?"""
        return not self.is_loaded and self.persister.deaths >= HOPELESS_DEATHS

    def tend(self, limits: SupervisionSettings, is_stopping: bool, now: float) -> bool:
        """Keep the persister running. Is the table another one than before, so that workers have to be told?"""
        # While workers stop, it still has to write what they write.
        self.persister.tend(limits, is_stopping, now)
        if self.persister.generation == self._generation:
            return False
        return self._take_table(self.persister.generation)

    def _take_table(self, generation: int) -> bool:
        directory = self._folder.directory(generation)
        try:
            lock = WriteLock(directory)
        except OSError as fault:
            self._report(f"The lock of the registration table in {directory} cannot be read: {fault}.")
            return False
        if self._lock is not None:
            self._lock.close()
        was_loaded = self.is_loaded
        self._lock, self._watch = lock, LockWatch(lock)
        self._generation, self.directory = generation, str(directory)
        self._report(f"The registration table is {'replaced' if was_loaded else 'loaded'}.")
        return was_loaded

    def heard(self, message: BusMessage, now: float) -> None:
        """Take in what the persister says."""
        if isinstance(message, Heartbeat):
            self.persister.heard(message, now)

    def told_unsound(self, message: TableUnsound) -> None:
        """A worker has found the table unsound; that of a table that was replaced since is old news."""
        if message.directory == self.directory:
            self._report(f"The registration table is unsound: {message.fault}. It is built anew.")
            self.send(message)

    def conditions(self, now: float) -> Iterator[Condition]:
        """The alarms that are true."""
        yield from self.persister.conditions()
        if now < self._alarm_until:
            yield Condition(TABLE_WRITER_KILLED, "registration table", self._killed_sentence)

    def counters(self) -> list[int]:
        """What the persister has counted, and we."""
        counts = self.persister.counters()
        counts += [0] * (TABLE_WRITERS_KILLED + 1 - len(counts))
        counts[TABLE_WRITERS_KILLED] += self.killed
        return counts

    # The lock

    @property
    def look_within_s(self) -> float:
        """When to look at the lock again, at the latest."""
        return LOOK_S if self._watch is None else self._watch.look_within_s

    def hung_writer(self, now: float) -> int:
        """The thread that has held the lock for too long; 0 for none."""
        return 0 if self._watch is None else self._watch.look(now)

    def forgive(self, now: float) -> None:
        """The supervisor itself was held up."""
        self.persister.forgive_silence(now)
        if self._watch is not None:
            self._watch.forgive(now)

    def writer_killed(self, name: str, thread: int, now: float) -> None:
        """Note that the worker of that name was ended because it held the lock. "": no worker has that thread; the
        persister is ended here, another program is left alone.
        """
        if self._watch is not None:
            self._watch.forgive(now)
        process = self.persister.process
        if not name and process is not None and has_thread(process.pid, thread):
            name = self.persister.name
            self.persister.kill()
        if name:
            self.killed += 1
            self._killed_sentence = f"{name} held the lock of the registration table for too long and was killed."
        else:
            self._killed_sentence = f"Thread {thread} of another program holds the lock of the registration table."
        self._report(self._killed_sentence)
        self._alarm_until = now + ALARM_S

    # The end

    def has_stopped(self, limits: SupervisionSettings, now: float) -> bool:
        """All workers have ended: have the persister write what is left, and end. Call it until it is True."""
        if self.persister.is_running:
            if not self._stop_by:
                self._stop_by = now + STOP_FACTOR * limits.stop_s
                self.persister.stop()
            elif now > self._stop_by:
                self._report(f"{self.persister.name} did not stop in time; it is killed.")
                self._stop_by = now + limits.stop_s
                self.persister.kill()
            return False
        if self.persister.last_ending == ENDED_WELL:
            self._folder.remove()
        else:
            self._report(f"Registrations that are not on the disk stay in {self._folder.path}.")
        return True

    def close(self) -> None:
        """Leave no process behind."""
        self.persister.kill()
        if self._lock is not None:
            with suppress(BufferError):
                self._lock.close()
            self._lock = None
