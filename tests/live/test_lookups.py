"""Lookups ask real servers: PostgreSQL, slapd, HTTP and whois++; and each of them stopped, gone, slow or lying."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from appliance.catalogue.lookup_settings import LookupSettings
from appliance.lookups.lookup_clients import new_client
from appliance.lookups.number_lookup import LookupFailed, NumberLookup
from appliance.routing.lookup_templates import LookupValues
from tests.live.appliance import Appliance
from tests.live.control import Control
from tests.live.lookup_servers import (
    BOUND,
    ENTRY,
    HUGE,
    NOT_BOUND,
    flooding,
    json_answer,
    secret_in,
    serving,
    start_directory,
    whois_answer,
)
from tests.live.phones import Phone
from tests.live.processes import LOOPBACK, Processes, free_port, freeze, wait_until
from tests.live.test_routes import imported
from tests.postgresql_server import POSTGRES_BIN, running_postgresql

ALICE, CAROL = "+4930123456", "+4930123457"
# What a stranger may dial to be more than a value (routing/called_number.py lets these characters through).
CUNNING = ("*", "+*", "#", "+4930123456#", "**")
TIMEOUT_MS = 3000


def found(lookup: NumberLookup, *numbers: str) -> list[list[str]]:
    """What is found for each number, one after another, by one event loop."""

    async def run() -> list[list[str]]:
        return [await lookup.find(LookupValues(number)) for number in numbers]

    return asyncio.run(run())


def failure(settings: LookupSettings, number: str = ALICE) -> tuple[str, float]:
    """Why a new lookup fails, and after how many seconds."""
    began = time.monotonic()
    with pytest.raises(LookupFailed) as failed:
        found(NumberLookup(settings, new_client), number)
    return str(failed.value), time.monotonic() - began


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process that does not go on, and whose connections stay."""
    freeze(pid)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


# -- SQL ---------------------------------------------------------------------------------------------

STATEMENT = "SELECT target FROM routes WHERE number = :number ORDER BY priority"
ROWS = f"""CREATE SEQUENCE numbers; CREATE TABLE routes (number text, target text, priority int);
INSERT INTO routes VALUES ('{ALICE}', 'sip:desk@192.0.2.9', 2), ('{ALICE}', 'sip:alice@192.0.2.9', 1),
('{CAROL}', NULL, 1), ('+491', repeat('x', 10000000), 1);"""


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    if POSTGRES_BIN is None:
        pytest.skip("no PostgreSQL server here: apt-get install postgresql")
    with running_postgresql() as url:
        port = url.rpartition("port=")[2]
        server = f"postgresql://signalbox@{LOOPBACK}:{port}/postgres"
        import psycopg

        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(ROWS)
        yield server


def sql(server: str, statement: str = STATEMENT) -> LookupSettings:
    return LookupSettings("sql", servers=(server,), statement=statement, timeout_ms=TIMEOUT_MS, concurrency=2)


def test_rows_of_a_database_are_found_in_their_order(postgresql: str) -> None:
    lookup = NumberLookup(sql(postgresql), new_client)
    assert found(lookup, ALICE, "+1", *CUNNING, "x' OR true--") == [
        ["sip:alice@192.0.2.9", "sip:desk@192.0.2.9"],
        *([[]] * (len(CUNNING) + 2)),
    ]


def test_a_database_that_lies_says_nothing_and_is_asked_again(postgresql: str) -> None:
    lookup = NumberLookup(sql(postgresql), new_client)
    for number in (CAROL, "+491", CAROL, CAROL):
        with pytest.raises(LookupFailed, match="no text, or is too long"):
            found(lookup, number)
    assert len(found(lookup, ALICE)[0]) == 2


def test_a_statement_does_not_write(postgresql: str) -> None:
    writing = "SELECT CAST(nextval('numbers') AS text) WHERE :number <> ''"
    assert "read-only" in failure(sql(postgresql, writing))[0]


def test_a_value_that_the_database_cannot_take_is_no_failure_of_the_server(postgresql: str) -> None:
    """Who dials many digits must not be able to stop the lookup for all others."""
    lookup = NumberLookup(sql(postgresql, "SELECT target FROM routes WHERE CAST(:digits AS int) > 0"), new_client)
    for _ in range(5):
        with pytest.raises(LookupFailed, match="out of range"):
            found(lookup, "+" + 30 * "9")


