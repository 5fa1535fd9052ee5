"""The record of take-overs in etcd: written once each, bounded, with the last epoch of each virtual address.

A take-over is named by address and epoch, which never come again; so it may be written twice without harm, after an
attempt whose outcome etcd did not say. It waits in a bounded queue while etcd is away; the oldest is the victim.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Final

from appliance.catalogue.cluster_status import TakeOverRow
from appliance.cluster.coordination.key_store import ABSENT, WRITES_MAX, Delete, Entry, Put, Unchanged, Write
from appliance.cluster.coordination.keys import ClusterKeys
from appliance.messages.cluster_messages import TakeOver, TakeOverKey

RECORDS_MAX: Final = 1000
WAITING_MAX: Final = 1000
REASON_LEN_MAX: Final = 200
Entries = Mapping[str, Entry]


class TakeOverQueue:
    """Take-overs that etcd has not got."""

    def __init__(self) -> None:
        self.dropped = 0
        """How many were given up because too many waited."""
        self._waiting: dict[tuple[int, int], TakeOver] = {}

    def add(self, take_over: TakeOver) -> None:
        """One more; one that waits already is not added again."""
        self._waiting.setdefault((take_over.address, take_over.epoch), take_over)
        if len(self._waiting) > WAITING_MAX:
            del self._waiting[next(iter(self._waiting))]
            self.dropped += 1

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[TakeOver]:
        return iter(list(self._waiting.values()))

    def remove(self, recorded: TakeOverKey) -> None:
        """Etcd has this one."""
        self._waiting.pop((recorded.address, recorded.epoch), None)


def record_of(row: TakeOverRow) -> bytes:
    """As it is stored."""
    fields = asdict(row)
    del fields["is_recorded"]
    return json.dumps({"format": 1, **fields}).encode()


def row_of(take_over: TakeOver, names: Mapping[int, str], is_recorded: bool) -> TakeOverRow:
    """As operators see it; `names`: of the members by number."""
    return TakeOverRow(
        wall_time=take_over.wall_time,
        address=take_over.name,
        epoch=take_over.epoch,
        owner=_name(take_over.owner, names),
        last_owner=_name(take_over.last_owner, names),
        reason=take_over.reason[:REASON_LEN_MAX],
        gap_ms=take_over.gap_ms,
        is_recorded=is_recorded,
    )


def _name(member: int, names: Mapping[int, str]) -> str:
    return names.get(member, f"member {member}") if member else ""


def rows_in(entries: Entries, keys: ClusterKeys) -> list[TakeOverRow]:
    """What etcd holds, the newest last; what cannot be understood is left out."""
    records = sorted(_records(entries, keys), key=lambda entry: entry.created)
    return [row for entry in records if (row := _read(entry.value)) is not None]


def epochs_in(entries: Entries, keys: ClusterKeys) -> tuple[tuple[int, int], ...]:
    """(number of a virtual address, its last epoch)."""
    found = []
    for key, entry in entries.items():
        address = key.removeprefix(keys.epochs)
        if address != key and address.isdecimal() and entry.value.isdigit():
            found.append((int(address), int(entry.value)))
    return tuple(sorted(found))


def transaction_for(
    take_over: TakeOver, names: Mapping[int, str], entries: Entries, keys: ClusterKeys
) -> tuple[list[Unchanged], list[Write]]:
    """What records one take-over; without writes where etcd has it already."""
    key, epoch_key = keys.take_over(take_over.address, take_over.epoch), keys.epoch(take_over.address)
    if key in entries:
        return [], []
    known = entries.get(epoch_key)
    conditions = [Unchanged(key, ABSENT), Unchanged(epoch_key, known.revision if known else ABSENT)]
    writes: list[Write] = [Put(key, record_of(row_of(take_over, names, True)))]
    if known is None or not known.value.isdigit() or int(known.value) < take_over.epoch:
        writes.append(Put(epoch_key, str(take_over.epoch).encode()))
    oldest = sorted(_records(entries, keys), key=lambda entry: entry.created)
    surplus = len(oldest) + 1 - RECORDS_MAX
    writes += [Delete(entry.key) for entry in oldest[: max(min(surplus, WRITES_MAX - 2), 0)]]
    return conditions, writes


def _records(entries: Entries, keys: ClusterKeys) -> Iterator[Entry]:
    return (entry for key, entry in entries.items() if key.startswith(keys.take_overs))


def _read(octets: bytes) -> TakeOverRow | None:
    try:
        fields = json.loads(octets)
        return TakeOverRow(
            wall_time=float(fields["wall_time"]),
            address=str(fields["address"]),
            epoch=int(fields["epoch"]),
            owner=str(fields["owner"]),
            last_owner=str(fields["last_owner"]),
            reason=str(fields["reason"]),
            gap_ms=int(fields["gap_ms"]),
        )
    except (ValueError, TypeError, KeyError):
        return None
