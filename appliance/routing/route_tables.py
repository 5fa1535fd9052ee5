"""Looking up the route of a number: longest prefix first, over a memory that all workers of the node share.

The format is that of route_file.py. A look-up is a binary search and as many steps as there are prefixes within each
other. Lists of entries are read when they are first needed; a bounded number of them is kept.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Final

from appliance.routing.route_entry import NEXT_HOP, RouteEntry, action_in, entry_of
from appliance.routing.route_file import FORMATS_READ, HEADER, MAGIC
from appliance.routing.route_prefixes import covers, key_of_number, mask_below, text_of_key
from appliance.sip.uri import Uri

NOWHERE: Final = (0, 0)
LISTS_KEPT_MAX: Final = 4096
# Reading so many takes a tenth of a second, once for each import.
HOPS_MAX: Final = 10_000


class RouteMatch:
    """The rule that decides in one table."""

    __slots__ = ("_key", "entries", "place", "table")

    def __init__(self, table: str, key: int, entries: tuple[RouteEntry, ...], place: int) -> None:
        """`place`: its number in the file."""
        self.table = table
        self._key = key
        self.entries = entries
        self.place = place

    @property
    def prefix(self) -> str:
        """As it is typed."""
        return text_of_key(self._key)


class RouteTables:
    """The tables of one route file. Never changed but for the lists that are kept."""

    __slots__ = (
        "_all_keys", "_all_lists", "_ends", "_kept", "_keys", "_lists", "_parents", "_tables", "_texts", "references",
    )  # fmt: skip

    def __init__(self, memory: memoryview) -> None:
        """Raises ValueError for octets that are no route file."""
        if len(memory) < HEADER.size:
            raise ValueError("it is too short")
        magic, form, names_len, rules, lists, texts_len = HEADER.unpack(memory[: HEADER.size])
        if magic != MAGIC or form not in FORMATS_READ:
            raise ValueError("it is not a route file of this version")
        parts = _Parts(memory, HEADER.size)
        # For parts of them: the compiled module reads the others one by one.
        self._all_keys = self._keys = parts.take(8 * rules).cast("Q")
        self._ends = parts.take(8 * lists).cast("Q")
        self._parents = parts.take(4 * rules).cast("I")
        self._all_lists = self._lists = parts.take(4 * rules).cast("I")
        names = bytes(parts.take(names_len))
        self._texts = parts.take(texts_len)
        if parts.at != len(memory):
            raise ValueError("its length is wrong")
        lines = [line.split("\t") for line in names.decode().splitlines()]
        self._tables = dict(_table_of(line[0], rules) for line in lines)
        # What the rows of each table name: `table NAME`, `lookup NAME` and so on.
        self.references = {name: tuple(line[1:]) for name, line in zip(self._tables, lines, strict=True)}
        self._kept: dict[int, tuple[RouteEntry, ...]] = {}

    def __len__(self) -> int:
        """How many rules there are in all."""
        return len(self._all_keys)

    @property
    def names(self) -> tuple[str, ...]:
        """The tables."""
        return tuple(self._tables)

    def rules_of(self, table: str) -> int:
        """How many rules a table has."""
        first, end = self._tables.get(table, NOWHERE)
        return end - first

    def find(self, table: str, number: bytes) -> RouteMatch | None:
        """The rule of the longest prefix of a number in its normal form."""
        first, end = self._tables.get(table, NOWHERE)
        place = self._place_of(key_of_number(number), first, end)
        return None if place < 0 else self._match_at(table, place)

    def _place_of(self, key: int, first: int, end: int) -> int:
        """The rule of the longest prefix of a key, among those; -1 for none."""
        low, high = first, end
        while low < high:
            middle = (low + high) // 2
            if key < self._keys[middle]:
                high = middle
            else:
                low = middle + 1
        place = low - 1
        if place < first:
            return -1
        while place >= 0 and not covers(self._keys[place], key):
            place = self._parent_of(place)
        return place

    def _parent_of(self, place: int) -> int:
        """The rule of the next shorter prefix; -1 for none."""
        parent = self._parents[place]
        return parent - 1

    def shorter(self, match: RouteMatch) -> RouteMatch | None:
        """The rule of the next shorter prefix: where that of the longest one does not apply."""
        place = self._parent_of(match.place)
        return None if place < 0 else self._match_at(match.table, place)

    def below(self, table: str, prefix: int, limit: int, offset: int = 0) -> Iterator[RouteMatch]:
        """The rules whose prefixes begin with that one, in order: so many, after `offset` others."""
        first, end = self._tables.get(table, NOWHERE)
        for place in range(bisect_left(self._all_keys, prefix, first, end) + offset, end):
            if limit <= 0 or not covers(prefix, self._keys[place]):
                return
            limit -= 1
            yield self._match_at(table, place)

    def count_below(self, table: str, prefix: int) -> int:
        """How many these are."""
        first, end = self._tables.get(table, NOWHERE)
        last = prefix | mask_below(prefix)
        return bisect_right(self._all_keys, last, first, end) - bisect_left(self._all_keys, prefix, first, end)

    def texts_of(self, table: str) -> Iterator[tuple[int, list[str]]]:
        """Each key of a table, in order, with the texts of its entries."""
        first, end = self._tables.get(table, NOWHERE)
        texts: dict[int, list[str]] = {}
        for key, number in zip(self._all_keys[first:end], self._all_lists[first:end], strict=True):
            rows = texts.get(number)
            if rows is None:
                rows = texts[number] = self._text_of(number).split("\n")
            yield key, rows

    def has_same(self, table: str, other: RouteTables) -> bool:
        """Are the rows of a table the same there?"""
        (first, end), (begin, last) = self._tables.get(table, NOWHERE), other._tables.get(table, NOWHERE)
        if self._all_keys[first:end] != other._all_keys[begin:last]:
            return False
        for ours, theirs in set(zip(self._all_lists[first:end], other._all_lists[begin:last], strict=True)):
            if self._text_of(ours) != other._text_of(theirs):
                return False
        return True

    def next_hops(self) -> list[Uri]:
        """The next hops of all tables, each once; of very many tables, those of the first."""
        actions: set[bytes] = set()
        begin = 0
        for end in self._ends:
            actions.update(action_in(row) for row in bytes(self._texts[begin:end]).split(b"\n"))
            begin = end
            if len(actions) >= HOPS_MAX:
                break
        entries = [RouteEntry(action.decode()) for action in actions]
        return [entry.hop for entry in entries if entry.kind == NEXT_HOP and entry.hop is not None]

    def _match_at(self, table: str, place: int) -> RouteMatch:
        return RouteMatch(table, self._keys[place], self._entries_of(self._lists[place]), place)

    def _entries_of(self, number: int) -> tuple[RouteEntry, ...]:
        entries = self._kept.get(number)
        if entries is None:
            entries = tuple([entry_of(line) for line in self._text_of(number).split("\n")])
            if len(self._kept) >= LISTS_KEPT_MAX:
                del self._kept[next(iter(self._kept))]
            self._kept[number] = entries
        return entries


    def _text_of(self, number: int) -> str:
        begin = self._ends[number - 1] if number else 0
        return bytes(self._texts[begin : self._ends[number]]).decode()


class _Parts:
    """The parts of a memory, one after another."""

    def __init__(self, memory: memoryview, at: int) -> None:
        self._memory = memory
        self.at = at

    def take(self, size: int) -> memoryview:
        part = self._memory[self.at : self.at + size]
        if len(part) != size:
            raise ValueError("it is too short")
        self.at += size
        return part


def _table_of(line: str, rules: int) -> tuple[str, tuple[int, int]]:
    name, first, end = line.split(" ")
    if not 0 <= int(first) <= int(end) <= rules:
        raise ValueError("its tables are damaged")
    return name, (int(first), int(end))
