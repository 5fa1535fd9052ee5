"""The journal of registrations that earlier versions kept: read once, then set aside.

Segment files of frames (messages/record_frames.py), each with the record of a change (location/binding_records.py).
Torn ends are normal; damaged frames are stepped over.

    DIR/worker-NNN-INCARNATION-SERIAL.journal      as it was written
    DIR/journal-read-TIME/                         where all segments are once their records are stored elsewhere
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from appliance.messages.record_frames import FrameReader, NewerFormat

READ_OCTETS: Final = 1 << 20
_NAME: Final = re.compile(r"worker-\d{3}-[0-9a-f]{16}-\d{6}\.journal(\.salvaged)?")


def journal_segments(folder: Path) -> list[Path]:
    """The segments in a folder, oldest first as far as names tell."""
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), key=lambda path: path.name[11:])


def segment_records(path: Path, remarks: list[str]) -> Iterator[list[bytes]]:
    """The records of a segment; a sentence is added to `remarks` where something could not be read."""
    reader = FrameReader()
    try:
        with path.open("rb") as file:
            while data := file.read(READ_OCTETS):
                yield reader.feed(data)
        yield reader.finish()
    except (OSError, NewerFormat) as fault:
        remarks.append(f"{path} was not read to its end: {fault!r}.")
    if reader.damage:
        lost = sum(length for _, length in reader.damage)
        remarks.append(f"{path} is damaged: {lost} octets could not be read.")


def set_journal_aside(folder: Path) -> Path:
    """Move the segments to a folder of their own; returns it. Raises OSError."""
    aside = folder / time.strftime("journal-read-%Y%m%dT%H%M%SZ", time.gmtime())
    aside.mkdir(mode=0o700, exist_ok=True)
    for path in journal_segments(folder):
        path.rename(aside / path.name)
    return aside
