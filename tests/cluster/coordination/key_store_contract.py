"""What a store of keys does (cluster/coordination/key_store.py), for each store that there is."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import pytest

from appliance.cluster.coordination.key_store import (
    ABSENT,
    Change,
    Compacted,
    Delete,
    KeyStore,
    Put,
    StoreRefused,
    Unchanged,
    Watch,
)

Passing = Callable[[float], None]
PATIENCE_S = 10.0


class KeyStoreContract:
    """A subclass has the fixtures `store`, `other` (another client of the same keys), `compact`, and `pass_time`."""

    def test_what_is_written_together_is_read_together(self, store: KeyStore, other: KeyStore) -> None:
        assert store.commit([], [Put("/t/a", b"1"), Put("/t/b", b"2"), Put("/u/c", b"3")])
        reading = other.read("/t/")
        assert {key: entry.value for key, entry in reading.entries.items()} == {"/t/a": b"1", "/t/b": b"2"}
        assert {entry.revision for entry in reading.entries.values()} == {reading.revision}

    def test_a_condition_that_does_not_hold_prevents_all(self, store: KeyStore) -> None:
        store.commit([], [Put("/t/a", b"1")])
        seen = store.read("/t/").entries["/t/a"]
        assert not store.commit([Unchanged("/t/a", seen.revision - 1)], [Put("/t/a", b"2"), Put("/t/b", b"2")])
        assert not store.commit([Unchanged("/t/a", ABSENT)], [Delete("/t/a")])
        assert store.read("/t/").entries == {"/t/a": seen}
        assert store.commit([Unchanged("/t/a", seen.revision), Unchanged("/t/b", ABSENT)], [Put("/t/a", b"2")])
        changed = store.read("/t/").entries["/t/a"]
        assert (changed.value, changed.created) == (b"2", seen.created)
        assert changed.revision > seen.revision

    def test_a_deleted_key_is_absent(self, store: KeyStore) -> None:
        store.commit([], [Put("/t/a", b"1")])
        assert store.commit([], [Delete("/t/a"), Delete("/t/never")])
        assert not store.read("/t/").entries
        assert store.commit([Unchanged("/t/a", ABSENT)], [Put("/t/a", b"2")])

    def test_a_watch_tells_what_was_changed_after_a_revision_in_order(self, store: KeyStore, other: KeyStore) -> None:
        store.commit([], [Put("/t/a", b"1")])
        seen = store.read("/t/").revision
        store.commit([], [Put("/t/a", b"2")])
        watch = store.watch("/t/", seen)
        other.commit([], [Put("/t/b", b"3"), Put("/u/c", b"3")])
        other.commit([], [Delete("/t/a")])
        changes = waited_for(watch, 3)
        values = [(change.key, change.entry.value if change.entry else None) for change in changes]
        assert values == [("/t/a", b"2"), ("/t/b", b"3"), ("/t/a", None)]
        assert [change.revision for change in changes] == sorted({change.revision for change in changes})
        assert watch.wait(0.0) == []
        watch.close()

    def test_a_watch_of_changes_that_are_forgotten_says_so(self, store: KeyStore, compact: Callable[[], None]) -> None:
        store.commit([], [Put("/t/a", b"1")])
        seen = store.read("/t/").revision
        store.commit([], [Put("/t/a", b"2")])
        store.commit([], [Put("/t/a", b"3")])
        compact()
        with pytest.raises(Compacted):
            waited_for(store.watch("/t/", seen), 1)

    def test_a_key_ends_with_its_lease_unless_that_is_kept(self, store: KeyStore, pass_time: Passing) -> None:
        kept, left = store.grant(2), store.grant(2)
        store.commit([], [Put("/t/kept", b"1", kept), Put("/t/left", b"1", left)])
        assert store.read("/t/").entries["/t/kept"].lease == kept
        deadline = monotonic() + PATIENCE_S
        while "/t/left" in store.read("/t/").entries and monotonic() < deadline:
            assert store.keep(kept)
            pass_time(0.5)
        assert list(store.read("/t/").entries) == ["/t/kept"]
        assert not store.keep(left)
        assert store.lease_times(left) is None

    def test_a_lease_says_how_much_of_it_is_left(self, store: KeyStore) -> None:
        times = store.lease_times(store.grant(60))
        assert times is not None
        assert times.granted_s == 60 and 55 <= times.left_s <= 60

    def test_a_lease_is_revoked_with_its_keys_and_not_used_again(self, store: KeyStore) -> None:
        lease = store.grant(60)
        store.commit([], [Put("/t/a", b"1", lease)])
        store.revoke(lease)
        assert not store.read("/t/").entries
        with pytest.raises(StoreRefused, match="lease not found"):
            store.commit([], [Put("/t/a", b"1", lease)])

    def test_a_server_says_how_it_is(self, store: KeyStore) -> None:
        health = store.health(0)
        assert health.fault == "" and health.version.startswith("3.4.") and health.sees_leader


def waited_for(watch: Watch, count: int) -> list[Change]:
    """So many changes."""
    changes: list[Change] = []
    deadline = monotonic() + PATIENCE_S
    while len(changes) < count and monotonic() < deadline:
        changes += watch.wait(0.2)
    assert len(changes) == count
    return changes
