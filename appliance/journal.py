"""The journal of registrations: what keeps them over a restart of the whole appliance.

Each worker appends the changes it made to segment files of its own in DIR/registrations, one write for each turn of
its loop, forced to the disk by a thread at the pace of a setting; at start every worker reads the segments of all of
them. A full segment is followed by the next. A segment is deleted when everything in it is past its time, or when the
worker has copied what is still current from it to its newest one (log-structured cleaning, in small paced steps).

A process that dies loses nothing that it wrote; a power cut what was not forced yet. The torn end that it leaves is
normal. `check_folder`, before any worker starts, makes good what is damaged: what is whole is kept, the damaged file
is set aside. When the disk is full or fails, serving goes on: changes wait in memory, bounded, an alarm says so, and
all is written later.

Knows nothing of what a record says but what its table tells: until when it matters, and whether it is current.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from appliance.journal_files import JournalError as JournalError
from appliance.journal_files import check_folder as check_folder
from appliance.journal_files import read_records, segment_name, segments_in, set_aside, torn_sentence, worker_of
from appliance.state.frames import HEADER, FrameReader, NewerFormat, frame
from appliance.syncer import Syncer

STEP_OCTETS: Final = 1 << 17  # how much cleaning does in one step
BACKLOG_MAX: Final = 8 << 20  # octets that wait for a disk that does not take them
RETRY_S: Final = 1.0
SEGMENTS_MAX: Final = 64  # of one worker; above it small ones are put together
RECORD_ESTIMATE: Final = 400  # octets
FORGET_MARGIN_S: Final = 60.0  # for clocks that are set
LATER: Final = float("inf")


class JournalSettings(Protocol):
    """The settings that are needed here."""

    @property
    def segment_kib(self) -> int: ...
    @property
    def sync_ms(self) -> int: ...
    @property
    def pace_kib_per_s(self) -> int: ...


class JournalTable(Protocol):
    """What the journal asks about records. forget_at and is_current raise ValueError for what is no record."""

    def forget_at(self, record: bytes, /) -> float: ...
    def is_current(self, record: bytes, /) -> bool: ...
    def records_of_range(self, place: int, /) -> Iterator[bytes]: ...
    def count(self) -> int: ...


class Segment:
    """A file of records. forget_at: unix time after which nothing in it matters."""

    __slots__ = ("forget_at", "path", "size")

    def __init__(self, path: Path, size: int = 0, forget_at: float = 0.0) -> None:
        self.path = path
        self.size = size
        self.forget_at = forget_at


class Cleaning:
    """A segment that is being copied to the newest one, as far as it is current."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.file = segment.path.open("rb")
        self.reader = FrameReader()
        self.kept_octets = 0


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
        self._syncer = Syncer(settings.sync_ms / 1000)
        self.reconfigure(settings, workers)
        self._segments: list[Segment] = []  # ours, closed, oldest first
        self._current: Segment | None = None
        self._fd = -1
        self._serial = 0
        self._backlog: list[tuple[bytes, float]] = []
        self._backlog_octets = 0
        self._must_rewrite = False
        self._rewriting: Iterator[bytes] | None = None
        self._retry_at = 0.0
        self._cleaning: Cleaning | None = None
        self._doomed: list[tuple[Segment, int]] = []
        self._clean_above = 0.0
        self._stepped_at = 0.0
        self._fault = ""
        self.failed_count = 0  # changes that could not be written at once
        self.remarks: list[str] = []  # sentences for the log: what was found while reading, and set aside

    # Reading

    def reconfigure(self, settings: JournalSettings, workers: int) -> None:
        """Go by new settings; `workers` as for the constructor."""
        self._workers = max(workers, 1)
        self._segment_octets = settings.segment_kib * 1024
        self._pace = settings.pace_kib_per_s * 1024
        self._syncer.interval_s = settings.sync_ms / 1000

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
                self.remarks.append(f"{path} was not read: {fault}.")
                segment.forget_at = LATER
            if worker_of(path) % self._workers == self._number:
                self._segments.append(segment)

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
            self.remarks.append(torn_sentence(segment.path, reader.torn))
        if reader.damage:
            segment.forget_at = LATER
            self.remarks.append(f"{segment.path} is damaged; the records around the damage were read.")

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

    def _put(self, data: bytes, forget_at: float) -> bool:
        try:
            if self._current is None or self._current.size >= self._segment_octets:
                self._open_segment()
            self._write(data)
            self._syncer.request(self._fd)
        except OSError as fault:
            self._fault = fault.strerror or str(fault)
            return False
        assert self._current is not None
        self._current.size += len(data)
        self._current.forget_at = max(self._current.forget_at, forget_at)
        return True

    def _open_segment(self) -> None:
        self._close_segment()
        self._serial += 1
        path = self._folder / segment_name(self._number, self._incarnation, self._serial)
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._current = Segment(path)
        self._write(HEADER)
        self._current.size = len(HEADER)
        folder_fd = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        self._syncer.request(folder_fd)
        self._syncer.release(folder_fd)
        os.close(folder_fd)

    def _close_segment(self) -> None:
        if self._current is not None:
            self._segments.append(self._current)
            self._current = None
        if self._fd >= 0:
            self._syncer.release(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _write(self, data: bytes) -> None:
        """All of it or nothing: what was half written is taken back, or the file is left for a new one. Raises
        OSError.
        """
        assert self._current is not None
        written = 0
        try:
            while written < len(data):
                written += os.write(self._fd, data[written:] if written else data)
        except OSError:
            try:
                os.ftruncate(self._fd, self._current.size)
            except OSError:
                self._close_segment()
            if self._current is not None and not self._current.size:
                self._drop_empty_segment()
            raise

    def _drop_empty_segment(self) -> None:
        """The header itself did not fit: leave no file behind, or every attempt would leave one."""
        assert self._current is not None
        self._current.path.unlink(missing_ok=True)
        self._current = None
        self._close_segment()

    def _wait(self, data: bytes, forget_at: float) -> None:
        if self._backlog_octets + len(data) > BACKLOG_MAX:
            # More than is kept waiting: when the disk takes anything again, everything is written anew from the table.
            self._backlog.clear()
            self._backlog_octets = 0
            self._must_rewrite = True
        if not self._must_rewrite:
            self._backlog.append((data, forget_at))
            self._backlog_octets += len(data)

    def alarms(self) -> list[str]:
        """A sentence while changes cannot be written; else nothing."""
        if not self._fault:
            return []
        return [
            f"Registrations cannot be written to {self._folder}: {self._fault}. "
            + "They are kept in memory only; make room, or see to the disk, and they will be written."
        ]

    def close(self) -> None:
        """Write what waits, force it to the disk, and end."""
        self._drain_backlog()
        if self._cleaning is not None:
            self._cleaning.file.close()
        self._close_segment()
        self._syncer.close()

    # What is done now and then

    def upkeep(self, now: float, wall_time: float) -> None:
        """To be called some times a second: a little work, bounded and paced. now: monotonic. Raises nothing."""
        if self._syncer.fault:
            self._start_anew_after(self._syncer.fault)
        if self._fault:
            if now < self._retry_at:
                return
            self._retry_at = now + RETRY_S
            if not self._drain_backlog():
                return
        octets = min(STEP_OCTETS, int((now - self._stepped_at) * self._pace))
        if octets <= 0:
            return
        self._stepped_at = now
        try:
            self._delete_done()
            self._delete_expired(wall_time)
            if self._must_rewrite:
                self._rewrite(octets)
            else:
                self._clean(octets, wall_time)
        except OSError as fault:
            self._fault = fault.strerror or str(fault)

    def _start_anew_after(self, fault: str) -> None:
        """The disk did not take what was written (fsync failed): nobody knows what is there, so write all anew."""
        self._syncer.fault = ""
        self._fault = fault
        self._must_rewrite = True
        self._rewriting = None
        if self._current is not None:
            self._current.forget_at = LATER
        self._close_segment()

    def _drain_backlog(self) -> bool:
        self._fault = ""
        while self._backlog:
            data, forget_at = self._backlog[0]
            if not self._put(data, forget_at):
                return False
            del self._backlog[0]
            self._backlog_octets -= len(data)
        if self._must_rewrite and self._current is None:
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

    def _delete_done(self) -> None:
        """Segments whose copies have reached the disk."""
        while self._doomed and self._doomed[0][1] <= self._syncer.completed:
            segment, _ = self._doomed.pop(0)
            segment.path.unlink(missing_ok=True)

    def _delete_expired(self, wall_time: float) -> None:
        for index, segment in enumerate(self._segments):
            if segment.forget_at + FORGET_MARGIN_S < wall_time:
                if self._cleaning is not None and self._cleaning.segment is segment:
                    self._end_cleaning()
                segment.path.unlink(missing_ok=True)
                del self._segments[index]
                return

    # Cleaning

    def _is_cleaning_due(self) -> bool:
        live_octets = self._table.count() * RECORD_ESTIMATE / self._workers
        total = self._total_octets()
        return len(self._segments) > SEGMENTS_MAX or total > max(
            4 * self._segment_octets, 3 * live_octets, self._clean_above
        )

    def _total_octets(self) -> int:
        return sum(segment.size for segment in self._segments) + (0 if self._current is None else self._current.size)

    def _clean(self, octets: int, wall_time: float) -> None:
        if self._cleaning is None:
            candidates = [segment for segment in self._segments if segment.forget_at < LATER]
            if not candidates or not self._is_cleaning_due():
                return
            self._cleaning = Cleaning(candidates[0])
        cleaning = self._cleaning
        try:
            data = cleaning.file.read(octets)
        except OSError as fault:
            cleaning.segment.forget_at = LATER
            self.remarks.append(f"{cleaning.segment.path} cannot be read: {fault.strerror or fault}.")
            self._end_cleaning()
            return
        records = cleaning.reader.feed(data) if data else cleaning.reader.finish()
        kept = [record for record in records if self._is_worth_keeping(record, wall_time)]
        if kept:
            copies = b"".join(map(frame, kept))
            if not self._put(copies, max([self._forget_at(record) for record in kept])):
                self._end_cleaning()  # begins again from the start of the segment when the disk is well
                return
            cleaning.kept_octets += len(copies)
        if not data:
            self._finish_cleaning(cleaning)

    def _is_worth_keeping(self, record: bytes, wall_time: float) -> bool:
        try:
            return self._table.forget_at(record) > wall_time and self._table.is_current(record)
        except ValueError:
            return True

    def _finish_cleaning(self, cleaning: Cleaning) -> None:
        self._end_cleaning()
        segment = cleaning.segment
        self._segments.remove(segment)
        if cleaning.reader.damage:
            aside = set_aside(segment.path)
            self.remarks.append(
                f"{segment.path} was damaged: what could be read of it is kept, the file is now {aside.name}."
            )
        else:
            ticket = self._syncer.request(self._fd) if self._fd >= 0 else self._syncer.completed
            self._doomed.append((segment, ticket))
        if cleaning.kept_octets > segment.size // 2:
            # Nearly all of it was current: more of the same would only wear out the disk.
            self._clean_above = self._total_octets() * 1.25
        else:
            self._clean_above = 0.0

    def _end_cleaning(self) -> None:
        if self._cleaning is not None:
            self._cleaning.file.close()
            self._cleaning = None
