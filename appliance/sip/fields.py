"""One header line: its exact octets, and its value when somebody asks.

RFC 3261 7.3.1.

Header fields are values: messages share them and never change them in place.

Knows nothing of what stands in a value.
"""

from __future__ import annotations

from appliance.sip.characters import index_of, trimmed
from appliance.sip.names import NAMES


class HeaderField:
    """One header line. id: see names. line: the exact octets, folds and final CRLF included. Never changed."""

    __slots__ = ("_value", "colon", "id", "line")

    id: int
    line: bytes
    colon: int
    _value: bytes | None

    def __init__(self, id: int, line: bytes) -> None:
        self.id = id
        self.line = line
        self.colon = line.index(b":")
        self._value = None

    @property
    def name(self) -> bytes:
        """The name as written."""
        return self.line[: self.colon].rstrip(b" \t")

    @property
    def value(self) -> bytes:
        """The value: trimmed, each fold and the white space around it made one SP (RFC 3261 7.3.1)."""
        return self.text()

    def text(self) -> bytes:
        """What `value` gives, without the cost of a property in compiled code."""
        if self._value is None:
            value = trimmed(self.line, self.colon + 1, len(self.line))
            self._value = unfold(value) if index_of(value, 10, 0) >= 0 else value
        return self._value


def field_of(id: int, line: bytes) -> HeaderField:
    """A header field from a whole line with its CRLF."""
    field = HeaderField.__new__(HeaderField)
    field.id = id
    field.line = line
    field.colon = index_of(line, 58, 0)
    field._value = None
    return field


def unfold(value: bytes) -> bytes:
    """RFC 3261 7.3.1: a line fold and the white space around it is one SP."""
    return b" ".join([part.strip(b" \t") for part in value.split(b"\r\n")])


def make_field(id: int, value: bytes) -> HeaderField:
    """A header line of ours with the canonical name."""
    return make_named_field(id, NAMES[id], value)


def make_named_field(id: int, name: bytes, value: bytes) -> HeaderField:
    """A header line of ours; the value must be one line."""
    assert index_of(value, 10, 0) < 0 and index_of(value, 13, 0) < 0, "a header value of ours holds a line break"
    field = HeaderField.__new__(HeaderField)
    field.id = id
    field.line = name + b": " + value + b"\r\n"
    field.colon = len(name)
    field._value = value
    return field
