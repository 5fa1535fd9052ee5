"""Rows of tables: their columns, and texts as parts of their indexes (RFC 2578 7.7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from appliance.catalogue.mib_objects import Oid
from appliance.management.snmp.object_tree import Value, Variable

# RFC 2579: StorageType readOnly, of a row that the configuration makes; RowStatus active.
READ_ONLY: Final = Value("Integer32", 5)
ACTIVE: Final = Value("Integer32", 1)


def index_of(name: bytes) -> Oid:
    """A text as a part of an index (RFC 2578 7.7): its length and its octets."""
    return (len(name), *name)


def row(entry: Oid, index: Oid, values: Mapping[int, Value]) -> Iterator[Variable]:
    """The columns of a row, by their numbers."""
    for column, value in values.items():
        yield (*entry, column, *index), value


def text(value: str) -> Value:
    """A text of the configuration."""
    return Value("OctetString", value.encode())
