"""Route tables as CSV: read with every fault by its line, and written again.

    table,prefix,action,priority,weight,strip,prepend,translation,condition
    default,+1732,sip:gw1.example.com;transport=tcp,1
    default,+1732,sip:gw2.example.com,2
    default,+1900,reject 403 Premium Numbers Barred
    default,any,table carriers

The first line names the columns; those from `priority` on may be left out. A file holds all tables of the node. It is
whole or it is not used: a fault, a table that does not exist or tables that refer to each other in a circle refuse it.
So does a name that the configuration does not have, where that is known.
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterable, Iterator
from typing import Final

from appliance.routing.route_entry import TABLE_NAME, RouteEntry, RouteFault
from appliance.routing.route_file import RULES_MAX, RouteFileWriter
from appliance.routing.route_prefixes import key_of_prefix
from appliance.routing.route_references import Configured, reference_faults
from appliance.routing.route_tables import RouteTables

COLUMNS: Final = ("table", "prefix", "action", "priority", "weight", "strip", "prepend", "translation", "condition")
REQUIRED: Final = COLUMNS[:3]
FAULTS_MAX: Final = 20


class RoutesRefused(ValueError):
    """A file of routes cannot be used. `faults`: sentences, each with its line."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class RouteReader:
    """Reads one file into a writer."""

    def __init__(self, configured: Configured | None = None) -> None:
        """`configured`: what rows may name; None where that is not known."""
        self._writer = RouteFileWriter()
        self._faults: list[str] = []
        self._configured = configured
        # What many rows have in common is read once: the columns behind the prefix to the entry.
        self._known: dict[tuple[str, ...], _KnownEntry] = {}
        # From table to what its rows name, with the line where they do so first.
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
        if self._columns[:2] == COLUMNS[:2] and len(row) > 2:
            table, prefix, rest = row[0].strip(), row[1].strip(), tuple(row[2:])
        else:
            fields = dict(zip(self._columns, row, strict=False))
            table, prefix = fields.pop("table", "").strip(), fields.pop("prefix", "").strip()
            rest = tuple(fields.values())
        known = self._known.get(rest) or self._read_entry(rest)
        columns = known.columns.get(table) or self._begin_table(table, known)
        columns[0].append(key_of_prefix(prefix))
        columns[1].append(known.number)
        for reference in known.references:
            self._references.setdefault(table, {}).setdefault(reference, line)
        self._writer.rule_count += 1
        if self._writer.rule_count > RULES_MAX:
            raise RouteFault("there are too many rows", f"a node holds {RULES_MAX}")

    def _begin_table(self, table: str, known: _KnownEntry) -> tuple[array[int], array[int]]:
        if not TABLE_NAME.fullmatch(table):
            raise RouteFault(f'"{table[:40]}" is not the name of a table', "type letters, digits, - . and _")
        for reference in known.references:
            self._writer.refer(table, reference)
        columns = known.columns[table] = self._writer.columns_of(table)
        return columns

    def _read_entry(self, values: tuple[str, ...]) -> _KnownEntry:
        names = [name for name in self._columns if name not in COLUMNS[:2]]
        fields = dict(zip(names, map(str.strip, values), strict=False))
        entry = RouteEntry(
            fields.get("action", ""),
            _number(fields, "priority", 0),
            _number(fields, "weight", 1),
            _number(fields, "strip", 0),
            fields.get("prepend", ""),
            fields.get("translation", ""),
            fields.get("condition", ""),
        )
        known = self._known[values] = _KnownEntry(self._writer.row_number(entry.text()), entry.references())
        return known

    def _check_references(self) -> None:
        faults = reference_faults(self._references, frozenset(self._writer.tables), self._configured)
        for table, reference, problem, remedy in faults:
            line = self._references.get(table, {}).get(reference)
            where = "" if line is None else f"Line {line}: "
            self._faults.append(f"{where}{problem}; {remedy}.")
        if len(self._faults) > FAULTS_MAX:
            self._faults[FAULTS_MAX:] = ["Further faults are not shown."]


class _KnownEntry:
    """What rows with the same columns behind the prefix have in common, and the columns of the tables that have any."""

    __slots__ = ("columns", "number", "references")

    def __init__(self, number: int, references: list[str]) -> None:
        self.number = number
        self.references = references
        self.columns: dict[str, tuple[array[int], array[int]]] = {}


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
                names = (entry.translation, entry.condition)
                yield (table, prefix, entry.action, *numbers, entry.prepend.decode(), *names)


def sort_key(row: tuple[str, ...]) -> tuple[str, int]:
    """By what `rows_of` orders its rows."""
    return row[0], key_of_prefix(row[1])
