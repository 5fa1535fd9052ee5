"""Route tables as CSV: read with every fault by its line, and written again.

    table,prefix,action,priority,weight,strip,prepend,translation
    default,+1732,sip:gw1.example.com;transport=tcp,1
    default,+1732,sip:gw2.example.com,2
    default,+1900,reject 403 Premium Numbers Barred
    default,any,table carriers

The first line names the columns; those from `priority` on may be left out. A file holds all tables of the node. It is
whole or it is not used: a fault, a table that does not exist or tables that refer to each other in a circle refuse it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Final

from appliance.routing.route_entry import TABLE, TABLE_NAME, RouteEntry, RouteFault
from appliance.routing.route_file import RULES_MAX, RouteFileWriter
from appliance.routing.route_prefixes import key_of_prefix
from appliance.routing.route_tables import RouteTables

COLUMNS: Final = ("table", "prefix", "action", "priority", "weight", "strip", "prepend", "translation")
REQUIRED: Final = COLUMNS[:3]
FAULTS_MAX: Final = 20


class RoutesRefused(ValueError):
    """A file of routes cannot be used. `faults`: sentences, each with its line."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class RouteReader:
    """Reads one file into a writer."""

    def __init__(self) -> None:
        self._writer = RouteFileWriter()
        self._faults: list[str] = []
        # What many rows have in common is read once: the columns behind the prefix to the text of the entry.
        self._known: dict[tuple[str, ...], RouteEntry] = {}
        # From table to the tables that it refers to, with the line where it does so first.
        self._references: dict[str, dict[str, int]] = {}
        self._columns: tuple[str, ...] = ()

    def read(self, lines: Iterable[str]) -> RouteFileWriter:
        """The writer that holds all rows. Raises RoutesRefused."""
        rows = csv.reader(lines, strict=True)
        try:
            for row in rows:
                if row and not row[0].startswith("#"):
                    self._take(row, rows.line_num)
                if len(self._faults) >= FAULTS_MAX:
                    self._faults.append("Further faults are not shown.")
                    break
        except csv.Error as fault:
            self._faults.append(f"Line {rows.line_num}: this is not CSV ({fault}).")
        if not self._columns and not self._faults:
            self._faults.append(f"Line 1: the file is empty; begin it with {','.join(REQUIRED)}.")
        if not self._faults:
            self._check_references()
        if self._faults:
            raise RoutesRefused(self._faults)
        return self._writer

    def _take(self, row: list[str], line: int) -> None:
        try:
            if not self._columns:
                self._columns = _columns_of(row)
            else:
                self._take_rule(row, line)
        except RouteFault as fault:
            self._faults.append(f"Line {line}: {fault.problem}; {fault.remedy}.")

    def _take_rule(self, row: list[str], line: int) -> None:
        if len(row) > len(self._columns):
            raise RouteFault(f"there are {len(row)} fields", f"type {len(self._columns)} at most, as in line 1")
        fields = dict(zip(self._columns, map(str.strip, row), strict=False))
        table = fields.pop("table", "")
        if not TABLE_NAME.fullmatch(table):
            raise RouteFault(f'"{table[:40]}" is not the name of a table', "type letters, digits, - . and _")
        key = key_of_prefix(fields.pop("prefix", ""))
        entry = self._entry_of(fields)
        if entry.kind == TABLE:
            self._references.setdefault(table, {}).setdefault(entry.table, line)
        self._writer.add(table, key, entry.text())
        self._writer.rule_count += 1
        if self._writer.rule_count > RULES_MAX:
            raise RouteFault("there are too many rows", f"a node holds {RULES_MAX}")

    def _entry_of(self, fields: dict[str, str]) -> RouteEntry:
        known = tuple(fields.values())
        entry = self._known.get(known)
        if entry is None:
            entry = RouteEntry(
                fields.get("action", ""),
                _number(fields, "priority", 0),
                _number(fields, "weight", 1),
                _number(fields, "strip", 0),
                fields.get("prepend", ""),
                fields.get("translation", ""),
            )
            self._known[known] = entry
        return entry

    def _check_references(self) -> None:
        known = self._writer.tables
        for table, others in self._references.items():
            for other, line in others.items():
                if other not in known:
                    self._faults.append(f"Line {line}: there is no table {other}; add rows for it, or name another.")
                elif table in self._reached_from(other):
                    self._faults.append(f"Line {line}: table {table} leads back to itself by {other}; remove one step.")

    def _reached_from(self, table: str) -> set[str]:
        reached, waiting = {table}, [table]
        while waiting:
            for other in self._references.get(waiting.pop(), ()):
                if other not in reached:
                    reached.add(other)
                    waiting.append(other)
        return reached


def _columns_of(row: list[str]) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in row)
    for name in names:
        if name not in COLUMNS or names.count(name) > 1:
            raise RouteFault(f'"{name[:40]}" is not a column, or is there twice', f"begin with {','.join(COLUMNS)}")
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise RouteFault(f"the column {missing[0]} is missing", f"begin the file with {','.join(COLUMNS)}")
    return names


def _number(fields: dict[str, str], name: str, default: int) -> int:
    text = fields.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise RouteFault(f'"{text[:40]}" is not a {name}', "type a number of up to five digits")
    return int(text)


def rows_of(tables: RouteTables) -> Iterator[tuple[str, ...]]:
    """The rows of all tables, in order; with the columns first they are a file that can be read."""
    for table in tables.names:
        for match in tables.below(table, 0, tables.rules_of(table)):
            prefix = match.prefix
            for entry in match.entries:
                numbers = (str(entry.priority), str(entry.weight), str(entry.strip))
                yield (table, prefix, entry.action, *numbers, entry.prepend.decode(), entry.translation)


def sort_key(row: tuple[str, ...]) -> tuple[str, int]:
    """By what `rows_of` orders its rows."""
    return row[0], key_of_prefix(row[1])
