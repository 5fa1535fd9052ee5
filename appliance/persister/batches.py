"""What a pass of the persister writes: the last records of the addresses that changed, in the order of their keys.

The change log says which addresses changed, the table what is there now. A record may be newer than the place in the
log that a pass reaches; the log then names its address again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

Record = tuple[bytes, bytes]
Change = tuple[bytes, bytes | None]


class ChangeLog(Protocol):
    """The registration table, as far as a pass reads it."""

    @property
    def first_seq(self) -> int: ...
    @property
    def last_seq(self) -> int: ...
    def changes_after(self, seq: int, limit: int) -> list[tuple[int, bytes]]: ...
    def records_of(self, aors: list[bytes]) -> list[bytes | None]: ...


@dataclass(frozen=True, slots=True)
class Batch:
    """`changes`: (key, record, or None for a removed one); with them all is done up to `seq` of the log."""

    seq: int
    changes: list[Change]


def batch_after(table: ChangeLog, seq: int, limit: int, key_of: Callable[[bytes], bytes]) -> Batch:
    """The next batch, of at most `limit` entries of the log. `key_of`: the key of an address."""
    entries = table.changes_after(seq, limit)
    if not entries:
        return Batch(seq, [])
    addresses = sorted((key_of(aor), aor) for aor in {aor for _, aor in entries})
    records = table.records_of([aor for _, aor in addresses])
    return Batch(entries[-1][0], [(key, record or None) for (key, _), record in zip(addresses, records, strict=True)])


def is_in_log(table: ChangeLog, seq: int) -> bool:
    """Does the log still have everything after this place?"""
    return table.first_seq <= seq <= table.last_seq


def differences(wanted: Sequence[Record], found: Sequence[Record], limit: int) -> tuple[list[Change], bytes | None]:
    """What makes a stretch of one store equal to that of another, and the key up to which it does so; None: to the end.

    Both begin after the same key and have at most `limit` records; one that has fewer is at its end.
    """
    until = min((page[-1][0] for page in (wanted, found) if len(page) >= limit), default=None)
    there = dict(found)
    changes: list[Change] = [
        (key, record)
        for key, record in wanted
        if (until is None or key <= until) and there.pop(key, None) != record
    ]
    changes += [(key, None) for key in there if until is None or key <= until]
    changes.sort(key=_key)
    return changes, until


def _key(change: Change) -> bytes:
    return change[0]
