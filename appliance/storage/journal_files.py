"""The folder of the journal: names of its files, reading them, and making good what is damaged before anybody starts.

A damaged file is never overwritten: what is whole in it is written to a new file and forced to the disk, the damaged
one gets a name under which nobody touches it, and the new one takes its place. A power cut at any point of that loses
nothing.

    worker-NNN-INCARNATION-SERIAL.journal            see messages/record_frames.py for what is inside
    worker-....journal.damaged-TIME                  set aside, never read or deleted by us
    worker-....journal.salvaged                      on its way to take the place of a damaged one
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from appliance.messages.record_frames import FORMAT, HEADER, FrameReader, NewerFormat, frame

READ_OCTETS: Final = 1 << 20
_NAME: Final = re.compile(r"worker-(\d{3})-([0-9a-f]{16})-(\d{6})\.journal")


class JournalError(OSError):
    """The folder cannot be used. The message is a sentence that says why and what to do."""


def segment_name(number: int, incarnation: int, serial: int) -> str:
    """The name of a worker's segment."""
    return f"worker-{number:03d}-{incarnation:016x}-{serial:06d}.journal"


def worker_of(path: Path) -> int:
    """The number of the worker that wrote a segment."""
    return int(path.name[7:10])


def segments_in(folder: Path) -> list[Path]:
    """Oldest first, as far as names tell."""
    return sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), key=lambda path: path.name[11:])


def read_records(path: Path, reader: FrameReader) -> Iterator[list[bytes]]:
    with path.open("rb") as file:
        while data := file.read(READ_OCTETS):
            yield reader.feed(data)
    yield reader.finish()


def torn_sentence(path: Path, octets: int) -> str:
    return (
        f"The last record in {path} is incomplete ({octets} octets), as after a power failure. "
        f"All records before it were read."
    )


def set_aside(path: Path) -> Path:
    """Give a damaged file a name under which nobody touches it. Raises OSError."""
    changed_at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(path.stat().st_mtime))
    aside = path.with_name(f"{path.name}.damaged-{changed_at}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{changed_at}-{number}")
    path.rename(aside)
    return aside


def check_folder(folder: Path) -> list[str]:
    """Make the folder if there is none, see that it can be written, and make good what is damaged.

    Returns sentences for the operator, none when all is well. To be called while no worker runs. Raises JournalError.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _try_to_write(folder)
        _finish_salvages(folder)
        sentences = [_check_segment(path) for path in segments_in(folder)]
    except OSError as fault:
        if isinstance(fault, JournalError):
            raise
        raise JournalError(
            f"Registrations cannot be saved in {folder}: {fault.strerror or fault}. Free disk space, make the folder "
            "writable for the user that runs signalbox, or use another folder with --state."
        ) from fault
    return [sentence for sentence in sentences if sentence]


def _try_to_write(folder: Path) -> None:
    trial = folder / ".trial"
    try:
        trial.write_bytes(HEADER)
    finally:
        trial.unlink(missing_ok=True)


def _check_segment(path: Path) -> str:
    reader = FrameReader()
    count = 0
    try:
        for records in read_records(path, reader):
            count += len(records)
    except NewerFormat as fault:
        raise JournalError(
            f"{path} was written by a later version of signalbox (format {fault.found}; this one reads {FORMAT}). Run "
            "that version, or move the file away; its registrations are then lost."
        ) from fault
    if reader.damage:
        return _salvage(path, count, reader)
    return torn_sentence(path, reader.torn) if reader.torn else ""


def _salvage(path: Path, count: int, reader: FrameReader) -> str:
    """Write what is whole to a file of its own; then the damaged one goes aside, and the new one takes its name."""
    salvaged = path.with_name(path.name + ".salvaged")
    with os.fdopen(os.open(salvaged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(HEADER)
        for records in read_records(path, FrameReader()):
            file.writelines(map(frame, records))
        file.flush()
        os.fsync(file.fileno())
    aside = set_aside(path)
    salvaged.rename(path)
    lost = sum(length for _, length in reader.damage)
    return (
        f"{path} was damaged at octet {reader.damage[0][0]}: {count} changes were read, "
        f"{lost} octets could not be read. The damaged file was renamed to {aside.name}."
    )


def _finish_salvages(folder: Path) -> None:
    """A salvage that a power cut ended: before the damaged file went aside it begins anew, after that it only lacks
    its name.
    """
    for salvaged in folder.glob("worker-*.salvaged"):
        path = salvaged.with_name(salvaged.name.removesuffix(".salvaged"))
        if path.exists():
            salvaged.unlink()
        else:
            salvaged.rename(path)
