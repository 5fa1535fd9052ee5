"""A store of keys that all members of a cluster share, as the rest of this folder knows it.

etcd for a cluster (store.py), dictionaries for tests (dict_store.py). Every change of the store has a number, its
revision; a key remembers the revision of its last change. Nothing here waits for longer than a deadline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

ABSENT = 0
"""The revision of a key that does not exist."""
NO_LEASE = 0
WRITES_MAX = 100
"""Of one transaction; etcd allows 128."""


class StoreFault(Exception):
    """The store did not do what was asked; the message is a sentence for the operator."""


class StoreUnavailable(StoreFault):
    """The store does not answer, or has no majority. What was to be changed may have been changed, or may be later."""


class StoreRefused(StoreFault):
    """The store answers, and refuses: it is full, or does not permit it."""


class StoreFull(StoreRefused):
    """It takes no more changes until an operator has made room."""


class Compacted(Exception):
    """Changes of so long ago are not known any more: everything has to be read anew."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value. `revision`: of its last change, `created`: of its creation, `lease`: with which it ends."""

    key: str
    value: bytes
    revision: int
    created: int
    lease: int = NO_LEASE


@dataclass(frozen=True, slots=True)
class Reading:
    """All keys with a prefix at one revision."""

    revision: int
    entries: Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Change:
    """A key that was written, or deleted (`entry` is None)."""

    key: str
    entry: Entry | None
    revision: int


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The condition that a key was last changed at this revision; ABSENT: that it does not exist."""

    key: str
    revision: int


@dataclass(frozen=True, slots=True)
class Put:
    """Write a key; with a lease, it ends with that."""

    key: str
    value: bytes
    lease: int = NO_LEASE


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a key."""

    key: str


Write = Put | Delete


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """How long a lease was granted for, and how much of it is left, in seconds."""

    granted_s: int
    left_s: int


@dataclass(frozen=True, slots=True)
class ServerHealth:
    """One server of the store. `fault`: why it does not answer, "" for none; `size`: octets of its database."""

    url: str
    fault: str = ""
    version: str = ""
    is_leader: bool = False
    size: int = 0
    sees_leader: bool = field(default=True)


class Watch(Protocol):
    """What changes from a revision on."""

    def wait(self, timeout_s: float) -> list[Change]:
        """The changes since the last call, in order; [] when none came in time.

        Raises StoreUnavailable: changes may be missed from now on, watch anew. Raises Compacted.
        """

    def close(self) -> None:
        """Watch no longer."""


class KeyStore(Protocol):
    """The store. All methods raise StoreUnavailable and StoreRefused."""

    def read(self, prefix: str) -> Reading:
        """All keys that begin so, as a majority of the servers knows them."""

    def commit(self, conditions: Sequence[Unchanged], writes: Sequence[Write]) -> bool:
        """Write all, or nothing where a condition does not hold (False).

        After StoreUnavailable that is not known: read before the next attempt.
        """

    def watch(self, prefix: str, after: int) -> Watch:
        """The changes of keys that begin so, after that revision."""

    def grant(self, ttl_s: int) -> int:
        """A new lease."""

    def keep(self, lease: int) -> bool:
        """Begin its time anew; False when it has ended."""

    def lease_times(self, lease: int) -> LeaseTimes | None:
        """None when it has ended."""

    def revoke(self, lease: int) -> None:
        """End it, with its keys."""

    def health(self, place: int) -> ServerHealth:
        """How one server is, by its place in the list; it does not raise."""

    def close(self) -> None:
        """Forget all connections."""
