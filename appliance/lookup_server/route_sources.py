"""The route tables that are read from databases: when each is read, and what came of it.

Each read is a process, which is ended when it takes too long (table_reading.py); few run at a time, and the table that
has waited longest is next. A table whose read failed stays as it was, and is read again at its next time. A read goes
by one configuration: it is broken off when another one is in force by which its rows could be others, or wrong.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import Any, Final

from appliance import clock
from appliance.catalogue.counters import COUNTERS, ROUTE_TABLE_READS, ROUTE_TABLE_READS_FAILED, ROUTE_TABLES_CHANGED
from appliance.catalogue.route_table_settings import RouteTableSettings
from appliance.configuration.text import parse_configuration
from appliance.ipc.launch_document import python_module
from appliance.lookup_server.table_reading import Order, Reading
from appliance.messages.route_table_messages import TableReadRow
from appliance.routing.route_references import Configured

# Processes that read at a time.
READS_MAX: Final = 4
# What a process may take to start and to write its answer.
GRACE_S: Final = 60
ANSWER_LEN_MAX: Final = 1 << 20

log = logging.getLogger("signalbox.lookups")


Read = Callable[[Order, RouteTableSettings], Awaitable[Reading]]


class RouteSource:
    """One table. `due_at`: when it is read next (monotonic). `read`: the one that is running."""

    def __init__(self, settings: RouteTableSettings, now: float) -> None:
        self.settings = settings
        self.due_at = now
        self.read: asyncio.Task[None] | None = None
        self.row = TableReadRow(settings.name, False, 0, 0.0, 0.0, 0.0, "", 0, 0, 0)

    def has_begun(self, now: float) -> None:
        """It is read now. Times that have passed meanwhile are not made up for."""
        self.row.is_reading = True
        self.due_at = now + self.settings.every_s

    def break_off(self, now: float) -> None:
        """What is being read now is not wanted; it is read again at once."""
        if self.read is not None:
            self.read.cancel()
            self.due_at = now

    def has_ended(self, reading: Reading, began: float) -> None:
        """Take note of what came of it."""
        row = self.row
        row.took_s = clock.monotonic() - began
        row.reads += 1
        row.fault = fault_of(reading)
        if row.fault:
            row.failures += 1
            return
        row.read_at, row.rows = clock.wall_time(), reading.rows
        if reading.version:
            row.changes += 1
            row.changed_at = row.read_at


def fault_of(reading: Reading) -> str:
    """Sentences for the operator; "" for none."""
    if reading.refused:
        return f"The rows are refused. {' '.join(reading.refused)}"
    return f"It cannot be read: {reading.fault.removesuffix('.')}." if reading.fault else ""


class RouteSources:
    """All tables of the configuration. For one event loop; `run` is its task."""

    def __init__(self, state_dir: str, config_text: str, read: Read | None = None) -> None:
        """`read`: how a table is read; None for `read_apart`."""
        self.counters = [0] * len(COUNTERS)
        self._state_dir = state_dir
        self._read_table = read or read_apart
        self._config_text = config_text
        self._configured = Configured(parse_configuration(config_text))
        self._sources: dict[str, RouteSource] = {}
        self._has_news = asyncio.Event()
        self._reads = 0
        self.use(config_text)

    def use(self, config_text: str) -> None:
        """Go by another configuration. A table whose settings are others is read at once. Raises ConfigError."""
        wanted = parse_configuration(config_text)
        self._config_text = config_text
        now, before = clock.monotonic(), self._sources
        was_configured, self._configured = self._configured, Configured(wanted)
        self._sources = {}
        for settings in wanted.route_tables:
            known = before.get(settings.name)
            if settings.is_read:
                is_known = known is not None and known.settings == settings
                self._sources[settings.name] = known if known is not None and is_known else RouteSource(settings, now)
        is_same = self._configured.has_same(was_configured)
        for name, source in before.items():
            if not is_same or self._sources.get(name) is not source:
                source.break_off(now)
        self._has_news.set()

    def read_now(self, table: str) -> None:
        """An operator wants it; "": all of them."""
        for name, source in self._sources.items():
            if table in ("", name):
                source.due_at = min(source.due_at, clock.monotonic())
        self._has_news.set()

    def rows(self) -> list[TableReadRow]:
        """What operators see."""
        return [source.row for source in self._sources.values()]

    async def run(self) -> None:
        """Read each when its time has come."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._has_news.clear()
                now = clock.monotonic()
                idle = [source for source in self._sources.values() if not source.row.is_reading]
                longest = sorted((source for source in idle if source.due_at <= now), key=lambda each: each.due_at)
                due = longest[: READS_MAX - self._reads]
                for source in due:
                    source.has_begun(now)
                    self._reads += 1
                    source.read = group.create_task(self._read(source, now))
                    source.read.add_done_callback(partial(self._has_read, source))
                # With as many as may be, the end of one is news.
                waiting = [] if self._reads >= READS_MAX else [each.due_at for each in idle if each not in due]
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(waiting) - now if waiting else None):
                        await self._has_news.wait()

    def _has_read(self, source: RouteSource, read: asyncio.Task[None]) -> None:
        """It has ended, or was broken off."""
        source.read = None
        source.row.is_reading = False
        self._reads -= 1
        self._has_news.set()

    async def _read(self, source: RouteSource, now: float) -> None:
        was_fault = source.row.fault
        order = Order(self._state_dir, self._config_text, source.settings.name)
        reading = await self._read_table(order, source.settings)
        source.has_ended(reading, now)
        self.counters[ROUTE_TABLE_READS] += 1
        self.counters[ROUTE_TABLE_READS_FAILED] += bool(source.row.fault)
        self.counters[ROUTE_TABLES_CHANGED] += bool(reading.version)
        name = source.settings.name
        if reading.version:
            log.info("route table %s has changed: %d rows, routes version %d", name, reading.rows, reading.version)
        if source.row.fault and source.row.fault != was_fault:
            log.error("route table %s: %s", name, source.row.fault)


async def read_apart(order: Order, settings: RouteTableSettings) -> Reading:
    """Read a table in a process of its own, which is ended when it takes too long."""
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *python_module("appliance.lookup_server.table_reading"), stdin=pipe, stdout=pipe, limit=ANSWER_LEN_MAX
        )
    except OSError as fault:
        return Reading(fault=f"no process can be started that reads it ({fault.strerror})")
    try:
        async with asyncio.timeout(settings.timeout_s + GRACE_S):
            answer, _ = await process.communicate(json.dumps(asdict(order)).encode())
    except TimeoutError:
        return Reading(fault=f"it took longer than {settings.timeout_s} seconds")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _reading_in(answer, process.returncode)


def _reading_in(answer: bytes, status: int | None) -> Reading:
    try:
        fields: dict[str, Any] = json.loads(answer)
        return Reading(**{**fields, "refused": tuple(fields["refused"])})
    except (ValueError, TypeError, KeyError):
        return Reading(fault=f"the process that reads it has ended with status {status}; see `show logging`")
