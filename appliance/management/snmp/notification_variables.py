"""The variables of a notification as rows of a table: nlmLogVariableTable (RFC 3014) and alarmActiveVariableTable
(RFC 3877) have the same columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from appliance.catalogue.mib_objects import Oid
from appliance.management.snmp.object_tree import Value, Variable
from appliance.management.snmp.signalbox_objects import value_of

_IDENTIFIER, _TYPE = 2, 3
# The type of a value, and the column of those values.
_UNSIGNED, _TICKS, _INTEGER, _OCTETS, _OBJECT_ID = (2, 5), (3, 6), (4, 7), (6, 8), (7, 10)
_KINDS: Final = {
    "Gauge32": _UNSIGNED,
    "Unsigned32": _UNSIGNED,
    "Counter32": (1, 4),
    "TimeTicks": _TICKS,
    "Integer32": _INTEGER,
    "SnmpAdminString": _OCTETS,
    "DateAndTime": _OCTETS,
    "ObjectIdentifier": _OBJECT_ID,
}
# A row has the type of its value, not that of the object.
_SYNTAXES: Final = {"Gauge32": "Unsigned32", "SnmpAdminString": "OctetString", "DateAndTime": "OctetString"}

NotifiedObject = tuple[Oid, str, int | str | Oid]


def notified_value(syntax: str, fact: int | str | Oid) -> Value:
    """The value of an object of a notification."""
    return value_of(syntax, fact) if syntax in ("SnmpAdminString", "DateAndTime", "Gauge32") else Value(syntax, fact)


def variable_rows(entry: Oid, index: Oid, objects: Sequence[NotifiedObject]) -> Iterator[Variable]:
    """A row for each object; they are numbered from 1. `index`: what stands before that number."""
    for place, (oid, syntax, fact) in enumerate(objects, 1):
        kind, column = _KINDS[syntax]
        value = Value(_SYNTAXES.get(syntax, syntax), notified_value(syntax, fact).value)
        yield (*entry, _IDENTIFIER, *index, place), Value("ObjectIdentifier", oid)
        yield (*entry, _TYPE, *index, place), Value("Integer32", kind)
        yield (*entry, column, *index, place), value
