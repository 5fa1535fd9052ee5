"""The cleaning of the journal: what becomes of segments that are not written to any more.

A segment is deleted when everything in it is past its time. When there are too many, or too much is in them, the
oldest is read in small steps, and what is still current of it is handed out, to be written to the newest segment; when
that has reached the disk the oldest is deleted (log-structured cleaning). Whoever calls sets the pace, writes the
copies, and says when they are on the disk.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final, Protocol

from appliance.messages.record_frames import FrameReader, frame
from appliance.storage.journal_files import set_aside
from appliance.storage.journal_mark import unmark_when_empty
from appliance.storage.journal_segment import LATER, Segment

SEGMENTS_MAX: Final = 64  # of one worker; above it small ones are put together
RECORD_ESTIMATE: Final = 400  # octets
BEHIND_FACTOR: Final = 1.5
FORGET_MARGIN_S: Final = 60.0  # for clocks that are set


class CleaningTable(Protocol):
    """What cleaning asks about records. forget_at and is_current raise ValueError for what is no record."""

    def forget_at(self, record: bytes, /) -> float: ...
    def is_current(self, record: bytes, /) -> bool: ...
    def count(self) -> int: ...


class _Reading:
    """A segment that is being read, to be copied as far as it is current."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.file = segment.path.open("rb")
        self.frames = FrameReader()
        self.is_at_end = False
        self.copied_octets = 0

    def read(self, octets: int) -> list[bytes]:
        data = self.file.read(octets)
        self.is_at_end = not data
        return self.frames.feed(data) if data else self.frames.finish()


class _Copied:
    """A segment that may go when a request of the syncer's is done."""

    def __init__(self, segment: Segment, is_damaged: bool, request: int) -> None:
        self.segment = segment
        self.is_damaged = is_damaged
        self.request = request


