"""Route tables are read from a real PostgreSQL on a schedule: all rows or none, and what goes wrong is told."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.lookup_server.route_sources import GRACE_S
from tests.live.appliance import Appliance
from tests.live.control import Control
from tests.live.processes import LOOPBACK, wait_until
from tests.live.test_routes import imported, next_hop, routes
from tests.postgresql_server import POSTGRES_BIN, running_postgresql

NUMBER = "+4989123456"
POLICY = "route-policy office\n  listener main\n  table carriers\n!\n"
ROWS = """DROP TABLE IF EXISTS rates; CREATE TABLE rates (prefix text, action text, priority numeric, note text);
INSERT INTO rates VALUES ('+49', 'sip:192.0.2.1', 1, NULL), ('+4989', 'sip:192.0.2.2', 1, 'x');"""
STATEMENT = "SELECT prefix, action, priority FROM rates"


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    if POSTGRES_BIN is None:
        pytest.skip("no PostgreSQL server here: apt-get install postgresql")
    with running_postgresql() as url:
        yield f"postgresql://signalbox@{LOOPBACK}:{url.rpartition('port=')[2]}/postgres"


def execute(server: str, statements: str) -> list[tuple[Any, ...]]:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        cursor = connection.execute(statements)
        return cursor.fetchall() if cursor.description else []


def section(*servers: str, statement: str = STATEMENT, every: int = 1, more: str = "") -> str:
    lines = "".join(f"  server {server}\n" for server in servers)
    return f'{POLICY}route-table carriers\n{lines}  statement "{statement}"\n  every {every}\n{more}!\n'


def replaced(control: Control, wanted: str) -> str:
    """The configuration with another policy and table."""
    text: str = control.ask("show running-config")["text"]
    return re.sub(r"(?ms)^(route-policy|route-table) .*?^!\n", "", text) + wanted


def source(control: Control) -> dict[str, Any]:
    (row,) = control.ask("show route-sources")["tables"]
    return dict(row)


def fault_with(control: Control, words: str) -> None:
    wait_until(lambda: words in source(control)["fault"], f"the fault says {words}")
    wait_until(lambda: "route-source-failing" in alarms(control), "there is an alarm")


def alarms(control: Control) -> list[str]:
    return [alarm["name"] for alarm in control.ask("show alarms")["alarms"]]


def test_rows_of_a_database_are_in_force_and_follow_it(
    start_appliance: Callable[..., Appliance], database: str, tmp_path: Path
) -> None:
    execute(database, ROWS)
    appliance = start_appliance(section(database), listener=("role core", f"peer {LOOPBACK}"))
    control = Control(appliance.state)
    second = [f"sip:{NUMBER}@192.0.2.2;user=phone"]
    wait_until(lambda: next_hop(control, NUMBER) == second, "the rows are in force")
    wait_until(lambda: source(control)["changes"] == 1, "the read is told")
    row = source(control)
    assert (row["rows"], row["fault"]) == (2, "")
    reads = row["reads"]
    wait_until(lambda: source(control)["reads"] > reads + 1, "it is read again")
    assert source(control)["changes"] == 1
    assert control.ask("show route-table")["version"] == 1
    assert appliance.counter("route-table-reads") >= 2
    execute(database, "UPDATE rates SET action = 'sip:192.0.2.3' WHERE prefix = '+4989'")
    third = [f"sip:{NUMBER}@192.0.2.3;user=phone"]
    wait_until(lambda: next_hop(control, NUMBER) == third, "the new rows are in force")
    # A file has the other tables, and leaves this one alone.
    imported(appliance, tmp_path, "default,+1,sip:192.0.2.9,1")
    names = [each["table"] for each in control.ask("show route-table")["rows"]]
    assert names == ["carriers", "default"]
    assert "+4989,sip:192.0.2.3" in routes(appliance, "export").stdout


SPOILT = (
    ("INSERT INTO rates VALUES ('44x', 'sip:192.0.2.1', 1)", '"44x" is not a prefix'),
    ("INSERT INTO rates VALUES ('+44', 'table elsewhere', 1)", "there is no table elsewhere"),
    ("INSERT INTO rates VALUES ('+44', repeat('x', 1000000), 1)", "longer than 600 characters"),
    ("INSERT INTO rates VALUES ('+44', 'sip:192.0.2.1', 1.5)", "of type Decimal is no text"),
    ("INSERT INTO rates SELECT '+4' || i, repeat('x', 4000000), 1 FROM generate_series(1, 100) i", "memory"),
    ("DELETE FROM rates", "found no rows"),
    ("INSERT INTO rates SELECT '+' || i, 'sip:192.0.2.1', 1 FROM generate_series(1, 2000) i", "more rows than"),
    ("ALTER TABLE rates RENAME prefix TO number", "does not exist"),
)


def test_rows_that_cannot_be_used_change_nothing(start_appliance: Callable[..., Appliance], database: str) -> None:
    execute(database, ROWS)
    text = section(database, more="  rows maximum 1000\n  memory maximum 128\n")
    appliance = start_appliance(text, listener=("role core", f"peer {LOOPBACK}"))
    control = Control(appliance.state)
    wait_until(lambda: next_hop(control, NUMBER) != [], "the rows are in force")
    before = control.ask("show route-table", table="carriers")
    for spoil, words in SPOILT:
        execute(database, spoil)
        fault_with(control, words)
        assert control.ask("show route-table", table="carriers") == before
        execute(database, ROWS)
        wait_until(lambda: source(control)["fault"] == "", "it is read again")
    wait_until(lambda: "route-source-failing" not in alarms(control), "the alarm has cleared")
    assert control.ask("show route-table", table="carriers") == before
    assert next_hop(control, NUMBER) == [f"sip:{NUMBER}@192.0.2.2;user=phone"]
    assert appliance.counter("route-table-reads-failed") >= len(SPOILT)


def test_a_database_that_is_slow_or_stopped_is_given_up_and_another_one_is_read(
    start_appliance: Callable[..., Appliance], database: str
) -> None:
    execute(database, ROWS)
    slow = "SELECT '+49' prefix, 'sip:192.0.2.1' action FROM pg_sleep(3600)"
    text = section(database, statement=slow, more="  timeout 1\n")
    appliance = start_appliance(text, listener=("role core", f"peer {LOOPBACK}"))
    control = Control(appliance.state)
    # The database says so, or the process that reads.
    wait_until(lambda: re.search("timeout|took longer", source(control)["fault"]), "a slow database is given up")
    # The first server does not answer at all.
    control.commit(replaced(control, section("postgresql://signalbox@127.0.0.1:1/postgres", database, every=3600)))
    wait_until(lambda: next_hop(control, NUMBER) != [], "the second server is read")
    postmaster = int(Path(execute(database, "SHOW data_directory")[0][0], "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGSTOP)
    try:
        control.commit(replaced(control, section(database, every=3600, more="  timeout 20\n")))
        wait_until(lambda: "cannot be read" in source(control)["fault"], "a stopped database is given up")
        assert next_hop(control, NUMBER) != []
    finally:
        os.kill(postmaster, signal.SIGCONT)
    control.ask("refresh route-table", table="carriers")
    wait_until(lambda: source(control)["fault"] == "", "it is read when an operator wants it")


@pytest.mark.parametrize("kind", ["a pipe without a writer", "a view without end"])
def test_a_file_that_never_answers_is_given_up(
    kind: str, start_appliance: Callable[..., Appliance], tmp_path: Path
) -> None:
    import sqlite3

    path = tmp_path / "rates.db"
    if kind == "a pipe without a writer":
        os.mkfifo(path)
    else:
        counted = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT * FROM n WHERE i < 0"
        with sqlite3.connect(path) as connection:
            connection.execute(f"CREATE VIEW rates AS SELECT i AS prefix, i AS action, i AS priority FROM ({counted})")
        connection.close()
    text = section(f"sqlite:///{path}", every=3600, more="  timeout 2\n")
    appliance = start_appliance(text, listener=("role core", f"peer {LOOPBACK}"))
    control = Control(appliance.state)
    fault_with(control, "it took longer than 2 seconds")
    # By the process that reads it, and not by the one that waits for that.
    assert source(control)["took_s"] < GRACE_S


def test_the_lookup_server_is_started_again_and_ends_without_work(
    start_appliance: Callable[..., Appliance], tmp_path: Path
) -> None:
    import sqlite3

    path = tmp_path / "rates.db"
    with sqlite3.connect(path) as connection:
        connection.executescript("CREATE TABLE rates (prefix, action); INSERT INTO rates VALUES (49, 'sip:192.0.2.1');")
    connection.close()
    text = section(f"sqlite:///{path}", statement="SELECT '+' || prefix AS prefix, action FROM rates")
    appliance = start_appliance(text, listener=("role core", f"peer {LOOPBACK}"))
    control = Control(appliance.state)
    wait_until(lambda: next_hop(control, NUMBER) != [], "the rows are in force")
    reads = appliance.counter("route-table-reads")
    first = pid_of(control)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: pid_of(control) not in (0, first), "another one runs")
    wait_until(lambda: appliance.counter("route-table-reads") > reads, "it reads, and counters go on")
    control.commit(replaced(control, POLICY))
    wait_until(lambda: pid_of(control) == 0, "it ends")
    assert next_hop(control, NUMBER) != []


def pid_of(control: Control) -> int:
    found = [row["pid"] for row in control.ask("show processes")["processes"] if row["name"] == "lookups"]
    return found[0] or 0 if found else 0
