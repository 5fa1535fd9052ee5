"""Header lines in order, each with its id: read by name, and edited.

RFC 3261 7.3.1.

A line is its exact octets and is never changed: an edit puts another one in its place, so that what was not
understood is passed on as it came, and copies of a message share their lines. The ids lie apart, an octet each, so
that to find a header field is to find an octet.
"""

from __future__ import annotations

from typing import Final

from appliance.sip.characters import index_of, is_one_line, part, skip_space, trimmed
from appliance.sip.errors import MalformedMessage
from appliance.sip.names import LISTS, NAMES, OTHER, STRICT_LISTS, header_id
from appliance.sip.parameters import next_comma, split_list

_IS_LIST: Final = bytes(id in LISTS for id in range(256))


class HeaderLines:
    """lines: whole lines, folds and final CRLF included. ids: the id (see names) of each."""

    __slots__ = ("ids", "lines")

    lines: list[bytes]
    ids: bytearray

    def __init__(self) -> None:
        self.lines = []
        self.ids = bytearray()

    def forget_one(self, id: int) -> None:
        """Called when a header field of that id has been edited, so that a subclass drops what it has parsed."""

    # -- reading

    def index_of(self, id: int) -> int:
        """The place in `lines` of the first header field of that id, -1 when there is none."""
        octets = self.ids
        for index in range(len(self.ids)):
            if octets[index] == id:
                return index
        return -1

    def first(self, id: int) -> bytes | None:
        """The first header field's whole value, unfolded; None when there is none."""
        index = self.index_of(id)
        return value_of(self.lines[index]) if index >= 0 else None

    def first_value(self, id: int) -> bytes | None:
        """The first of the comma-separated values, unfolded; None when there is none.

        Raises MalformedMessage(400) for unbalanced quotes before its end, and when it is empty in Via, Contact or a
        route.
        """
        value = self.first(id)
        if value is not None:
            if index_of(value, 44, 0) >= 0:
                value = trimmed(value, 0, next_comma(value, 0))
            if not value and id in STRICT_LISTS:
                raise _empty_value(id)
        return value

    def required(self, id: int) -> bytes:
        """What `first` gives; raises MalformedMessage(400) when there is none."""
        return value_of(self.required_line(id))

    def required_line(self, id: int) -> bytes:
        """The first whole line of that id; raises MalformedMessage(400) when there is none."""
        return self.lines[self._index_required(id)]

    def first_line(self, id: int) -> bytes:
        """The first whole line of that id; b"" when there is none."""
        index = self.index_of(id)
        return self.lines[index] if index >= 0 else b""

    def count(self, id: int) -> int:
        """How many header fields (lines, not values) have that id."""
        octets = self.ids
        found = 0
        for index in range(len(self.ids)):
            if octets[index] == id:
                found += 1
        return found

    def has_one_value(self, id: int) -> bool:
        """Is there one line of that id, and in it one value? Raises MalformedMessage(400) as `values` does."""
        if self.count(id) != 1:
            return False
        return index_of(self.lines[self.index_of(id)], 44, 0) < 0 or len(self.values(id)) == 1

    def lines_of(self, id: int) -> list[bytes]:
        """The whole lines of that id, in order."""
        octets = self.ids
        found: list[bytes] = []
        for index in range(len(self.ids)):
            if octets[index] == id:
                found.append(self.lines[index])
        return found

    def values(self, id: int) -> list[bytes]:
        """Every value in order, lists split at their commas (RFC 3261 7.3.1).

        Raises MalformedMessage(400) for unbalanced quotes, and for empty elements in Via, Contact and routes.
        """
        found: list[bytes] = []
        for line in self.lines_of(id):
            if _IS_LIST[id]:
                _extend_by_list(found, value_of(line), id)
            else:
                found.append(value_of(line))
        return found

    def named(self, name: bytes) -> list[bytes]:
        """The whole value of each header field of that name (any case), known or not."""
        wanted, id = name.lower(), header_id(name)
        return [
            value_of(line)
            for line, its_id in zip(self.lines, self.ids, strict=True)
            if its_id == id and (id != OTHER or name_of(line).lower() == wanted)
        ]

    # -- editing

    def insert(self, index: int, id: int, line: bytes) -> None:
        """A whole line with its CRLF, before the one that stands at `index` now."""
        self.lines.insert(index, line)
        self.ids.insert(index, id)
        self.forget_one(id)

    def prepend(self, id: int, value: bytes) -> None:
        """A line of its own before the first of its kind; at the top when there is none."""
        self.insert(max(self.index_of(id), 0), id, make_line(NAMES[id], value))

    def append(self, id: int, value: bytes) -> None:
        """A line of its own at the end of the header fields."""
        self._append_line(id, make_line(NAMES[id], value))

    def append_from(self, source: HeaderLines, id: int) -> None:
        """The lines of that id in another message, as they are, at the end."""
        for line in source.lines_of(id):
            self._append_line(id, line)

    def replace(self, id: int, value: bytes) -> None:
        """One line in the place of the first of that id (at the end when there is none); the others go."""
        index = self.index_of(id)
        if index < 0:
            self.append(id, value)
            return
        if self.count(id) > 1:
            self.remove_all(id)
            self.insert(index, id, make_line(NAMES[id], value))
            return
        self.lines[index] = make_line(NAMES[id], value)
        self.forget_one(id)

    def replace_first_value(self, id: int, value: bytes) -> None:
        """The first comma-separated value exchanged, all other octets kept. Raises MalformedMessage without one."""
        index = self._index_required(id)
        line = self.lines[index]
        start = start_of_value(line)
        end = _end_of_first_value(line, start, id)
        self.lines[index] = b"".join((part(line, 0, start), value, part(line, end, len(line))))
        self.forget_one(id)

    def exchange(self, id: int, old: bytes, new: bytes) -> None:
        """Octets exchanged wherever they stand in the lines of that id, all other octets kept."""
        for index in range(len(self.ids)):
            if self.ids[index] == id and old in self.lines[index]:
                self.lines[index] = self.lines[index].replace(old, new)
        self.forget_one(id)

    def remove_first_value(self, id: int) -> bytes:
        """Takes out the first comma-separated value and gives it back unfolded; all other octets are kept.

        A line that becomes empty goes. Raises MalformedMessage when there is none.
        """
        index = self._index_required(id)
        line = self.lines[index]
        self.forget_one(id)
        if index_of(line, 44, 0) < 0:
            self._remove(index)
            return value_of(line)
        start = start_of_value(line)
        end = _end_of_first_value(line, start, id)
        value = part(line, start, end)
        if end < len(line) and line[end] != 44:
            end = skip_space(line, end)
        if end >= len(line):
            self._remove(index)
        else:
            self.lines[index] = part(line, 0, start) + line[skip_space(line, end + 1) :]
        return unfolded(value)

    def remove_all(self, id: int) -> None:
        """Every header field of that id goes."""
        for index in range(len(self.ids) - 1, -1, -1):
            if self.ids[index] == id:
                self._remove(index)
        self.forget_one(id)

    def remove_named(self, name: bytes) -> None:
        """Every header field of that name (any case), known or not, goes."""
        wanted, id = name.lower(), header_id(name)
        for index in range(len(self.ids) - 1, -1, -1):
            if self.ids[index] == id and (id != OTHER or name_of(self.lines[index]).lower() == wanted):
                self._remove(index)
        self.forget_one(id)

    def copy_lines_into(self, other: HeaderLines) -> None:
        """The other one has the same lines from now on, and edits them without changing these."""
        other.lines = self.lines[:]
        other.ids = self.ids.copy()

    def _append_line(self, id: int, line: bytes) -> None:
        self.lines.append(line)
        self.ids.append(id)
        self.forget_one(id)

    def _remove(self, index: int) -> None:
        del self.lines[index]
        del self.ids[index]

    def _index_required(self, id: int) -> int:
        index = self.index_of(id)
        if index < 0:
            raise MalformedMessage(400, "Missing " + NAMES[id].decode())
        return index