class Compactor:
    """The closed segments of one worker.

    segment_octets: how large they become; workers: among how many the records of the table are shared.
    remarks: gets a sentence for each file that is found damaged.
    `newest`, in its methods, is the segment that is being written, if there is one: it counts, and is left alone.
    """

    def __init__(self, segment_octets: int, workers: int, table: CleaningTable, remarks: list[str]) -> None:
        self.reconfigure(segment_octets, workers)
        self._table = table
        self._remarks = remarks
        self._segments: list[Segment] = []  # oldest first
        self._reading: _Reading | None = None
        self._copied: list[_Copied] = []
        self._clean_above = 0.0

    def reconfigure(self, segment_octets: int, workers: int) -> None:
        """Go by these from now on; see the constructor."""
        self._segment_octets = segment_octets
        self._workers = workers

    def add(self, segment: Segment) -> None:
        """Nobody writes to this segment any more. To be called in the order of their age."""
        self._segments.append(segment)

    # Deleting

    def delete(self, wall_time: float, forced: int) -> None:
        """Delete what was copied to the disk, up to the request numbered `forced` (see finish), and one segment in
        which everything is over. Raises OSError.
        """
        while self._copied and self._copied[0].request <= forced:
            self._let_go(self._copied.pop(0))
        self._delete_expired(wall_time)

    def _let_go(self, copied: _Copied) -> None:
        path = copied.segment.path
        if not copied.is_damaged:
            path.unlink(missing_ok=True)
            return
        aside = set_aside(path)
        self._remarks.append(f"{path} was damaged; the intact records were kept. The file was renamed to {aside.name}.")

    def _delete_expired(self, wall_time: float) -> None:
        for index, segment in enumerate(self._segments):
            if segment.forget_at + FORGET_MARGIN_S < wall_time:
                if self._reading is not None and self._reading.segment is segment:
                    self.stop()
                segment.path.unlink(missing_ok=True)
                del self._segments[index]
                if not self._segments:
                    unmark_when_empty(segment.path.parent)
                return

    # Copying

    def read_on(self, octets: int, wall_time: float, newest: Segment | None) -> tuple[bytes, float]:
        """Read the next octets, if there is anything to clean.

        Returns the frames of what has to be written to the newest segment, b"" for nothing, and until when they matter
        (unix time). is_at_end() tells whether these are the last.
        """
        if self._reading is None and not self._begin(newest):
            return b"", 0.0
        reading = self._reading
        assert reading is not None
        try:
            records = reading.read(octets)
        except OSError as fault:
            self.stop()
            self._leave_alone(reading.segment, fault)
            return b"", 0.0
        copies, forget_at = self._copies_of(records, wall_time)
        reading.copied_octets += len(copies)
        return copies, forget_at

    def _begin(self, newest: Segment | None) -> bool:
        oldest = next((segment for segment in self._segments if segment.forget_at < LATER), None)
        if oldest is None or not self._is_due(newest):
            return False
        try:
            self._reading = _Reading(oldest)
        except OSError as fault:
            self._leave_alone(oldest, fault)
            return False
        return True

    def _leave_alone(self, segment: Segment, fault: OSError) -> None:
        """It cannot be read: nobody looks at it any more, and what has vanished is forgotten."""
        self._remarks.append(f"{segment.path} cannot be read: {fault.strerror or fault}.")
        segment.forget_at = LATER
        if isinstance(fault, FileNotFoundError):
            self._segments.remove(segment)

    def _is_due(self, newest: Segment | None) -> bool:
        return len(self._segments) > SEGMENTS_MAX or self._total_octets(newest) > self._bound()

    def is_behind(self, newest: Segment | None) -> bool:
        """Is there so much more than should be that cleaning cannot wait?"""
        return self._total_octets(newest) > BEHIND_FACTOR * self._bound()

    def _bound(self) -> float:
        live_octets = self._table.count() * RECORD_ESTIMATE / self._workers
        return max(4 * self._segment_octets, 3 * live_octets, self._clean_above)

    def _total_octets(self, newest: Segment | None) -> int:
        return sum(segment.size for segment in self._segments) + (0 if newest is None else newest.size)

    def _copies_of(self, records: list[bytes], wall_time: float) -> tuple[bytes, float]:
        frames = []
        forget_at = 0.0
        for record in records:
            keep_until = self._keep_until(record, wall_time)
            if keep_until:
                frames.append(frame(record))
                forget_at = max(forget_at, keep_until)
        return b"".join(frames), forget_at

    def _keep_until(self, record: bytes, wall_time: float) -> float:
        """Unix time; 0.0 for a record that need not be kept."""
        forget_at = LATER
        with suppress(ValueError):  # of a kind not known here: not ours to throw away
            forget_at = self._table.forget_at(record)
            if forget_at <= wall_time or not self._table.is_current(record):
                return 0.0
        return forget_at

    @property
    def is_reading(self) -> bool:
        """Is a segment being read?"""
        return self._reading is not None

    def is_at_end(self) -> bool:
        """Is a segment read to its end, and waits for finish()?"""
        return self._reading is not None and self._reading.is_at_end

    def finish(self, request: int, newest: Segment | None) -> None:
        """All copies are written. They are on the disk, and the segment may go, when `request` is done (see
        syncer.py).
        """
        reading = self._reading
        assert reading is not None
        self.stop()
        segment = reading.segment
        self._segments.remove(segment)
        self._copied.append(_Copied(segment, bool(reading.frames.damage), request))
        # Where nearly all of it was current, more of the same would only wear out the disk.
        is_futile = reading.copied_octets > segment.size // 2
        self._clean_above = self._total_octets(newest) * 1.25 if is_futile else 0.0

    def copy_again(self) -> None:
        """The disk may not have kept the copies: segments that were to go for their sake are segments again."""
        self.stop()
        self._segments[:0] = [copied.segment for copied in self._copied]
        self._copied.clear()

    def stop(self) -> None:
        """Read no more of the segment that is being read; the next time it is read from its start."""
        if self._reading is not None:
            self._reading.file.close()
            self._reading = None
