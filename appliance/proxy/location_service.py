"""The targets of an address of ours: what the location service says of it (RFC 3261 16.5, RFC 5627, RFC 5630)."""

from __future__ import annotations

from appliance.catalogue.counters import REGISTRATIONS_UNREADABLE
from appliance.location.gruu import instance_of
from appliance.location.table_store import TableUnsound
from appliance.proxy.environment import ProxyEnvironment
from appliance.routing.targets import Target, targets_of_bindings
from appliance.sip.uri import Uri


def note_unreadable(fault: TableUnsound, node: ProxyEnvironment) -> None:
    """The registration table cannot be read: the supervisor is told with the next heartbeat, and has it made anew."""
    node.bindings.fault = str(fault)
    node.counters[REGISTRATIONS_UNREADABLE] += 1


def targets_of(uri: Uri, node: ProxyEnvironment, now: float) -> list[Target]:
    """A target for each contact of the user, or the one of the instance that a GRUU names; [] where there is none.

    Raises TableUnsound.
    """
    # RFC 5627 5.5: a GRUU names one device of the user.
    instance = instance_of(uri)
    bindings = node.bindings.find(node.aor_of(uri), node.wall_time(now), instance)
    targets = targets_of_bindings(bindings, node.contact_policy)
    for target, binding in zip(targets, bindings, strict=False) if len(targets) == len(bindings) else ():
        if binding.instance and (binding.reg_id or instance):
            others = node.bindings.others_of_instance(binding, node.wall_time(now))
            target.spares = tuple(targets_of_bindings(others, node.contact_policy))
    if uri.scheme == b"sips":
        # RFC 5630 5.3: never to a contact that is less.
        return [target for target in targets if target.uri.scheme == b"sips"]
    for target in targets:
        if target.is_secure:
            # RFC 5630 5.3: a request for a SIP URI keeps its scheme, and goes there by TLS all the same.
            target.name_by(target.uri.with_scheme(b"sip"))
    return targets
