"""Records of other nodes on their way into the registration table: in short transactions, in the order they came.

Where another process writes to the table, they wait. What waits is bounded by what the other nodes may have under way
(send_window.py) and by one step of a comparison for each of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from appliance.location.binding_records import RecordError, decode_address
from appliance.location.registration_table import BUSY
from appliance.location.table_store import TableFull

STEP: Final = 256  # records in one transaction
BUSY_S: Final = 0.001


class WrittenTable(Protocol):
    """The registration table, as far as it is written here."""

    def load(self, records: list[bytes], is_logged: bool = ..., /) -> int: ...


@dataclass(slots=True)
class Delivery:
    """Records that belong together. `done`: called with "" when all are in the table, or with a sentence that says why
    they are not.
    """

    records: Sequence[bytes]
    done: Callable[[str], None]
    at: int = 0


class Intake:
    """Call `work` until it is None. taken: records that the table has now. refused: octets that were no record, or
    found no room.
    """

    def __init__(self) -> None:
        self.taken = 0
        self.refused = 0
        self._waiting: deque[Delivery] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, records: Sequence[bytes], done: Callable[[str], None]) -> None:
        """Have these taken after those that came before."""
        self._waiting.append(Delivery(records, done))

    def clear(self) -> None:
        """The table is another one: what waited for it comes again."""
        self._waiting.clear()

    def work(self, table: WrittenTable, now: float) -> float | None:
        """One transaction; returns when to call again, None when nothing waits. Raises TableUnsound."""
        if not self._waiting:
            return None
        delivery = self._waiting[0]
        records = list(delivery.records[delivery.at : delivery.at + STEP])
        try:
            if self._load(table, records) == BUSY:
                return now + BUSY_S
        except TableFull as fault:
            self.refused += len(delivery.records) - delivery.at
            self._waiting.popleft()
            delivery.done(f"{fault}")
            return now
        delivery.at += len(records)
        if delivery.at >= len(delivery.records):
            self._waiting.popleft()
            delivery.done("")
        return now if self._waiting else None

    def _load(self, table: WrittenTable, records: list[bytes]) -> int:
        """Load what are records; one that is none costs itself only."""
        sound = [record for record in records if _is_record(record)]
        loaded = table.load(sound, True) if sound else 0
        if loaded != BUSY:
            self.taken += len(sound)
            self.refused += len(records) - len(sound)
        return loaded


def _is_record(octets: bytes) -> bool:
    try:
        return bool(decode_address(octets))
    except RecordError:
        return False
