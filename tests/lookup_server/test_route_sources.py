"""When tables are read from databases: each has its turn, and none by a configuration that is not in force any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from appliance.catalogue.route_table_settings import RouteTableSettings
from appliance.lookup_server.route_sources import READS_MAX, RouteSources
from appliance.lookup_server.table_reading import Order, Reading


def section(name: str, server: str = "/srv/routes.db") -> str:
    statement = "SELECT prefix, action FROM rates"
    return f'route-table {name}\n  server sqlite:///{server}\n  statement "{statement}"\n  every 3600\n!\n'


class Database:
    """Answers a read when it is told to. `begun` and `broken_off`: tables, with the configuration of the read."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, str]] = []
        self.broken_off: list[tuple[str, str]] = []
        self._waiting: dict[str, asyncio.Future[Reading]] = {}

    async def read(self, order: Order, settings: RouteTableSettings) -> Reading:
        self.begun.append((order.table, order.config_text))
        answer = self._waiting[order.table] = asyncio.get_running_loop().create_future()
        try:
            return await answer
        except asyncio.CancelledError:
            self.broken_off.append((order.table, order.config_text))
            raise

    def answer(self, table: str, reading: Reading) -> None:
        self._waiting.pop(table).set_result(reading)


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not is_so():
            await asyncio.sleep(0)


def played(text: str, play: Callable[[RouteSources, Database], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        database = Database()
        sources = RouteSources("/nowhere", text, database.read)
        running = asyncio.ensure_future(sources.run())
        try:
            await play(sources, database)
            assert not running.done()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())


def test_slow_databases_do_not_take_the_turn_of_a_table_that_waits() -> None:
    slow = [f"slow-{number}" for number in range(READS_MAX)]

    async def play(sources: RouteSources, database: Database) -> None:
        await until(lambda: len(database.begun) == READS_MAX)
        assert [table for table, _ in database.begun] == slow
        # All of the slow ones are due again before they have ended.
        sources.read_now("")
        database.answer(slow[0], Reading(fault="it took longer than 60 seconds"))
        await until(lambda: len(database.begun) > READS_MAX)
        assert database.begun[-1][0] == "healthy"

    played("".join(map(section, [*slow, "healthy"])), play)


def test_a_read_is_broken_off_when_its_settings_change() -> None:
    old, new = section("carriers"), section("carriers", "/srv/others.db")

    async def play(sources: RouteSources, database: Database) -> None:
        await until(lambda: database.begun)
        sources.use(new)
        await until(lambda: len(database.begun) == 2)
        assert (database.broken_off, database.begun[1]) == ([("carriers", old)], ("carriers", new))
        database.answer("carriers", Reading(rows=1, version=7))
        await until(lambda: sources.rows()[0].reads and not sources.rows()[0].is_reading)
        assert sources.rows()[0].changes == 1

    played(old, play)


def test_a_read_is_broken_off_when_its_table_is_not_read_any_more() -> None:
    async def play(sources: RouteSources, database: Database) -> None:
        await until(lambda: database.begun)
        sources.use("")
        await until(lambda: database.broken_off)
        assert sources.rows() == []

    played(section("carriers"), play)


def test_a_read_begins_again_when_what_its_rows_may_name_changes() -> None:
    before = section("carriers") + "translation national\n  description old\n!\n"
    after = section("carriers")

    async def play(sources: RouteSources, database: Database) -> None:
        await until(lambda: database.begun)
        sources.use(after)
        await until(lambda: len(database.begun) == 2)
        assert database.broken_off == [("carriers", before)]

    played(before, play)


def test_a_read_goes_on_when_something_else_changes() -> None:
    async def play(sources: RouteSources, database: Database) -> None:
        await until(lambda: database.begun)
        sources.use(section("carriers") + "limits\n  connections 5000\n!\n")
        database.answer("carriers", Reading(rows=1))
        await until(lambda: sources.rows()[0].reads)
        assert (len(database.begun), database.broken_off) == (1, [])

    played(section("carriers"), play)
