"""Applies a change of bindings, and makes the events of its contacts (events.py)."""

from __future__ import annotations

from appliance.location.binding import Binding, BindingChange
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.events import ContactChange, RegistrationChanged


def publish(change: BindingChange, node: ProxyEnvironment, now: float, is_by_operator: bool = False) -> int:
    """What `node.publish` returns. A change that is not taken has no event."""
    events = node.events
    if events is None:
        return node.publish(change)
    wall_time = node.wall_time(now)
    before = {entry.key for entry in node.bindings.entries(change.aor) if entry.is_live(wall_time)}
    after: int = node.publish(change)
    if after >= 0:
        for binding in change.bindings:
            kind = _change_of(binding, before)
            if kind is not None:
                events.add(_event(binding, kind, node, now, is_by_operator))
    return after


def _change_of(binding: Binding, before: set[bytes]) -> ContactChange | None:
    """None for the removal of what had ended already."""
    if binding.expires_at > 0:
        return ContactChange.REFRESHED if binding.key in before else ContactChange.ADDED
    return ContactChange.REMOVED if binding.key in before else None


def _event(
    binding: Binding, kind: ContactChange, node: ProxyEnvironment, now: float, is_by_operator: bool
) -> RegistrationChanged:
    return RegistrationChanged(
        node.date(now),
        binding.aor,
        binding.uri,
        kind,
        max(0, round(binding.expires_at - node.wall_time(now))),
        binding.instance,
        binding.reg_id,
        binding.call_id,
        binding.cseq,
        binding.source,
        binding.user_agent,
        is_by_operator,
    )
