"""Ending the registrations of an address by the hand of an operator.

Each binding gets a tombstone that comes after it, as if its phone had taken it back (RFC 3261 10.2.2); the phone's
next REGISTER comes after the tombstone.
"""

from __future__ import annotations

from appliance.location.binding import Binding, BindingChange, new_binding
from appliance.location.record_version import next_version


def removal_of(aor: bytes, entries: list[Binding], wall_time: float, node: int) -> BindingChange | None:
    """The change that ends every live binding of an address; None when it has none."""
    tombstones = [_tombstone(entry, wall_time, node) for entry in entries if entry.is_live(wall_time)]
    return BindingChange(aor, tuple(tombstones)) if tombstones else None


def _tombstone(old: Binding, wall_time: float, node: int) -> Binding:
    version = next_version(wall_time, node, old.version)
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
        version,
        version,
    )
