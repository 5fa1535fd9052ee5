"""A store of keys in dictionaries, for one process: what tests of the decisions run on.

Time is what the test says (`now`). A test can make it unavailable, full, or forget what has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.cluster.coordination.key_store import (
    ABSENT,
    NO_LEASE,
    Change,
    Compacted,
    Entry,
    LeaseTimes,
    Put,
    Reading,
    ServerHealth,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
    Unchanged,
    Write,
)

VERSION = "3.4.23"


@dataclass(slots=True)
class _Lease:
    granted_s: int
    ends_at: float


class DictKeys:
    """What all stores of a test share, as the servers of etcd do."""

    def __init__(self) -> None:
        self.revision = 1
        self.entries: dict[str, Entry] = {}
        self.changes: list[Change] = []
        self.compacted = 0
        self.leases: dict[int, _Lease] = {}
        self.now = 0.0
        self.is_available = True
        self.is_full = False
        self.version = VERSION

    def compact(self) -> None:
        """Forget the changes so far."""
        self.compacted, self.changes = self.revision, []

    def pass_time(self, seconds: float) -> None:
        """Leases end."""
        self.now += seconds
        for number in [number for number, lease in self.leases.items() if lease.ends_at <= self.now]:
            self.end_lease(number)

    def end_lease(self, number: int) -> None:
        """A lease ends, with its keys."""
        del self.leases[number]
        if keys := [key for key, entry in self.entries.items() if entry.lease == number]:
            self.revision += 1
            for key in keys:
                self._note(key, None)

    def write(self, writes: Sequence[Write]) -> None:
        """All at one revision."""
        if writes:
            self.revision += 1
        for write in writes:
            former = self.entries.get(write.key)
            if isinstance(write, Put):
                created = former.created if former else self.revision
                self._note(write.key, Entry(write.key, write.value, self.revision, created, write.lease))
            elif former:
                self._note(write.key, None)

    def _note(self, key: str, entry: Entry | None) -> None:
        if entry is None:
            del self.entries[key]
        else:
            self.entries[key] = entry
        self.changes.append(Change(key, entry, self.revision))


class DictStore:
    """One client of the keys."""

    def __init__(self, keys: DictKeys | None = None) -> None:
        self.keys = keys or DictKeys()
        self.is_cut_off = False
        """It alone does not reach the servers."""

    def read(self, prefix: str) -> Reading:
        self.check()
        found = {key: entry for key, entry in self.keys.entries.items() if key.startswith(prefix)}
        return Reading(self.keys.revision, found)

    def commit(self, conditions: Sequence[Unchanged], writes: Sequence[Write]) -> bool:
        self.check()
        if any(self._revision(each.key) != each.revision for each in conditions):
            return False
        if self.keys.is_full and any(isinstance(write, Put) for write in writes):
            raise StoreFull("etcd is full and takes no changes (NOSPACE).")
        if any(write.lease not in (NO_LEASE, *self.keys.leases) for write in writes if isinstance(write, Put)):
            raise StoreRefused("etcd refuses it: requested lease not found.")
        self.keys.write(writes)
        return True

    def watch(self, prefix: str, after: int) -> DictWatch:
        self.check()
        return DictWatch(self, prefix, after)

    def grant(self, ttl_s: int) -> int:
        self.check()
        number = max(self.keys.leases, default=0) + 1
        self.keys.leases[number] = _Lease(ttl_s, self.keys.now + ttl_s)
        return number

    def keep(self, lease: int) -> bool:
        self.check()
        found = self.keys.leases.get(lease)
        if found is None:
            return False
        found.ends_at = self.keys.now + found.granted_s
        return True

    def lease_times(self, lease: int) -> LeaseTimes | None:
        self.check()
        found = self.keys.leases.get(lease)
        return None if found is None else LeaseTimes(found.granted_s, int(found.ends_at - self.keys.now))

    def revoke(self, lease: int) -> None:
        self.check()
        if lease not in self.keys.leases:
            raise StoreRefused("etcd refuses it: requested lease not found.")
        self.keys.end_lease(lease)

    def health(self, place: int) -> ServerHealth:
        is_there = self.keys.is_available and not self.is_cut_off
        fault = "" if is_there else "It does not answer."
        return ServerHealth(f"http://etcd-{place + 1}:2379", fault, self.keys.version)

    def close(self) -> None:
        """Nothing is open."""

    def check(self) -> None:
        """Raises StoreUnavailable where a test wants it."""
        if self.is_cut_off or not self.keys.is_available:
            raise StoreUnavailable("etcd does not answer.")

    def _revision(self, key: str) -> int:
        entry = self.keys.entries.get(key)
        return ABSENT if entry is None else entry.revision


class DictWatch:
    """One watch; it never waits."""

    def __init__(self, store: DictStore, prefix: str, after: int) -> None:
        self._store, self._prefix, self._seen = store, prefix, after

    def wait(self, timeout_s: float) -> list[Change]:
        self._store.check()
        keys = self._store.keys
        if self._seen < keys.compacted:
            raise Compacted
        news = [change for change in keys.changes if change.revision > self._seen]
        self._seen = keys.revision
        return [change for change in news if change.key.startswith(self._prefix)]

    def close(self) -> None:
        """Nothing is open."""
