"""A mark beside the folder of the journal: registrations are stored there.

An empty folder alone tells nothing: there may never have been a registration, or all have expired. With the mark it
tells that files were lost, or that another folder was meant. The mark is set with each new segment, and goes with the
last segment that has expired.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from appliance.storage.journal_files import segments_in

SUFFIX: Final = ".stored"


def mark_stored(folder: Path) -> None:
    """Registrations are stored in the folder from now on. Raises nothing: without it only an alarm is missing."""
    with suppress(OSError):
        _mark(folder).touch(mode=0o600)


def unmark_when_empty(folder: Path) -> None:
    """A segment has expired: where it was the last one, nothing is stored any more. Raises OSError."""
    if segments_in(folder):
        return
    _mark(folder).unlink(missing_ok=True)
    if segments_in(folder):
        # Another worker has begun one in between.
        mark_stored(folder)


def is_marked(folder: Path) -> bool:
    """Should there be registrations?"""
    return _mark(folder).exists()


def _mark(folder: Path) -> Path:
    return folder.with_name(folder.name + SUFFIX)
