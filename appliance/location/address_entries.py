"""The bindings of one address-of-record: which of them are targets, how changes join them, what is stored of them.

RFC 3261 16.5, RFC 5627 (instances), RFC 5626 (reg-id).
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.location.binding import Binding
from appliance.location.binding_records import SECOND_MAX, encode_address, second_after


def record_made(aor: bytes, entries: list[Binding], due: int) -> bytes:
    """The record of these entries; it stays under the second `due` (0: none) where that is not too late."""
    second = SECOND_MAX
    for binding in entries:
        event = second_after(binding.expires_at if binding.expires_at > 0 else binding.forget_at)
        if event < second:
            second = event
    return encode_address(aor, entries, due if 0 < due <= second else second)


def merged(
    entries: list[Binding], bindings: Sequence[Binding], changed: list[Binding], tombstones_max: int
) -> list[Binding]:
    """All entries once these records are among them. Adds those that won to `changed`."""
    after = entries.copy()
    for binding in bindings:
        index = _index_of(after, binding.key)
        if index < 0:
            after.append(binding)
        elif binding.comes_after(after[index]):
            after[index] = binding
        else:
            continue
        changed.append(binding)
    if len(after) > tombstones_max:
        _bound_tombstones(after, tombstones_max)
    return after


def _bound_tombstones(entries: list[Binding], tombstones_max: int) -> None:
    """Of one address, the tombstones that come last in the order are kept: the same ones in every table."""
    tombstones = [binding for binding in entries if binding.expires_at <= 0]
    if len(tombstones) > tombstones_max:
        tombstones.sort(key=_age)
        for victim in tombstones[: len(tombstones) - tombstones_max]:
            entries.remove(victim)


def _index_of(entries: list[Binding], key: bytes) -> int:
    for index, entry in enumerate(entries):
        if entry.key == key:
            return index
    return -1


def _is_spare(other: Binding, binding: Binding) -> bool:
    return (
        other.key != binding.key
        and other.instance == binding.instance
        and (other.reg_id != 0) == (binding.reg_id != 0)
    )


def preferred(found: list[Binding], instance: bytes = b"") -> list[Binding]:
    """The targets among live bindings: highest q first, then the newest; or the one of an instance."""
    if instance:
        # RFC 5627 6.1: of several contacts of one instance, the one refreshed last, and no other.
        same = [binding for binding in found if binding.instance == instance]
        return [max(same, key=_version)] if same else []
    if len(found) < 2:
        return found
    found.sort(key=_preference)
    return _one_flow_each(found)


def live_of(entries: list[Binding], wall_time: float) -> list[Binding]:
    """Those that have not ended."""
    return [binding for binding in entries if binding.expires_at > wall_time]


def spares_of(binding: Binding, found: list[Binding]) -> list[Binding]:
    """The other live bindings of its instance, the newest first."""
    spares = [other for other in found if _is_spare(other, binding)]
    spares.sort(key=_version, reverse=True)
    return spares


def _one_flow_each(found: list[Binding]) -> list[Binding]:
    """RFC 5626 7: of an instance that registered over several flows, only the newest is a target."""
    newest: dict[bytes, Binding] = {}
    for binding in found:
        if binding.reg_id:
            known = newest.get(binding.instance)
            if known is None or binding.version > known.version:
                newest[binding.instance] = binding
    if not newest:
        return found
    return [binding for binding in found if not binding.reg_id or newest[binding.instance] is binding]


def _preference(binding: Binding) -> tuple[int, int]:
    return (-binding.q, -binding.version)


def _age(binding: Binding) -> tuple[int, int, int]:
    return (binding.series, binding.cseq, binding.version)


def _version(binding: Binding) -> int:
    return binding.version
