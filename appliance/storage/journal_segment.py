"""A segment: one file of the journal, from the time it is made to the time it is deleted.

What is written to it is there whole or not at all: what the disk took of the rest is taken back, and where not even
that can be done, nothing more is written behind it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from appliance.messages.record_frames import HEADER

LATER: Final = float("inf")  # until when a segment matters that must be left alone


class Segment:
    """A file of records.

    `size`        in octets, as far as they are whole.
    `forget_at`   unix time after which nothing in it matters.
    `fd`          its number while it is open for writing; -1 before and after.
    `is_torn`     something half written could not be taken back.
    """

    __slots__ = ("fd", "forget_at", "is_torn", "path", "size")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.forget_at = 0.0
        self.fd = -1
        self.is_torn = False

    def create(self) -> None:
        """Make the file, with its header, to be written to. Raises OSError, and leaves no file of its making then."""
        self.fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self.write(HEADER)
        except OSError:
            # An empty file would stay behind for every attempt.
            self.path.unlink(missing_ok=True)
            self.close()
            raise

    def write(self, data: bytes) -> None:
        """All of it or nothing, at the end. Raises OSError."""
        written = 0
        try:
            while written < len(data):
                written += os.write(self.fd, data[written:] if written else data)
        except OSError:
            self._take_back()
            raise
        self.size += len(data)

    def _take_back(self) -> None:
        try:
            os.ftruncate(self.fd, self.size)
        except OSError:
            self.is_torn = True

    def close(self) -> None:
        """Write no more to it. Raises OSError; it is closed all the same."""
        fd, self.fd = self.fd, -1
        os.close(fd)
