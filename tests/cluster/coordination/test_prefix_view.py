"""A view of keys: it misses nothing while the store goes away, forgets, or is put back from a backup."""

from __future__ import annotations

from random import Random

import pytest

from appliance.cluster.coordination.dict_store import DictKeys, DictStore
from appliance.cluster.coordination.key_store import Delete, Put, StoreUnavailable
from appliance.cluster.coordination.prefix_view import PrefixView


def values(view: PrefixView) -> dict[str, bytes]:
    return {key: entry.value for key, entry in view.entries.items()}


def test_the_view_is_what_the_store_holds_after_any_faults() -> None:
    for seed in range(50):
        random, keys = Random(seed), DictKeys()
        writer, store = DictStore(keys), DictStore(keys)
        view = PrefixView(store, "/v/")
        for _ in range(60):
            key = f"/v/{random.randrange(4)}"
            writer.commit([], [Delete(key) if random.random() < 0.3 else Put(key, random.randbytes(2)), Put("/x", b"")])
            store.is_cut_off = random.random() < 0.3
            if random.random() < 0.2:
                keys.compact()
            if random.random() < 0.7:
                try:
                    view.refresh(0.0)
                except StoreUnavailable:
                    assert store.is_cut_off, seed
        store.is_cut_off = False
        while view.refresh(0.0):
            pass
        assert values(view) == {key: entry.value for key, entry in store.read("/v/").entries.items()}, seed


def test_it_tells_which_keys_have_changed() -> None:
    store = DictStore()
    store.commit([], [Put("/v/a", b"1"), Put("/v/b", b"1")])
    view = PrefixView(store, "/v/")
    assert view.refresh(0.0) == {"/v/a", "/v/b"}
    assert view.refresh(0.0) == set()
    store.commit([], [Put("/v/a", b"2"), Delete("/v/b"), Put("/x", b"1")])
    assert view.refresh(0.0) == {"/v/a", "/v/b"}
    store.keys.compact()
    store.commit([], [Put("/v/c", b"2")])
    assert view.refresh(0.0) == {"/v/c"}


def test_what_was_known_stays_while_the_store_is_away() -> None:
    store = DictStore()
    store.commit([], [Put("/v/a", b"1")])
    view = PrefixView(store, "/v/")
    view.refresh(0.0)
    store.is_cut_off = True
    with pytest.raises(StoreUnavailable):
        view.refresh(0.0)
    assert values(view) == {"/v/a": b"1"}


def test_a_store_that_was_put_back_from_a_backup_is_read_anew() -> None:
    store = DictStore()
    store.commit([], [Put("/v/a", b"1")])
    view = PrefixView(store, "/v/")
    view.refresh(0.0)
    for number in range(10):
        store.commit([], [Put("/v/a", bytes([number]))])
    view.refresh(0.0)
    store.is_cut_off = True
    with pytest.raises(StoreUnavailable):
        view.refresh(0.0)
    store.is_cut_off, store.keys = False, DictKeys()
    store.commit([], [Put("/v/a", b"of the backup")])
    view.refresh(0.0)
    assert values(view) == {"/v/a": b"of the backup"}
