"""Reads one route table from its database, checks all rows and puts them in force: `python -m` this module.

A process of its own for each read: its memory is bounded and given back, a hang ends with it, and no lookup waits while
a million rows are checked. What is read is the word of a stranger: a file may be a pipe, a view may never end, a value
may be as long as the memory. Standard input has the order, standard output what came of it, both as JSON. Exit
status: 0; of a fault of its own, another one.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from appliance.catalogue.redaction import without_url_secrets
from appliance.catalogue.route_table_settings import RouteTableSettings
from appliance.catalogue.settings import Settings
from appliance.configuration.text import parse_configuration
from appliance.lookups.lookup_client import ServerFailed
from appliance.lookups.sql_rows import ValueUnusable, read_rows, text_of
from appliance.privileges import lay_down_all
from appliance.routing.route_entry import RouteFault
from appliance.routing.route_references import Configured
from appliance.routing.route_rows import RouteRows, RoutesRefused
from appliance.storage.route_changes import replace_table
from appliance.storage.route_store import RouteStore, RouteStoreFault

# Of all values of all rows together.
OCTETS_MAX: Final = 2_000_000_000
FAULTS_TOLD: Final = 20
FAULT_LEN_MAX: Final = 300


@dataclass(frozen=True, slots=True)
class Order:
    """Which table to read, by which configuration, into which state folder."""

    state_dir: str
    config_text: str
    table: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of it. `version`: of the routes, 0 where nothing has changed. `fault`: why there are no rows;
    `refused`: what is wrong with them, a sentence each.
    """

    rows: int = 0
    version: int = 0
    fault: str = ""
    refused: tuple[str, ...] = field(default=())


def main() -> int:
    """Read a table; returns the exit status."""
    lay_down_all()
    parent = os.getppid()
    order = Order(**json.load(sys.stdin))
    settings = parse_configuration(order.config_text)
    table = next(each for each in settings.route_tables if each.name == order.table)
    _bound_memory(table.memory_mib)
    # From here: what it took to start, on a machine with much to do, is not the fault of the database.
    deadline = Deadline(table.timeout_s, parent)
    _tell(read_table(RouteStore(Path(order.state_dir)), table, settings, deadline.met))
    return 0


def _tell(reading: Reading) -> None:
    json.dump(asdict(reading), sys.stdout)
    sys.stdout.flush()


def _bound_memory(memory_mib: int) -> None:
    """Of what this process makes itself; files that it maps do not count."""
    octets = memory_mib << 20
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (octets if most == resource.RLIM_INFINITY else min(octets, most), most))
    # Where the machine has less: the kernel is to end this process, and no worker.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


class Deadline:
    """Ends this process when its time is over, by a thread: a driver that waits in C sees no signal."""

    def __init__(self, timeout_s: int, parent: int) -> None:
        """`parent`: who waits for what comes of it."""
        self._timeout_s = timeout_s
        self._parent = parent
        self._lock = threading.Lock()
        self._timer = threading.Timer(timeout_s, self._end_late)
        self._timer.daemon = True
        self._timer.start()

    def met(self) -> None:
        """The rows are read in time: what is put in force now is not broken off. Those of an orphan are not wanted."""
        with self._lock:
            self._timer.cancel()
            if os.getppid() != self._parent:
                os._exit(1)

    def _end_late(self) -> None:
        with self._lock:
            if self._timer.finished.is_set():
                return
            _tell(Reading(fault=f"it took longer than {self._timeout_s} seconds"))
            os._exit(0)


def read_table(
    store: RouteStore, table: RouteTableSettings, settings: Settings, have_read: Callable[[], None]
) -> Reading:
    """Read the rows, check them, and put them in force where they are others than before.

    `have_read` is called when there are rows to be put in force.
    """
    rows = RouteRows(Configured(settings), "Row")
    try:
        count = _read_from_servers(table, rows)
        have_read()
        if not rows.faults and not count:
            raise RoutesRefused(["The statement has found no rows; a table without rows is not put in force."])
        return Reading(count, replace_table(store, table.name, rows, settings))
    except RoutesRefused as refused:
        return Reading(refused=tuple(_told(fault) for fault in refused.faults[: FAULTS_TOLD + 1]))
    except (ServerFailed, RouteStoreFault) as failed:
        return Reading(fault=_told(str(failed)))
    except MemoryError:
        return Reading(fault=f"it takes more memory than {table.memory_mib} MiB; see `memory maximum`")


def _read_from_servers(table: RouteTableSettings, rows: RouteRows) -> int:
    """How many rows there are. The next server is asked only where one does not answer at all. Raises ServerFailed."""
    reader = _RowReader(table, rows)
    part_s = max(1, table.timeout_s // len(table.servers))
    for place, server in enumerate(table.servers):
        try:
            read_rows(server, table.statement, f"signalbox route-table {table.name}", part_s, reader.take)
            break
        except ServerFailed:
            if place + 1 == len(table.servers) or reader.has_begun:
                raise
    return reader.count


class _RowReader:
    """Gives rows on. `count`: how many there were."""

    def __init__(self, table: RouteTableSettings, rows: RouteRows) -> None:
        self._table = table
        self._rows = rows
        self.count = 0
        self.has_begun = False

    def take(self, names: tuple[str, ...], found: Iterator[tuple[object, ...]]) -> None:
        """All rows of one answer. Faults are noted."""
        self.has_begun = True
        name, rows, octets = self._table.name, self._rows, 0
        rows.take(("table", *names), 0)
        for row in found:
            if rows.has_many_faults or not rows.columns:
                return
            self.count += 1
            if self.count > self._table.rows_max:
                rows.refuse(self.count, RouteFault("there are more rows than are allowed", "raise `rows maximum`"))
                return
            try:
                texts = [text_of(value) for value in row]
            except ValueUnusable as fault:
                rows.refuse(self.count, RouteFault(str(fault), "have the statement convert it by CAST"))
                continue
            octets += sum(map(len, texts))
            if octets > OCTETS_MAX:
                rows.refuse(self.count, RouteFault("the rows are too long", f"{OCTETS_MAX} octets are allowed in all"))
                return
            rows.take((name, *texts), self.count)


def _told(text: str) -> str:
    """Databases write a part of it."""
    shown = without_url_secrets(text)[:FAULT_LEN_MAX]
    return "".join(each if each.isprintable() else " " for each in shown)


if __name__ == "__main__":
    sys.exit(main())
