"""The targets of an address of ours: what the location service says of it (RFC 3261 16.5, RFC 5627, RFC 5630)."""

from __future__ import annotations

from appliance.catalogue.counters import REGISTRATIONS_UNREADABLE
from appliance.location.gruu import TEMPORARY, IssuedGruu, instance_of, public_gruu, valid_instance
from appliance.location.table_store import TableUnsound
from appliance.proxy.environment import ProxyEnvironment
from appliance.routing.targets import Target, targets_of_bindings
from appliance.sip.uri import Uri, canonical_user, parse_uri


def note_unreadable(fault: TableUnsound, node: ProxyEnvironment) -> None:
    """The registration table cannot be read: the supervisor is told with the next heartbeat, and has it made anew."""
    node.bindings.fault = str(fault)
    node.counters[REGISTRATIONS_UNREADABLE] += 1


def public_gruu_of(uri: Uri, node: ProxyEnvironment, now: float) -> Uri | None:
    """The public GRUU of the instance that a temporary one of our domains stands for; None where it is not valid (any
    more) or none of ours. Raises TableUnsound.
    """
    issued = _issued(uri, node)
    if issued is None:
        return None
    live = node.bindings.find(node.names.aor_of(issued.user, uri.host), node.wall_time(now))
    instance = valid_instance(issued, live)
    if not instance:
        return None
    return parse_uri(public_gruu(b"".join((uri.scheme, b":", issued.user, b"@", uri.host)), instance))


def is_temporary_gruu_of(aor: bytes, uri: Uri, node: ProxyEnvironment) -> bool:
    """Was this URI issued for the address, whether or not it is still valid?"""
    issued = _issued(uri, node)
    return issued is not None and node.names.aor_of(issued.user, uri.host) == aor


def _issued(uri: Uri, node: ProxyEnvironment) -> IssuedGruu | None:
    if not uri.user or not uri.user.startswith(TEMPORARY) or not node.names.is_responsible_for(uri):
        return None
    return node.temporary_gruus.read(canonical_user(uri.user))


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