def make_line(name: bytes, value: bytes) -> bytes:
    """A header line that the appliance writes; the value must be one line."""
    assert is_one_line(value), "a header value of ours holds a line break"
    return b"".join((name, b": ", value, b"\r\n"))


def name_of(line: bytes) -> bytes:
    """The name in a header line, as written."""
    return line[: index_of(line, 58, 0)].rstrip(b" \t")


def value_of(line: bytes) -> bytes:
    """The value in a header line: trimmed, each fold and the white space around it made one SP (RFC 3261 7.3.1)."""
    return unfolded(trimmed(line, index_of(line, 58, 0) + 1, len(line)))


def unfolded(value: bytes) -> bytes:
    """RFC 3261 7.3.1: a line fold and the white space around it is one SP."""
    if index_of(value, 10, 0) < 0:
        return value
    return b" ".join([piece.strip(b" \t") for piece in value.split(b"\r\n")])


def start_of_value(line: bytes) -> int:
    """Where the value begins in a header line, for a caller that reads it in place, without a copy."""
    return skip_space(line, index_of(line, 58, 0) + 1)


def end_of_value(line: bytes) -> int:
    """Index after the last octet of a line that is not white space."""
    octets = line
    end = len(line)
    while end > 0:
        octet = octets[end - 1]
        if octet != 32 and octet != 9 and octet != 13 and octet != 10:
            break
        end -= 1
    return end


def _end_of_first_value(line: bytes, start: int, id: int) -> int:
    """Index after the first of the values in a line, white space left out."""
    end = next_comma(line, start) if _IS_LIST[id] else len(line)
    while end > start and line[end - 1] in b" \t\r\n":
        end -= 1
    return end


def _extend_by_list(found: list[bytes], text: bytes, id: int) -> None:
    elements = split_list(text)
    if not elements or b"" in elements:
        if id in STRICT_LISTS:
            raise _empty_value(id)
        elements = [element for element in elements if element]
    found.extend(elements)


def _empty_value(id: int) -> MalformedMessage:
    return MalformedMessage(400, "Empty Value in " + NAMES[id].decode())
