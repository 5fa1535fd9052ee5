"""All keys with a prefix as they are now: read once, then kept by a watch.

A watch that ended is begun anew after the last change that was taken in, so nothing is missed. Everything is read
anew where the store does not know changes of so long ago any more, or where its revision is lower than one that was
seen: then it was put back from a backup.
"""

from __future__ import annotations

from appliance.cluster.coordination.key_store import Compacted, Entry, KeyStore, Watch


class PrefixView:
    """Call `refresh` again and again. While the store is away, `entries` stays as it was."""

    def __init__(self, store: KeyStore, prefix: str) -> None:
        self.entries: dict[str, Entry] = {}
        self.is_read = False
        """Has it been read at least once?"""
        self._store = store
        self._prefix = prefix
        self._revision = 0
        self._watch: Watch | None = None

    def refresh(self, wait_s: float) -> set[str]:
        """The keys that have changed; waits for a change for so long at most.

        Raises StoreUnavailable and StoreRefused.
        """
        if self._watch is None and (changed := self._begin()):
            return changed
        assert self._watch is not None
        try:
            changes = self._watch.wait(wait_s)
        except Compacted:
            self.close()
            return self._read()
        except Exception:
            self.close()
            raise
        for change in changes:
            if change.entry is None:
                self.entries.pop(change.key, None)
            else:
                self.entries[change.key] = change.entry
            self._revision = max(self._revision, change.revision)
        return {change.key for change in changes}

    def close(self) -> None:
        """Watch no longer; what is known stays."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def _begin(self) -> set[str]:
        """Begin to watch; the keys that were found changed by reading."""
        changed: set[str] = set()
        # A key that is alone tells the revision; a store whose revision is lower is another one than before.
        if not self.is_read or self._store.read(f"{self._prefix}revision").revision < self._revision:
            changed = self._read()
        try:
            self._watch = self._store.watch(self._prefix, self._revision)
        except Compacted:
            changed |= self._read()
            self._watch = self._store.watch(self._prefix, self._revision)
        return changed

    def _read(self) -> set[str]:
        reading = self._store.read(self._prefix)
        former, self.entries = self.entries, dict(reading.entries)
        self._revision, self.is_read = reading.revision, True
        return {key for key in former.keys() | self.entries.keys() if former.get(key) != self.entries.get(key)}
