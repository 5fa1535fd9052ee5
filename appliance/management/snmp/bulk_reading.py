"""The variables of a response to GETBULK (RFC 3416 4.2.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from appliance.catalogue.mib_objects import Oid
from appliance.management.snmp.object_tree import Value, Variable

Binding = tuple[Oid, Value | None]
NextAfter = Callable[[Oid], Variable | None]


def bulk_bindings(
    next_after: NextAfter, names: Sequence[Oid], non_repeaters: int, repetitions: int, limit: int
) -> list[Binding]:
    """What follows each of the first names, then what follows the others, again and again.

    A value of None is endOfMibView. No more than `limit` in all, and none after a row of them that is at the end.
    """
    first, repeated = names[: max(non_repeaters, 0)], list(names[max(non_repeaters, 0) :])
    found = [_following(next_after, name) for name in first[:limit]]
    for _ in range(max(repetitions, 0) if repeated else 0):
        row = [_following(next_after, name) for name in repeated]
        if len(found) + len(row) > limit:
            return found or row[:limit]
        found += row
        if all(value is None for _, value in row):
            return found
        repeated = [oid for oid, _ in row]
    return found


def _following(next_after: NextAfter, name: Oid) -> Binding:
    following = next_after(name)
    return (name, None) if following is None else following