def test_a_database_that_is_slow_stopped_or_gone_fails_in_time(postgresql: str) -> None:
    slow = sql(postgresql, "SELECT CAST(pg_sleep(10) AS text) WHERE :number <> ''")
    reason, seconds = failure(slow)
    assert "timeout" in reason or "no answer within" in reason
    assert seconds < 15
    import psycopg

    lookup = NumberLookup(replace(sql(postgresql), name="stopped"), new_client)

    async def run() -> None:
        assert await lookup.find(LookupValues(ALICE))
        with psycopg.connect(postgresql) as connection:
            row = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'signalbox lookup stopped'"
            ).fetchone()
        assert row is not None
        with stopped(row[0]):
            with pytest.raises(LookupFailed):
                await lookup.find(LookupValues(ALICE))
            # Another connection is made for the next one.
            assert await lookup.find(LookupValues(ALICE))

    asyncio.run(run())
    gone = sql(f"postgresql://signalbox@{LOOPBACK}:{free_port()}/postgres")
    assert "refused" in failure(gone)[0]


def test_a_file_is_read_and_never_made(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "routes.db"
    assert "unable to open" in failure(sql(f"sqlite:///{path}"))[0]
    assert not path.exists()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE routes (number text, target text, priority int)")
        connection.execute("INSERT INTO routes VALUES (?, 'sip:alice@192.0.2.9', 1)", (ALICE,))
    connection.close()
    assert found(NumberLookup(sql(f"sqlite:///{path}"), new_client), ALICE, "+1") == [["sip:alice@192.0.2.9"], []]
    # A text that is none says nothing, and is not taken for a fault of the file.
    damaged = "SELECT CAST(x'ff61' AS text) WHERE :number <> ''"
    assert found(NumberLookup(sql(f"sqlite:///{path}", damaged), new_client), *5 * [ALICE]) == 5 * [["\ufffda"]]
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 'x' FROM n WHERE :number = i"
    assert failure(sql(f"sqlite:///{path}", endless))[1] < 15


# -- LDAP --------------------------------------------------------------------------------------------


@pytest.fixture
def directory(processes: Processes) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    port, process = start_directory(processes)
    wait_until(lambda: _answers(port), "slapd listens")
    try:
        yield port, process
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def ldap(*ports: int, **named: object) -> LookupSettings:
    servers = tuple(f"ldap://{LOOPBACK}:{port}" for port in ports)
    values: dict[str, object] = {"filter": "(telephoneNumber={number})", "attributes": ("labeledURI",), **named}
    return LookupSettings("ldap", servers=servers, base="dc=example", timeout_ms=TIMEOUT_MS, concurrency=2, **values)  # type: ignore[arg-type]


def test_attributes_of_a_directory_are_found(directory: tuple[int, subprocess.Popen[bytes]], tmp_path: Path) -> None:
    port, _ = directory
    lookup = NumberLookup(ldap(port), new_client)
    assert sorted(found(lookup, ALICE)[0]) == ["sip:alice@192.0.2.9", "sip:desk@192.0.2.9"]
    bound = ldap(port, user="cn=proxy,dc=example", secret_file=str(secret_in(tmp_path)))
    assert found(NumberLookup(bound, new_client), CAROL) == [["sip:carol@192.0.2.9"]]
    wrong = ldap(port, user="cn=nobody,dc=example", secret_file=str(secret_in(tmp_path)))
    assert "the bind was refused" in failure(wrong)[0]


@pytest.mark.parametrize("number", [*CUNNING, "*)(uid=*", "+4930*"])
def test_a_dialled_star_finds_no_entry(directory: tuple[int, subprocess.Popen[bytes]], number: str) -> None:
    """RFC 4515 3: `*` in a filter would match every entry."""
    assert found(NumberLookup(ldap(directory[0], filter="(uid={number})"), new_client), number) == [[]]


def test_a_directory_that_is_stopped_fails_in_time_and_the_next_one_is_asked(
    directory: tuple[int, subprocess.Popen[bytes]],
) -> None:
    port, process = directory
    with serving(lambda request: iter((b"no LDAP",)), is_http=False) as liar:
        assert found(NumberLookup(ldap(free_port(), port), new_client), CAROL) == [["sip:carol@192.0.2.9"]]
        assert failure(ldap(liar.port))[1] < 15
        with stopped(process.pid):
            reason, seconds = failure(ldap(port))
    assert seconds < 15, reason
    assert found(NumberLookup(ldap(port), new_client), CAROL) == [["sip:carol@192.0.2.9"]]


@pytest.mark.parametrize("flood", [ENTRY, HUGE], ids=["entries", "one message"])
def test_a_directory_that_answers_without_end_says_nothing(flood: bytes) -> None:
    with flooding(BOUND, flood) as port:
        assert "longer than" in failure(ldap(port))[0]
    with flooding(flood) as port:
        assert "longer than" in failure(ldap(port))[0]


def test_a_directory_that_refuses_costs_no_descriptor() -> None:
    """No cycles are collected while calls come (workers/gc_schedule.py)."""
    with flooding(NOT_BOUND, b"") as port:
        gc.collect()
        gc.disable()
        try:
            before = len(os.listdir("/proc/self/fd"))
            for _ in range(20):
                assert "refused" in failure(ldap(port))[0]
            wait_until(lambda: len(os.listdir("/proc/self/fd")) < before + 10, "descriptors are closed")
        finally:
            gc.enable()


# -- HTTP --------------------------------------------------------------------------------------------


def http(*ports: int, path: str = "/route/{number}?c={caller}") -> LookupSettings:
    servers = tuple(f"http://{LOOPBACK}:{port}{path}" for port in ports)
    return LookupSettings("http", servers=servers, timeout_ms=TIMEOUT_MS, concurrency=2)


def test_a_server_of_http_says_where_a_number_is() -> None:
    body = b'{"targets": ["sip:gw1", {"uri": "sip:gw2", "q": 0.5}]}'
    with serving(lambda request: iter((json_answer(body),))) as server:
        assert found(NumberLookup(http(server.port), new_client), ALICE, "1#2*") == 2 * [["sip:gw1", "sip:gw2"]]
        assert found(NumberLookup(http(server.port, path="/route"), new_client), ALICE) == [["sip:gw1", "sip:gw2"]]
    lines = [request.split(b"\r\n")[0] for request in server.requests]
    assert lines == [
        b"GET /route/%2B4930123456?c= HTTP/1.1",
        b"GET /route/1%232%2A?c= HTTP/1.1",
        b"POST /route HTTP/1.1",
    ]


def test_a_server_of_http_that_lies_says_nothing() -> None:
    long = b'{"targets": ["' + 10_000_000 * b"x" + b'"]}'
    redirection = b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    compressed = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"
    for answer, words in (
        (json_answer(long), "longer than"),
        (json_answer(b"[]"), "no JSON object"),
        (json_answer(b"{}", b"404 Not Found"), "answered 404"),
        (redirection, "answered 302"),
        (compressed, "compressed"),
        (b"what?\r\n\r\n", "RemoteProtocolError"),
        (b"", "RemoteProtocolError"),
    ):
        with serving(lambda request, answer=answer: iter((answer,))) as server:  # type: ignore[misc]
            assert words in failure(http(server.port))[0]
            assert len(server.requests) == 1
    with serving(lambda request: iter((json_answer(b"", b"204 No Content"),))) as server:
        assert found(NumberLookup(http(server.port), new_client), ALICE) == [[]]


def test_a_server_of_http_that_is_slow_fails_in_time_and_the_next_one_is_asked() -> None:
    released = Event()

    def dripping(request: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nX: "
        while not released.wait(0.05):
            yield b"x"

    body = b'{"targets": ["sip:gw1"]}'
    with serving(dripping) as slow, serving(lambda request: iter((json_answer(body),))) as good:
        assert found(NumberLookup(http(slow.port, good.port), new_client), ALICE) == [["sip:gw1"]]
        assert failure(http(slow.port))[1] < 15
        released.set()


# -- whois++ -----------------------------------------------------------------------------------------


def whois(*ports: int) -> LookupSettings:
    servers = tuple(f"whois++://{LOOPBACK}:{port}" for port in ports)
    named = {"query": "phone={number}", "attributes": ("sip",)}
    return LookupSettings("whois", servers=servers, timeout_ms=TIMEOUT_MS, concurrency=2, **named)  # type: ignore[arg-type]


def test_records_of_whois_are_found() -> None:
    """RFC 1835 2.2.2: what is dialled stays one search string."""
    with serving(lambda request: iter((whois_answer(b"sip:alice@192.0.2.9"),)), is_http=False) as server:
        assert found(NumberLookup(whois(server.port), new_client), ALICE, "*#1") == 2 * [["sip:alice@192.0.2.9"]]
    assert server.requests == [b"phone=\\+4930123456\r\n", b"phone=\\*\\#1\r\n"]


def test_a_server_of_whois_that_lies_or_hangs_says_nothing() -> None:
    released = Event()

    def hanging(request: bytes) -> Iterator[bytes]:
        yield b"% 220 ready\r\n"
        released.wait()

    for answer, words in (
        (b"% 220 ready\r\n", "closed before the answer was complete"),
        (b"% 200 okay\r\n% 203 Bye\r\n", "not complete"),
        (b"% 500 Syntax error\r\n", "500"),
        (b"x" * 10_000_000, "too long"),
        (b" sip: x\r\n" * 1_000_000, "longer than"),
    ):
        with serving(lambda request, answer=answer: iter((answer,)), is_http=False) as server:  # type: ignore[misc]
            assert words in failure(whois(server.port))[0]
    answered = whois_answer(b"sip:a@b")
    with serving(hanging, is_http=False) as slow, serving(lambda request: iter((answered,)), is_http=False) as good:
        assert found(NumberLookup(whois(slow.port, good.port), new_client), ALICE) == [["sip:a@b"]]
        assert failure(whois(slow.port))[1] < 15
        released.set()


# -- calls -------------------------------------------------------------------------------------------


def test_a_call_goes_where_the_lookup_says_and_on_when_it_hangs(
    start_appliance: Callable[..., Appliance], tmp_path: Path
) -> None:
    is_hanging, released = Event(), Event()

    def answer(request: bytes) -> Iterator[bytes]:
        if is_hanging.is_set():
            released.wait()
        known = b"%2B4911" in request
        yield json_answer(b'{"targets": ["sip:%b"]}' % hops[0] if known else b'{"targets": []}')

    hops: list[bytes] = []
    with serving(answer) as server:
        lines = (f"server http://{LOOPBACK}:{server.port}/{{number}}", "trusted", "timeout 300")
        settings = "\n".join(("lookup customers", *(f"  {line}" for line in lines), "!", ""))
        appliance = start_appliance(settings, workers=1, listener=("role core", f"peer {LOOPBACK}"))
        control = Control(appliance.state)
        with Phone(appliance, "alice") as alice, Phone(appliance, "a") as first, Phone(appliance, "b") as second:
            hops.append(f"{LOOPBACK}:{first.port}".encode())
            carrier = f"default,any,sip:{LOOPBACK}:{second.port},2"
            imported(appliance, tmp_path, "default,any,lookup customers,1", carrier)
            wait_until(lambda: _arrives(alice, first, "+49111"), "the lookup is in force")
            assert _arrives(alice, second, "+49222")
            is_hanging.set()
            assert _arrives(alice, second, "+49113")
            released.set()
        route = control.ask("test route", uri="+49114", source=LOOPBACK)
        assert route["targets"][0]["uri"].startswith("sip:+49114@")
        (row,) = control.ask("show lookups")["lookups"]
        assert (row["name"], row["protocol"], row["failed"]) == ("customers", "http", 1)
        assert row["found"] >= 1 and row["empty"] >= 1
        assert "no answer within" in row["fault"]


def _arrives(caller: Phone, gateway: Phone, number: str) -> bool:
    """Does the call come to that gateway? Calls before it without an answer may go on to it meanwhile."""
    caller.invite(number)
    try:
        while not gateway.expect("INVITE", 3.0).start.split()[1].startswith(f"sip:{number}@"):
            pass
    except AssertionError:
        return False
    return True
