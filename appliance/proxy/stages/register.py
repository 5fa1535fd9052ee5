"""Stage: a REGISTER for a domain of ours goes to the registrar (RFC 3261 10.3)."""

from __future__ import annotations

from appliance.catalogue.counters import (
    BINDINGS_FULL,
    REFUSED_MERGED,
    REGISTRATIONS_ACCEPTED,
    REGISTRATIONS_LATE,
    REGISTRATIONS_LIMITED,
    REGISTRATIONS_REFUSED,
)
from appliance.location.binding import BindingChange
from appliance.location.registrar import outcome_of
from appliance.location.registration_table import REFUSED
from appliance.proxy.answer_length import has_proved_address, within_measure
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.gateway_access import is_unproved_gateway
from appliance.proxy.held_replies import RETRY_AFTER
from appliance.proxy.location_service import is_temporary_gruu_of
from appliance.proxy.registration_events import publish
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stage_results import CONTINUE, Reply, StageResult
from appliance.sip.characters import digits_of
from appliance.sip.header_lines import make_line
from appliance.sip.uri import canonical_aor, parse_uri
from appliance.transport.process_id import node_of


def register(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """Answer a REGISTER of ours; its 200 waits until the change is in the table of the node."""
    request = context.request
    if request.method != b"REGISTER" or not node.names.is_responsible_for(request.read_uri()):
        return CONTINUE
    # RFC 3261 8.2.2.2: the copy of a request that has come by another way before. (A proxy may see one twice, on a
    # spiral; the rule is for what is answered here.)
    if node.transactions.is_merged(request):
        node.counters[REFUSED_MERGED] += 1
        return Reply(482, b"Merged Request", is_stateless=True)
    address = request.read_to().uri
    # RFC 4475 3.3.4: only a SIP address can be an address-of-record here.
    if not address.has_sip_scheme():
        return Reply(400, b"To Is Not a SIP Address", is_stateless=True)
    # RFC 3261 10.3 step 5: the domains of one realm are one.
    names = node.names
    is_of_domain = names.is_own_domain(address.host) and (
        names.realm_of(address.host) == names.realm_of(request.read_uri().host)
    )
    if not is_of_domain or not address.user:
        return Reply(404, b"Address Not of This Domain", is_stateless=True)
    outcome = outcome_of(
        request,
        node.aor_of(address),
        node.bindings,
        node.registrar_rules,
        node.contact_policy.marks.marked(context.flow),
        context.flow.remote,
        node.wall_time(now),
        node_of(node.process),
        None if node.registrar_rules.own_contacts else node.names,
        canonical_aor(address),
        node.date_offset_s,
        node.temporary_gruus,
    )
    fault = _fault_of_contacts(outcome.change, context, node) if outcome.change is not None else b""
    if fault:
        node.counters[REGISTRATIONS_REFUSED] += 1
        return Reply(403, fault)
    if outcome.change is not None:
        wait_s = node.change_limits.wait_for(outcome.change.aor, len(outcome.change.bindings), now)
        if wait_s > 0.0:
            node.counters[REGISTRATIONS_LIMITED] += 1
            retry_after = make_line(b"Retry-After", digits_of(int(wait_s) + 1))
            return Reply(503, b"Too Many Registration Changes", (retry_after,), is_stateless=True)
    after = publish(outcome.change, node, now) if outcome.change is not None else 0
    if after == REFUSED:
        node.counters[REGISTRATIONS_LATE] += 1
        return Reply(503, b"Registrar Busy", (make_line(b"Retry-After", RETRY_AFTER),), is_stateless=True)
    node.counters[REGISTRATIONS_ACCEPTED if outcome.status == 200 else REGISTRATIONS_REFUSED] += 1
    if outcome.status == 503:
        node.counters[BINDINGS_FULL] += 1
    headers = tuple(outcome.headers)
    if len(headers) > 1 and not has_proved_address(context):
        headers = within_measure(headers, request)
    return Reply(outcome.status, outcome.reason, headers, after=after)


def _fault_of_contacts(change: BindingChange, context: RequestContext, node: ProxyEnvironment) -> bytes:
    """Why these contacts may not be registered; b"" when they may. What is removed may always go."""
    is_forgeable = is_unproved_gateway(context, node)
    for binding in change.bindings:
        if binding.expires_at <= 0:
            continue
        uri = parse_uri(binding.uri)
        # RFC 5627 5.1, by any domain of the realm (RFC 3261 19.1.4: with header fields it is another URI)
        if is_temporary_gruu_of(binding.aor, uri, node):
            return b"Contact Is the Address-of-Record"
        if uri.user and not uri.headers and node.names.is_responsible_for(uri) and node.aor_of(uri) == binding.aor:
            return b"Contact Is the Address-of-Record"
        if is_forgeable or node.contact_policy.is_refused(binding, uri, context.flow.listener):
            return b"Contact Not Allowed"
    return b""
