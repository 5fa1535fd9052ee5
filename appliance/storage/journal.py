"""The journal of registrations: what keeps them over a restart of the whole appliance.

Each worker appends the changes it made to segment files of its own in DIR/registrations, one write for each turn of
its loop, forced to the disk by a thread at the pace of a setting; at start every worker reads the segments of all of
them. A full segment is followed by the next, and goes to the cleaner (`journal_cleaning.py`), which is given a small
paced step now and then.

A process that dies loses nothing that it wrote; a power cut what was not forced yet. The torn end that it leaves is
normal; what is damaged was made good before any worker started (`journal_files.py`). When the disk is full or fails,
serving goes on: changes wait in memory, bounded, an alarm says so, and all is written later.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from appliance.messages.record_frames import FrameReader, NewerFormat, frame
from appliance.storage.fsync_thread import FsyncThread
from appliance.storage.journal_compaction import CleaningTable, Compactor
from appliance.storage.journal_files import read_records, segment_name, segments_in, torn_sentence, worker_of
from appliance.storage.journal_mark import mark_stored
from appliance.storage.journal_segment import LATER, Segment

CATCH_UP_FACTOR: Final = 3  # octets cleaned for each that is appended
STEP_OCTETS: Final = 1 << 17  # how much is cleaned, or written anew, in one step
BACKLOG_MAX: Final = 8 << 20  # octets that wait for a disk that does not take them
RETRY_S: Final = 1.0


class JournalSettings(Protocol):
    """The settings that are needed here."""

    @property
    def segment_kib(self) -> int: ...
    @property
    def sync_ms(self) -> int: ...
    @property
    def pace_kib_per_s(self) -> int: ...


class JournalTable(CleaningTable, Protocol):
    """What the journal asks about records. forget_at raises ValueError for what is no record."""

    def records_of_range(self, place: int, /) -> Iterator[bytes]: ...


class Journal:
    """The journal of one worker.

    number: the worker; workers: how many there are (segments of numbers beyond are shared out among them).
    incarnation: a number that no process of this worker had before, and that grows.
    """

    def __init__(
        self, folder: Path, number: int, workers: int, incarnation: int, settings: JournalSettings, table: JournalTable
    ) -> None:
        self._folder = folder
        self._number = number
        self._workers = max(workers, 1)
        self._incarnation = incarnation
        self._table = table
        self._segment_octets = settings.segment_kib * 1024
        self._cycle_scheduler = settings.pace_kib_per_s * 1024
        self._fsync_thread = FsyncThread(settings.sync_ms / 1000)
        self._newest: Segment | None = None
        self._serial = 0
        self._backlog: list[tuple[bytes, float]] = []
        self._backlog_octets = 0
        self._must_rewrite = False
        self._rewriting: Iterator[bytes] | None = None
        self._retry_at = 0.0
        self._stepped_at = 0.0
        self._wall_time = 0.0  # of the last upkeep
        self._is_behind = False
        self._fault = ""
        self.failed_count = 0  # changes that could not be written at once
        self._remarks: list[str] = []
        self._cleaner = Compactor(self._segment_octets, self._workers, table, self._remarks)

    def reconfigure(self, settings: JournalSettings, workers: int) -> None:
        """Go by new settings; `workers` as for the constructor."""
        self._workers = max(workers, 1)
        self._segment_octets = settings.segment_kib * 1024
        self._cycle_scheduler = settings.pace_kib_per_s * 1024
        self._fsync_thread.interval_s = settings.sync_ms / 1000
        self._cleaner.reconfigure(self._segment_octets, self._workers)

    # Reading

    def load(self, wall_time: float) -> Iterator[list[bytes]]:
        """All records of all workers that still matter, in portions. To be read to the end before anything is
        appended.
        """
        for path in segments_in(self._folder):
            segment = Segment(path)
            try:
                yield from self._load_segment(segment, wall_time)
            except FileNotFoundError:
                continue  # another worker was done with it
            except (OSError, NewerFormat) as fault:
                self._remark(path, f"{path} was not read: {fault}.")
                segment.forget_at = LATER
            if self._is_ours(path):
                self._cleaner.add(segment)

    def _is_ours(self, path: Path) -> bool:
        return worker_of(path) % self._workers == self._number

    def _remark(self, path: Path, sentence: str) -> None:
        """All workers read the file: the one that looks after it says so."""
        if self._is_ours(path):
            self._remarks.append(sentence)

    def _load_segment(self, segment: Segment, wall_time: float) -> Iterator[list[bytes]]:
        reader = FrameReader()
        for records in read_records(segment.path, reader):
            live = []
            for record in records:
                forget_at = self._forget_at(record)
                segment.forget_at = max(segment.forget_at, forget_at)
                if forget_at > wall_time:
                    live.append(record)
            yield live
        segment.size = segment.path.stat().st_size
        if reader.torn:
            self._remark(segment.path, torn_sentence(segment.path, reader.torn))
        if reader.damage:
            segment.forget_at = LATER
            self._remark(segment.path, f"{segment.path} is damaged; the intact records were read.")

    def _forget_at(self, record: bytes) -> float:
        try:
            return self._table.forget_at(record)
        except ValueError:
            return LATER  # of a kind not known here: not ours to throw away

    # Writing

    def append(self, records: list[bytes]) -> None:
        """Keep these changes. Raises nothing: what cannot be written waits, and alarms() says so."""
        frames = []
        forget_at = 0.0
        for record in records:
            frames.append(frame(record))
            forget_at = max(forget_at, self._forget_at(record))
        data = b"".join(frames)
        if self._fault or not self._put(data, forget_at):
            self.failed_count += len(records)
            self._wait(data, forget_at)
        elif self._is_behind:
            self._catch_up(CATCH_UP_FACTOR * len(data))

    def _catch_up(self, octets: int) -> None:
        """More comes than upkeep cleans at its pace: what is appended pays for the cleaning, so the folder stays
        bounded.
        """
        try:
            self._cleaner.delete(self._wall_time, self._fsync_thread.completed)
            self._clean(octets, self._wall_time)
        except OSError as fault:
            self._fault = fault.strerror or str(fault)

    def _put(self, data: bytes, forget_at: float) -> bool:
        newest = self._newest
        try:
            if newest is None or newest.size >= self._segment_octets:
                newest = self._open_segment()
            newest.write(data)
            self._fsync_thread.request(newest.fd)
        except OSError as fault:
            self._fault = fault.strerror or str(fault)
            self._leave_torn_segment()
            return False
        newest.forget_at = max(newest.forget_at, forget_at)
        return True

    def _open_segment(self) -> Segment:
        self._close_segment()
        self._serial += 1
        segment = Segment(self._folder / segment_name(self._number, self._incarnation, self._serial))
        folder_fd = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            segment.create()
            self._newest = segment
            mark_stored(self._folder)
            self._fsync_thread.request(folder_fd)
            self._fsync_thread.release(folder_fd)
        finally:
            os.close(folder_fd)
        self._is_behind = self._cleaner.is_behind(segment)
        return segment

    def _close_segment(self) -> None:
        if self._newest is not None:
            segment, self._newest = self._newest, None
            self._cleaner.add(segment)
            self._fsync_thread.release(segment.fd)
            segment.close()

    def _leave_torn_segment(self) -> None:
        if self._newest is not None and self._newest.is_torn:
            with suppress(OSError):  # the disk's fault is known
                self._close_segment()

    def _wait(self, data: bytes, forget_at: float) -> None:
        if self._backlog_octets + len(data) > BACKLOG_MAX:
            # More than is kept waiting: when the disk takes anything again, everything is written anew from the table.
            self._backlog.clear()
            self._backlog_octets = 0
            self._must_rewrite = True
        if self._must_rewrite:
            # From the beginning: this may belong to what was written anew already.
            self._rewriting = None
            return
        self._backlog.append((data, forget_at))
        self._backlog_octets += len(data)

    @property
    def is_busy(self) -> bool:
        """Has upkeep begun something that goes on, or is something wrong?"""
        return self._must_rewrite or self._cleaner.is_reading or bool(self._fault or self._fsync_thread.fault)

    def take_remarks(self) -> list[str]:
        """Sentences for the log since the last call: what was found damaged, and set aside."""
        remarks = list(self._remarks)
        self._remarks.clear()
        return remarks

    def alarms(self) -> list[str]:
        """A sentence while changes cannot be written; else nothing."""
        if not self._fault:
            return []
        return [
            f"Registrations cannot be written to {self._folder}: {self._fault}. "
            + "They are in memory only. Free disk space or repair the disk; then they are written."
        ]

    def close(self) -> None:
        """Write what waits, force it to the disk, and end."""
        self._drain_backlog()
        self._cleaner.stop()
        with suppress(OSError):  # there is nobody left to write it again
            self._close_segment()
        self._fsync_thread.close()

    # What is done now and then

    def upkeep(self, now: float, wall_time: float) -> None:
        """To be called some times a second: a little work, bounded and paced. now: monotonic. Raises nothing."""
        self._wall_time = wall_time
        # Read first: the round that fails counts as done, too.
        forced = self._fsync_thread.completed
        if self._fsync_thread.fault:
            self._start_anew_after(self._fsync_thread.fault)
        if self._fault:
            if now < self._retry_at:
                return
            self._retry_at = now + RETRY_S
            if not self._drain_backlog():
                return
        octets = min(STEP_OCTETS, int((now - self._stepped_at) * self._cycle_scheduler))
        if octets <= 0:
            return
        self._stepped_at = now
        try:
            self._cleaner.delete(wall_time, forced)
            if self._must_rewrite:
                self._rewrite(octets)
            else:
                self._clean(octets, wall_time)
        except OSError as fault:
            self._fault = fault.strerror or str(fault)

    def _start_anew_after(self, fault: str) -> None:
        """The disk did not take what was written (fsync failed): nobody knows what is there, so write all anew."""
        self._fsync_thread.fault = ""
        self._fault = fault
        self._must_rewrite = True
        self._rewriting = None
        if self._newest is not None:
            self._newest.forget_at = LATER
        with suppress(OSError):  # the disk's fault is known
            self._close_segment()
        self._cleaner.copy_again()

    def _drain_backlog(self) -> bool:
        self._fault = ""
        while self._backlog:
            data, forget_at = self._backlog[0]
            if not self._put(data, forget_at):
                return False
            del self._backlog[0]
            self._backlog_octets -= len(data)
        if self._must_rewrite and self._newest is None:
            # Does the disk take anything again?
            return self._put(b"", 0.0)
        return True

    def _rewrite(self, octets: int) -> None:
        if self._rewriting is None:
            self._rewriting = (record for place in range(256) for record in self._table.records_of_range(place))
        for record in self._rewriting:
            if not self._put(frame(record), self._forget_at(record)):
                self._rewriting = None
                return
            octets -= len(record)
            if octets <= 0:
                return
        self._rewriting = None
        self._must_rewrite = False

    def _clean(self, octets: int, wall_time: float) -> None:
        copies, forget_at = self._cleaner.read_on(octets, wall_time, self._newest)
        if copies and not self._put(copies, forget_at):
            self._cleaner.stop()  # begins again from the start of the segment when the disk is well
        elif self._cleaner.is_at_end():
            request = (
                self._fsync_thread.completed if self._newest is None else self._fsync_thread.request(self._newest.fd)
            )
            self._cleaner.finish(request, self._newest)
            self._is_behind = self._cleaner.is_behind(self._newest)
