"""Ending registrations that the phone has not taken back itself.

A binding gets a tombstone that comes after it, as if its phone had taken it back (RFC 3261 10.2.2); the phone's
next REGISTER comes after the tombstone.
"""

from __future__ import annotations

from appliance.location.binding import Binding, BindingChange, new_binding
from appliance.location.record_version import next_version


def removal_of(aor: bytes, entries: list[Binding], wall_time: float, node: int) -> BindingChange | None:
    """The change that ends every live binding of an address; None when it has none."""
    tombstones = []
    for entry in entries:
        if entry.is_live(wall_time):
            version = next_version(wall_time, node, entry.version)
            tombstones.append(_tombstone(entry, wall_time, version, version))
    return BindingChange(aor, tuple(tombstones)) if tombstones else None


def end_of(binding: Binding, wall_time: float, node: int) -> BindingChange:
    """The change that ends one binding whose phone does not answer. A refresh that another node or worker accepts at
    the same time comes after it.
    """
    version = next_version(wall_time, node, binding.version)
    return BindingChange(binding.aor, (_tombstone(binding, wall_time, binding.series, version),))


def _tombstone(old: Binding, wall_time: float, series: int, version: int) -> Binding:
    return new_binding(
        old.aor,
        old.key,
        old.uri,
        old.parameters,
        old.q,
        0.0,
        max(old.forget_at, wall_time),
        old.call_id,
        old.cseq,
        old.path,
        old.instance,
        old.reg_id,
        None,
        old.source,
        old.user_agent,
        series,
        version,
    )
