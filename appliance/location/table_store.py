"""What the registration table asks of the store that keeps it: octets by key, an expiry index, counts, a change log.

In dictionaries for one process (dict_table.py); in memory that the processes of a node share (registrations.py of
storage/). What comes after _begin() below is called inside a write transaction.
"""

from __future__ import annotations


class TableFull(Exception):
    """The store has no room for a transaction. Reads go on."""


class TableUnsound(Exception):
    """The store holds what cannot be: it has to be made anew."""


class TableStore:
    """A class that keeps a table overrides all of it."""

    # Not to be changed but by RegistrationTable: what the transaction adds to the counts.
    _live_step: int
    _dead_step: int

    def changes_after(self, seq: int, limit: int) -> list[tuple[int, bytes]]:
        """(sequence, address) of the first changes after `seq`."""
        raise NotImplementedError

    @property
    def last_seq(self) -> int:
        """The sequence number of the last change; 0 before the first."""
        raise NotImplementedError

    @property
    def first_seq(self) -> int:
        """The log has every change after this one: a reader that has come less far has lost some."""
        raise NotImplementedError

    def record_of(self, aor: bytes) -> bytes:
        """What is stored of an address; b"" for nothing. What is staged is not in it."""
        raise NotImplementedError

    def records_of(self, aors: list[bytes]) -> list[bytes | None]:
        """What is stored of these addresses at one moment; None for nothing."""
        return [self.record_of(aor) or None for aor in aors]

    def _records_after(self, after: bytes, prefix: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """(address, record) of those that come after an address and begin with a prefix, in their order."""
        raise NotImplementedError

    def _counts(self) -> tuple[int, int]:
        """Live bindings and tombstones that are stored."""
        raise NotImplementedError

    def _key(self, aor: bytes) -> bytes:
        """What the store calls an address."""
        return aor

    def _begin(self) -> bool:
        """Begin a write transaction; False where another is in one."""
        raise NotImplementedError

    def _end(self) -> None:
        """Write what the transaction did, with the steps of the counts, which are 0 afterwards."""
        raise NotImplementedError

    def _abandon(self) -> None:
        """Leave the transaction, if there is one, as if it had not been; the steps of the counts are 0 afterwards."""
        raise NotImplementedError

    def _get(self, key: bytes) -> bytes:
        raise NotImplementedError

    def _put(self, key: bytes, record: bytes) -> None:
        raise NotImplementedError

    def _remove(self, key: bytes) -> None:
        raise NotImplementedError

    def _put_due(self, second: int, key: bytes) -> None:
        raise NotImplementedError

    def _remove_due(self, second: int, key: bytes) -> None:
        raise NotImplementedError

    def _due_until(self, second: int, limit: int) -> list[tuple[int, bytes]]:
        """The first entries of the expiry index, as (second, key), up to a second."""
        raise NotImplementedError

    def _append_to_log(self, aor: bytes) -> None:
        """Note a change; where the log holds more than `changes_max`, the oldest entries go."""
        raise NotImplementedError

    def _note_position(self, seq: int) -> None:
        """The persister is done up to here: older entries go from the log, all but the last one and `changes_kept`."""
        raise NotImplementedError
