"""etcd as a store of keys: the contract, and servers that end, freeze, lose their majority, are full or refuse."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from appliance.cluster.coordination.key_store import (
    ABSENT,
    KeyStore,
    Put,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
    Unchanged,
)
from appliance.cluster.coordination.prefix_view import PrefixView
from appliance.cluster.coordination.store import EtcdStore
from appliance.storage.cluster_file import EtcdAccess
from tests.certificate_authority import CertificateAuthority
from tests.cluster.coordination.key_store_contract import KeyStoreContract, Passing, waited_for
from tests.live.etcd import Etcd
from tests.live.machine import STATISTICAL, within
from tests.live.processes import LOOPBACK, Processes, free_port, running, wait_until


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Etcd]:
    """One member for all tests that leave it as it is."""
    with running(tmp_path_factory.mktemp("etcd")) as processes:
        yield Etcd(processes)


class TestEtcdStore(KeyStoreContract):
    @pytest.fixture
    def store(self, shared: Etcd) -> Iterator[KeyStore]:
        store = EtcdStore(shared.access)
        for prefix in ("/t/", "/u/"):
            for key in store.read(prefix).entries:
                shared.ask("del", key)
        yield store
        store.close()

    @pytest.fixture
    def other(self, shared: Etcd) -> Iterator[KeyStore]:
        store = EtcdStore(shared.access)
        yield store
        store.close()

    @pytest.fixture
    def compact(self, shared: Etcd, store: KeyStore) -> Callable[[], None]:
        def compact() -> None:
            shared.ask("compaction", str(store.read("/t/").revision))

        return compact

    @pytest.fixture
    def pass_time(self) -> Passing:
        return time.sleep


def test_a_view_follows_while_members_end_and_freeze(processes: Processes) -> None:
    etcd = Etcd(processes, 3)
    writer, store = EtcdStore(etcd.access), EtcdStore(etcd.access)
    view = PrefixView(store, "/v/")
    written = 0

    def write_and_see() -> None:
        """A value that was written is in the view, whatever happened to the servers in between."""
        nonlocal written
        written += 1
        value = str(written).encode()

        def write() -> bool:
            """A server that was frozen may do later what it was asked then: not after another change."""
            with suppress(StoreUnavailable):
                former = writer.read("/v/").entries.get("/v/a")
                return writer.commit([Unchanged("/v/a", former.revision if former else ABSENT)], [Put("/v/a", value)])
            return False

        wait_until(write, "a server takes it")

        def is_seen() -> bool:
            tried(lambda: view.refresh(0.2))
            entry = view.entries.get("/v/a")
            return entry is not None and entry.value == value

        wait_until(is_seen, "the view has it")

    write_and_see()
    for number in range(3):
        etcd.kill(number)
        write_and_see()
        etcd.restart(number)
        etcd.wait_until_answering()
    for number in range(3):
        etcd.stop(number)
        write_and_see()
        etcd.go_on(number)
        etcd.wait_until_answering()
    write_and_see()
    store.close()
    writer.close()


@STATISTICAL
def test_a_call_ends_with_its_deadline_when_the_majority_is_frozen(processes: Processes) -> None:
    etcd = Etcd(processes, 3)
    store = EtcdStore(etcd.access, deadline_s=0.5)
    watch = store.watch("/v/", store.read("/v/").revision)
    etcd.stop(1)
    etcd.stop(2)
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable):
        store.read("/v/")
    assert time.monotonic() - begun < within(3 * 0.5 + 1)
    # A watch needs a leader, and does not stay silent without one.
    with pytest.raises(StoreUnavailable):
        wait_until(lambda: watch.wait(0.2), "the watch ends")
    etcd.go_on(1)
    wait_until(lambda: tried(lambda: store.read("/v/")), "the majority is back")
    store.close()


def test_a_full_etcd_takes_no_changes_and_can_be_read(processes: Processes) -> None:
    etcd = Etcd(processes, options=["--quota-backend-bytes", str(1 << 20)])
    store = EtcdStore(etcd.access)
    store.commit([], [Put("/v/a", b"kept")])
    with pytest.raises(StoreFull, match="NOSPACE"):
        for _ in range(100):
            store.commit([], [Put("/v/large", b"x" * 100_000)])
    assert store.read("/v/a").entries["/v/a"].value == b"kept"
    store.close()


def test_a_machine_reaches_the_keys_of_its_cluster_by_its_certificate_and_no_others(
    processes: Processes, tmp_path: Path
) -> None:
    authority = CertificateAuthority(tmp_path / "ca")
    etcd = Etcd(processes, authority=authority)
    # As docs/cluster.md says.
    for words in (
        "user add root --no-password", "user grant-role root root", "role add signalbox-west",
        "role grant-permission signalbox-west --prefix=true readwrite /signalbox/west/",
        "user add signalbox --no-password", "user grant-role signalbox signalbox-west", "auth enable",
    ):  # fmt: skip
        etcd.ask(*words.split())
    store = EtcdStore(etcd.access_of("signalbox", authority))
    watch = store.watch("/signalbox/west/", store.read("/signalbox/west/").revision)
    assert store.commit([], [Put("/signalbox/west/a", b"1", store.grant(60))])
    assert len(waited_for(watch, 1)) == 1
    assert store.health(0).fault == ""
    for attempt in (
        lambda: store.read("/signalbox/east/"),
        lambda: store.commit([], [Put("/signalbox/east/a", b"1")]),
    ):
        with pytest.raises(StoreRefused, match="does not permit it"):
            attempt()
    store.close()
    for access in (
        etcd.access_of("stranger", CertificateAuthority(tmp_path / "other")),
        EtcdAccess(etcd.urls, str(authority.trust)),
    ):
        stranger = EtcdStore(access)
        with pytest.raises(StoreUnavailable):
            stranger.read("/signalbox/west/")
        stranger.close()
    unnamed = EtcdStore(etcd.access_of("nobody", authority))
    with pytest.raises(StoreRefused, match="does not permit it"):
        unnamed.read("/signalbox/west/")
    unnamed.close()


def test_a_server_with_a_certificate_of_another_authority_is_not_used(processes: Processes, tmp_path: Path) -> None:
    etcd = Etcd(processes, authority=CertificateAuthority(tmp_path / "ca"))
    other = CertificateAuthority(tmp_path / "other")
    store = EtcdStore(EtcdAccess(etcd.urls, str(other.trust), etcd.access.certificate, etcd.access.key))
    with pytest.raises(StoreUnavailable, match="TLS failed, see the certificates"):
        store.read("/signalbox/west/")
    store.close()


@pytest.mark.parametrize("whose", ["etcd", "client-root"])
def test_a_certificate_that_has_expired(processes: Processes, tmp_path: Path, whose: str) -> None:
    """Of etcd, which reads its file at each handshake, or of this machine: the sentence sends the operator to it."""
    authority = CertificateAuthority(tmp_path / "ca")
    etcd = Etcd(processes, authority=authority)
    names = f"IP:{LOOPBACK}" if whose == "etcd" else "DNS:client"
    authority.issue(whose, names, days=-1, subject="/CN=root")
    store = EtcdStore(etcd.access)
    with pytest.raises(StoreUnavailable, match="TLS failed, see the certificates"):
        store.read("/signalbox/west/")
    store.close()
    authority.issue(whose, names, subject="/CN=root")
    store = EtcdStore(etcd.access)
    assert not store.read("/signalbox/west/").entries
    store.close()


def test_servers_that_do_not_exist(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    store = EtcdStore(EtcdAccess((url,)))
    with pytest.raises(StoreUnavailable, match=f"etcd at {url} does not answer: connection refused"):
        store.read("/v/")
    assert "connection refused" in store.health(0).fault
    store.close()


@pytest.mark.parametrize("url", ["127.0.0.1:2379", "ftp://127.0.0.1", "http://", "http://a:b", "http://host/v3"])
def test_what_is_no_address_of_etcd_is_refused(url: str) -> None:
    with pytest.raises(StoreRefused, match="is no address of etcd"):
        EtcdStore(EtcdAccess((url,)))


def test_tls_needs_an_authority_and_a_whole_pair(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="--ca FILE"):
        EtcdStore(EtcdAccess(("https://127.0.0.1:2379",)))
    with pytest.raises(StoreRefused, match="--key FILE together"):
        EtcdStore(EtcdAccess(("https://127.0.0.1:2379",), ca=__file__, certificate=__file__))
    with pytest.raises(StoreRefused, match="cannot be read: No such file"):
        EtcdStore(EtcdAccess(("https://127.0.0.1:2379",), ca=str(tmp_path / "none")))


def tried(attempt: Callable[[], object]) -> bool:
    """Did the store answer?"""
    try:
        attempt()
    except StoreUnavailable:
        return False
    return True
