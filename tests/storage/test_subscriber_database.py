"""The subscriber database: SQLite always, PostgreSQL where Debian's server is installed."""

from __future__ import annotations

import multiprocessing
import os
import socket
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance.sip.digest import ha1
from appliance.storage.subscriber import FAULTS_MAX, ImportFault, StoreError, new_subscriber
from appliance.storage.subscriber_database import SubscriberStore, database_url
from tests.postgresql_server import POSTGRES_BIN, running_postgresql

WALL_TIME = 1_700_000_000.5
PATIENCE_S = 300.0


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of our own."""
    if POSTGRES_BIN is None:
        pytest.skip("no PostgreSQL server here: apt-get install postgresql")
    with running_postgresql() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return database_url("", tmp_path)
    server: str = request.getfixturevalue("postgres_url")
    name = f"test{abs(hash(tmp_path))}"
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def store(url: str) -> Iterator[SubscriberStore]:
    opened = SubscriberStore(url)
    yield opened
    opened.close()


# -- one subscriber ----------------------------------------------------------------------------------


def test_a_subscriber_is_found_by_user_name_and_realm_with_both_ha1_values(store: SubscriberStore) -> None:
    """RFC 7616 3.4.2, RFC 8760: MD5 and SHA-256 of username:realm:password."""
    store.add(new_subscriber("alice", "example.com", "secret", WALL_TIME))
    found = store.find(b"alice", b"example.com")
    assert found is not None
    assert found.ha1_md5 == ha1(b"MD5", b"alice", b"example.com", b"secret")
    assert found.ha1_sha256 == ha1(b"SHA-256", b"alice", b"example.com", b"secret")
    assert found.created == 1_700_000_000


@pytest.mark.parametrize(
    ("username", "realm"),
    [(b"bob", b"example.com"), (b"alice", b"example.org"), (b"Alice", b"example.com"), (b"", b"")],
)
def test_no_other_subscriber_is_found(store: SubscriberStore, username: bytes, realm: bytes) -> None:
    store.add(new_subscriber("alice", "example.com", "secret", WALL_TIME))
    assert store.find(username, realm) is None


@pytest.mark.parametrize("username", [b"\xff\xfe", b"al\0ice", "älice".encode(), b"' OR 1=1 --", b"x" * 70_000])
def test_whatever_the_wire_brings_is_just_not_found(store: SubscriberStore, username: bytes) -> None:
    assert store.find(username, b"example.com") is None
    assert store.find(b"alice", username) is None


def test_a_second_one_of_the_same_name_is_refused_and_changes_nothing(store: SubscriberStore) -> None:
    first = new_subscriber("alice", "example.com", "secret", WALL_TIME)
    store.add(first)
    with pytest.raises(ValueError, match=r"^alice@example\.com is a subscriber already$"):
        store.add(new_subscriber("alice", "example.com", "other", WALL_TIME))
    assert store.find(b"alice", b"example.com") == first


def test_the_same_name_in_two_realms_is_two_subscribers(store: SubscriberStore) -> None:
    store.add(new_subscriber("alice", "example.com", "secret", WALL_TIME))
    store.add(new_subscriber("alice", "example.org", "secret", WALL_TIME))
    assert store.count() == 2


def test_who_is_removed_is_gone(store: SubscriberStore) -> None:
    store.add(new_subscriber("alice", "example.com", "secret", WALL_TIME))
    assert store.remove("alice", "example.com")
    assert not store.remove("alice", "example.com")
    assert store.find(b"alice", b"example.com") is None


def test_passwords_are_not_kept(tmp_path: Path) -> None:
    store = SubscriberStore(database_url("", tmp_path))
    store.add(new_subscriber("alice", "example.com", "correcthorse", WALL_TIME))
    store.close()
    assert not any(b"correcthorse" in path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("username", "realm", "password", "problem"),
    [
        ("", "example.com", "secret", "not a user name"),
        ("al ice", "example.com", "secret", "not a user name"),
        ("al:ice", "example.com", "secret", "not a user name"),
        ("alice@example.com", "example.com", "secret", "not a user name"),
        ("a" * 65, "example.com", "secret", "not a user name"),
        ("alice", "", "secret", "not a domain"),
        ("alice", 'exa"mple', "secret", "not a domain"),
        ("alice", "exa\\mple", "secret", "not a domain"),
        ("alice", "example.com", "", "password"),
        ("alice", "example.com", "sec\nret", "password"),
        ("alice", "example.com", "s" * 129, "password"),
    ],
)
def test_a_subscriber_that_no_phone_could_use_is_refused(
    username: str, realm: str, password: str, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        new_subscriber(username, realm, password, WALL_TIME)


def test_a_realm_may_be_an_ipv6_reference() -> None:
    assert new_subscriber("alice", "[::1]", "secret", WALL_TIME).realm == "[::1]"


# -- many subscribers --------------------------------------------------------------------------------


def rows(count: int) -> list[str]:
    return [f"user{number:06d},example.com,password{number}\n" for number in range(count)]


def test_a_file_is_imported_and_listed_in_order(store: SubscriberStore) -> None:
    lines = ["username,domain,password\n", *reversed(rows(1203)), "\n", 'zoe,example.org,"a, ""quoted"" one"\n']
    assert store.import_csv(lines, WALL_TIME) == 1204
    names = [(subscriber.realm, subscriber.username) for subscriber in store.list()]
    assert names == sorted(names)
    assert len(names) == store.count() == 1204
    zoe = store.find(b"zoe", b"example.org")
    assert zoe is not None
    assert zoe.ha1_md5 == ha1(b"MD5", b"zoe", b"example.org", b'a, "quoted" one')


def test_every_bad_row_is_named_and_nothing_is_imported(store: SubscriberStore) -> None:
    store.add(new_subscriber("carol", "example.com", "secret", WALL_TIME))
    lines = [
        "alice,example.com,secret\n",
        "bob,example.com\n",
        "b ob,example.com,secret\n",
        "carol,example.com,secret\n",
        "dave,example.com,\n",
        "alice,example.com,again\n",
    ]
    with pytest.raises(ImportFault) as refusal:
        store.import_csv(lines, WALL_TIME)
    assert refusal.value.faults == (
        (2, "there are 2 columns: type username,domain,password"),
        (3, "\"b ob\" is not a user name: use up to 64 letters, digits and -_.!~*'()&=+$,;?/"),
        (4, "carol@example.com is a subscriber already"),
        (5, "the password of dave must have 1 to 128 printable characters"),
        (6, "alice@example.com is also on line 1"),
    )
    assert [subscriber.username for subscriber in store.list()] == ["carol"]


def test_the_last_row_of_many_can_still_undo_all(store: SubscriberStore) -> None:
    with pytest.raises(ImportFault):
        store.import_csv([*rows(1000), "x\n"], WALL_TIME)
    assert store.count() == 0


def test_a_file_of_nothing_but_faults_ends_early(store: SubscriberStore) -> None:
    with pytest.raises(ImportFault) as refusal:
        store.import_csv(("garbage\n" for _ in range(100_000)), WALL_TIME)
    assert len(refusal.value.faults) == FAULTS_MAX


def test_replacing_gives_new_passwords(store: SubscriberStore) -> None:
    store.add(new_subscriber("alice", "example.com", "old", WALL_TIME))
    assert store.import_csv(["alice,example.com,new\n"], WALL_TIME, is_replacing=True) == 1
    found = store.find(b"alice", b"example.com")
    assert found is not None
    assert found.ha1_md5 == ha1(b"MD5", b"alice", b"example.com", b"new")


def test_domains_become_realms_on_the_way_in(store: SubscriberStore) -> None:
    def realm_of(domain: str) -> str:
        if domain != "sip.example.com":
            raise ValueError(f"{domain} is not served here")
        return "example.com"

    store.import_csv(["alice,sip.example.com,secret\n"], WALL_TIME, realm_of=realm_of)
    assert store.find(b"alice", b"example.com") is not None
    with pytest.raises(ImportFault, match=r"^line 1: example\.net is not served here$"):
        store.import_csv(["bob,example.net,secret\n"], WALL_TIME, realm_of=realm_of)


def test_a_file_that_is_no_csv_or_no_text_is_named_by_line(store: SubscriberStore, tmp_path: Path) -> None:
    with pytest.raises(ImportFault, match=r"^line 2: the row cannot be read"):
        store.import_csv(["alice,example.com,secret\n", 'bob,"exa"mple,secret\n'], WALL_TIME)
    path = tmp_path / "latin.csv"
    path.write_bytes(b"alice,example.com,caf\xe9\n")
    with path.open(encoding="utf-8", newline="") as lines, pytest.raises(ImportFault, match="not UTF-8"):
        store.import_csv(lines, WALL_TIME)


# -- what goes wrong with databases ------------------------------------------------------------------


def test_the_sqlite_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """An HA1 value is as good as the password (RFC 7616 5.13)."""
    SubscriberStore(database_url("", tmp_path)).close()
    assert stat.S_IMODE((tmp_path / "subscribers.sqlite3").stat().st_mode) == 0o600


def test_a_folder_with_strange_characters_is_no_obstacle(tmp_path: Path) -> None:
    folder = tmp_path / "a b%20?#&é"
    folder.mkdir()
    SubscriberStore(database_url("", folder)).close()
    assert (folder / "subscribers.sqlite3").exists()


@pytest.mark.parametrize("octets", [b"this is no database at all" * 100, os.urandom(8192)])
def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "subscribers.sqlite3"
    path.write_bytes(octets)
    with pytest.raises(StoreError, match=r"subscribers\.sqlite3 is damaged .* was not changed") as refusal:
        SubscriberStore(database_url("", tmp_path))
    assert "\n" not in str(refusal.value)
    assert path.read_bytes() == octets


def test_damage_in_the_middle_is_found_by_the_check(tmp_path: Path) -> None:
    store = SubscriberStore(database_url("", tmp_path))
    store.import_csv(rows(2000), WALL_TIME)
    store.check()
    store.close()
    path = tmp_path / "subscribers.sqlite3"
    octets = bytearray(path.read_bytes())
    octets[20_000:40_000] = os.urandom(20_000)
    path.write_bytes(octets)
    damaged = SubscriberStore(database_url("", tmp_path))
    with pytest.raises(StoreError, match="is damaged"):
        damaged.check()
    damaged.close()
    assert path.read_bytes() == octets


def test_another_programs_table_is_not_used(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "subscribers.sqlite3") as connection:
        connection.execute("CREATE TABLE subscribers (name TEXT)")
    with pytest.raises(StoreError, match="does not have the schema"):
        SubscriberStore(database_url("", tmp_path))


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened: No such file or directory"):
        SubscriberStore(database_url("", tmp_path / "nowhere"))


@pytest.mark.parametrize(
    "url", ["", "sqlite://", "sqlite:///:memory:", "mysql://a/b", "postgresql://h:x/d", "nonsense"]
)
def test_a_url_that_leads_nowhere_is_a_value_error(url: str) -> None:
    with pytest.raises(ValueError, match="type sqlite:///FILE or postgresql"):
        SubscriberStore(url)


def test_a_network_that_is_gone_is_noticed_in_seconds(postgres_url: str) -> None:
    """How long sent data may stay unacknowledged in the kernel, and when it asks whether the peer is there."""
    port = postgres_url.rpartition("=")[2]
    with closing(SubscriberStore(f"postgresql://signalbox@127.0.0.1:{port}/postgres")) as store:
        pooled = store._engine.raw_connection()
        with socket.socket(fileno=os.dup(pooled.driver_connection.fileno())) as link:  # type: ignore[union-attr]
            assert link.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 5000
            assert link.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert link.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 5
        pooled.close()


def test_a_server_that_is_away_is_a_store_error_without_the_password() -> None:
    with pytest.raises(StoreError, match="does not answer") as refusal:
        SubscriberStore("postgresql://signalbox:topsecret@127.0.0.1:1/signalbox")
    assert "topsecret" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


# -- several processes -------------------------------------------------------------------------------


def add_some(url: str, worker: int, count: int) -> None:
    store = SubscriberStore(url)
    for number in range(count):
        store.add(new_subscriber(f"w{worker}n{number}", "example.com", "secret", WALL_TIME))
        assert store.find(f"w{worker}n{number}".encode(), b"example.com") is not None
    store.close()


def test_processes_that_open_and_write_at_once_lose_nothing(url: str) -> None:
    """Workers open a fresh database at the same moment; the operator's command writes while they read."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=add_some, args=(url, worker, 20)) for worker in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    store = SubscriberStore(url)
    assert store.count() == 80
    store.close()


def test_readers_go_on_during_a_write(store: SubscriberStore) -> None:
    store.add(new_subscriber("alice", "example.com", "secret", WALL_TIME))

    def lines() -> Iterator[str]:
        yield from rows(600)
        # The first rows are inserted by now, and not yet visible to other connections.
        assert store.find(b"alice", b"example.com") is not None
        assert store.find(b"user000000", b"example.com") is None

    assert store.import_csv(lines(), WALL_TIME) == 600
