"""The store of tests does what etcd does, as far as the contract says; the other one: tests/live/test_etcd_store.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from appliance.cluster.coordination.dict_store import DictKeys, DictStore
from appliance.cluster.coordination.key_store import KeyStore
from tests.cluster.coordination.key_store_contract import KeyStoreContract, Passing


class TestDictStore(KeyStoreContract):
    @pytest.fixture
    def keys(self) -> DictKeys:
        return DictKeys()

    @pytest.fixture
    def store(self, keys: DictKeys) -> KeyStore:
        return DictStore(keys)

    @pytest.fixture
    def other(self, keys: DictKeys) -> KeyStore:
        return DictStore(keys)

    @pytest.fixture
    def compact(self, keys: DictKeys) -> Callable[[], None]:
        return keys.compact

    @pytest.fixture
    def pass_time(self, keys: DictKeys) -> Passing:
        return keys.pass_time
