"""The route tables of a node as octets: one file that all workers map into their memory.

    header      magic, format, numbers of tables, rules and lists, length of the texts
    keys        8 octets a rule, in order within each table (route_prefixes.py)
    parents     4 octets a rule: the longest other prefix of its table that covers it, plus 1; 0 for none
    lists       4 octets a rule: the number of its list of entries
    ends        8 octets a list: where its text ends
    tables      a line a table: name, first rule, end; behind tabs, what its rows name (RouteEntry.references)
    texts       the entries of each list, a line each; lists that are equal are stored once

All numbers have the byte order of the machine. The longest prefix of a number is the last rule whose key is not
greater than that of the number, or one of its parents.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from itertools import islice
from operator import le
from typing import Final

from appliance.routing.route_prefixes import mask_below

MAGIC: Final = b"SBROUTES"
FORMAT: Final = 2
# The first one does not say what rows name: that is not checked until the next import.
FORMATS_READ: Final = (1, FORMAT)
HEADER: Final = struct.Struct("=8sIIQQQ")
RULES_MAX: Final = 20_000_000
NO_PARENT: Final = 0


class RouteFileWriter:
    """Collects rows of tables; rows of one prefix keep their order."""

    def __init__(self) -> None:
        self.has_order = True
        """Does the order of rows of one prefix count? A database may give them in any order."""
        self._keys: dict[str, array[int]] = {}
        self._rows: dict[str, array[int]] = {}
        self._row_numbers: dict[str, int] = {}
        self._list_numbers: dict[tuple[int, ...], int] = {}
        # By table: what its rows name, in the order in which that came first.
        self.references: dict[str, dict[str, None]] = {}
        self.rule_count = 0

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables so far."""
        return tuple(self._keys)

    def add(self, table: str, key: int, entry_text: str) -> None:
        """One row."""
        keys, rows = self.columns_of(table)
        keys.append(key)
        rows.append(self.row_number(entry_text))

    def columns_of(self, table: str) -> tuple[array[int], array[int]]:
        """The keys of the rows of a table, and the numbers of their texts: a row is one of each."""
        if table not in self._keys:
            self._keys[table] = array("Q")
            self._rows[table] = array("I")
        return self._keys[table], self._rows[table]

    def row_number(self, entry_text: str) -> int:
        """The number of the text of a row; equal ones have the same."""
        return self._row_numbers.setdefault(entry_text, len(self._row_numbers))

    def refer(self, table: str, reference: str) -> None:
        """A row of the table names that."""
        self.references.setdefault(table, {})[reference] = None

    def octets(self) -> bytes:
        """The whole file."""
        keys, parents, lists = array("Q"), array("I"), array("I")
        lines: list[str] = []
        for table in sorted(self._keys):
            first = len(keys)
            self._write_table(table, keys, lists)
            _write_parents(keys, parents, first)
            lines.append("\t".join((f"{table} {first} {len(keys)}", *self.references.get(table, ()))) + "\n")
        self.rule_count = len(keys)
        texts = list(self._list_texts())
        ends, at = array("Q"), 0
        for text in texts:
            at += len(text)
            ends.append(at)
        names = "".join(lines).encode()
        header = HEADER.pack(MAGIC, FORMAT, len(names), len(keys), len(ends), at)
        # Arrays of 8 octets first: each stands at a multiple of its size.
        parts = (header, keys.tobytes(), ends.tobytes(), parents.tobytes(), lists.tobytes(), names)
        return b"".join((*parts, *texts))

    def _write_table(self, table: str, keys: array[int], lists: array[int]) -> None:
        own, rows = _in_order(self._keys[table], self._rows[table])
        known = self._list_numbers
        texts = () if self.has_order else list(self._row_numbers)
        at, count = 0, len(own)
        while at < count:
            key, end = own[at], at + 1
            while end < count and own[end] == key:
                end += 1
            keys.append(key)
            numbers = rows[at:end] if end == at + 1 or self.has_order else sorted(rows[at:end], key=texts.__getitem__)
            lists.append(known.setdefault(tuple(numbers), len(known)))
            at = end

    def _list_texts(self) -> Iterator[bytes]:
        rows = list(self._row_numbers)
        for numbers in self._list_numbers:
            yield "\n".join([rows[number] for number in numbers]).encode()


def _in_order(keys: array[int], rows: array[int]) -> tuple[array[int], array[int]]:
    """Both by key; rows of one key keep their order. A file that was exported is in order already."""
    if all(map(le, keys, islice(keys, 1, None))):
        return keys, rows
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return array("Q", map(keys.__getitem__, order)), array("I", map(rows.__getitem__, order))


def _write_parents(keys: array[int], parents: array[int], first: int) -> None:
    """Those that cover a rule stand before it: the ones that cover the rule before are looked at, longest first.

    A rule covers all keys up to the last one that begins with it.
    """
    open_rules: list[int] = []
    lasts: list[int] = []
    for place in range(first, len(keys)):
        key = keys[place]
        while lasts and lasts[-1] < key:
            lasts.pop()
            open_rules.pop()
        parents.append(open_rules[-1] + 1 if open_rules else NO_PARENT)
        open_rules.append(place)
        lasts.append(key | mask_below(key))
