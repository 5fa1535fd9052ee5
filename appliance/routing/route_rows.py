"""Rows of route tables, as texts by column: checked, and put into a route file (docs/routing.md).

They come from a CSV file (route_csv.py) or from a database. All are used or none: a fault, a table that does not exist
or tables that refer to each other in a circle refuse them. So does a name that the configuration does not have, where
that is known.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from typing import Final

from appliance.routing.route_entry import TABLE_NAME, RouteEntry, RouteFault
from appliance.routing.route_file import RULES_MAX, RouteFileWriter
from appliance.routing.route_prefixes import key_of_prefix
from appliance.routing.route_references import Configured, ReferenceFault, References, reference_faults

COLUMNS: Final = ("table", "prefix", "action", "priority", "weight", "strip", "prepend", "translation", "condition")
REQUIRED: Final = COLUMNS[:3]
FAULTS_MAX: Final = 20


class RoutesRefused(ValueError):
    """Rows cannot be used. `faults`: sentences, each with the place of its row."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class RouteRows:
    """Takes rows one by one. `columns`: the names of their values; first of all."""

    def __init__(self, configured: Configured | None = None, place_word: str = "Line") -> None:
        """`configured`: what rows may name; None where that is not known. `place_word`: what the place of a row is."""
        self.writer = RouteFileWriter()
        self.faults: list[str] = []
        self.columns: tuple[str, ...] = ()
        self._place_word = place_word
        self._configured = configured
        # What many rows have in common is read once: the columns behind the prefix to the entry.
        self._known: dict[tuple[str, ...], _KnownEntry] = {}
        # From table to what its rows name, with the place where they do so first.
        self._references: dict[str, dict[str, int]] = {}

    def take(self, row: Sequence[str], place: int) -> None:
        """One row, after the names of the columns."""
        try:
            if not self.columns:
                self.columns = _columns_of(row)
            else:
                self._take_rule(row, place)
        except RouteFault as fault:
            self.refuse(place, fault)

    def refuse(self, place: int, fault: RouteFault) -> None:
        """Note what is wrong with a row."""
        self.faults.append(f"{self._place_word} {place}: {fault.problem}; {fault.remedy}.")

    @property
    def has_many_faults(self) -> bool:
        """Are there as many as are shown? Then further rows need not be read."""
        return len(self.faults) >= FAULTS_MAX

    def checked(self, others: References | None = None, tolerated: Collection[ReferenceFault] = ()) -> RouteFileWriter:
        """The writer with all rows. Raises RoutesRefused.

        `others`: tables that stay beside these, with what their rows name. `tolerated`: what is wrong already.
        """
        if not self.faults:
            self._check_references(others or {}, tolerated)
        if len(self.faults) > FAULTS_MAX or self.has_many_faults:
            self.faults[FAULTS_MAX:] = ["Further faults are not shown."]
        if self.faults:
            raise RoutesRefused(self.faults)
        return self.writer

    def _take_rule(self, row: Sequence[str], place: int) -> None:
        if len(row) > len(self.columns):
            raise RouteFault(f"there are {len(row)} fields", f"type {len(self.columns)} at most, as in line 1")
        if self.columns[:2] == COLUMNS[:2] and len(row) > 2:
            table, prefix, rest = row[0].strip(), row[1].strip(), tuple(row[2:])
        else:
            fields = dict(zip(self.columns, row, strict=False))
            table, prefix = fields.pop("table", "").strip(), fields.pop("prefix", "").strip()
            rest = tuple(fields.values())
        known = self._known.get(rest) or self._read_entry(rest)
        columns = known.columns.get(table) or self._begin_table(table, known)
        columns[0].append(key_of_prefix(prefix))
        columns[1].append(known.number)
        for reference in known.references:
            self._references.setdefault(table, {}).setdefault(reference, place)
        self.writer.rule_count += 1
        if self.writer.rule_count > RULES_MAX:
            raise RouteFault("there are too many rows", f"a node holds {RULES_MAX}")

    def _begin_table(self, table: str, known: _KnownEntry) -> tuple[array[int], array[int]]:
        if not TABLE_NAME.fullmatch(table):
            raise RouteFault(f'"{table[:40]}" is not the name of a table', "type letters, digits, - . and _")
        for reference in known.references:
            self.writer.refer(table, reference)
        columns = known.columns[table] = self.writer.columns_of(table)
        return columns

    def _read_entry(self, values: tuple[str, ...]) -> _KnownEntry:
        names = [name for name in self.columns if name not in COLUMNS[:2]]
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
        known = self._known[values] = _KnownEntry(self.writer.row_number(entry.text()), entry.references())
        return known

    def _check_references(self, others: References, tolerated: Collection[ReferenceFault]) -> None:
        tables = {*self.writer.tables, *others}
        for fault in reference_faults({**others, **self._references}, tables, self._configured):
            place = self._references.get(fault.table, {}).get(fault.reference)
            if fault not in tolerated:
                where = "" if place is None else f"{self._place_word} {place}: "
                self.faults.append(f"{where}{fault.problem}; {fault.remedy}.")


class _KnownEntry:
    """What rows with the same columns behind the prefix have in common, and the columns of the tables that have any."""

    __slots__ = ("columns", "number", "references")

    def __init__(self, number: int, references: list[str]) -> None:
        self.number = number
        self.references = references
        self.columns: dict[str, tuple[array[int], array[int]]] = {}


def _columns_of(row: Sequence[str]) -> tuple[str, ...]:
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
