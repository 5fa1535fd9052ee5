"""Stage: a REGISTER for a domain of ours goes to the registrar (RFC 3261 10.3).

Knows nothing of the registrar's rules.
"""

from __future__ import annotations

from appliance.catalogue.counters import BINDINGS_FULL, REFUSED_MERGED, REGISTRATIONS_ACCEPTED, REGISTRATIONS_REFUSED
from appliance.location.binding import BindingChange
from appliance.location.registrar import outcome_of
from appliance.proxy.answers import CONTINUE, Answer, Reply
from appliance.proxy.node import Node
from appliance.proxy.request_context import RequestContext


def register(context: RequestContext, node: Node, now: float) -> Answer:
    """Answer a REGISTER of ours; its 200 waits until the siblings have the bindings, too."""
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
    # RFC 3261 10.3 step 5
    if not node.names.is_own_domain(address.host) or not address.user:
        return Reply(404, b"Address Not of This Domain", is_stateless=True)
    wall_time = node.wall_time(now)
    outcome = outcome_of(
        request,
        node.aor_of(address),
        node.bindings,
        node.registrar_rules,
        context.flow,
        context.flow.remote,
        wall_time,
        node.worker,
        None if node.registrar_rules.own_contacts else node.names,
    )
    if outcome.change is not None and _is_refused(outcome.change, context, node):
        node.counters[REGISTRATIONS_REFUSED] += 1
        return Reply(403, b"Contact Not Allowed")
    node.counters[REGISTRATIONS_ACCEPTED if outcome.status == 200 else REGISTRATIONS_REFUSED] += 1
    if outcome.status == 503:
        node.counters[BINDINGS_FULL] += 1
    after = node.publish(outcome.change) if outcome.change is not None else 0
    return Reply(outcome.status, outcome.reason, tuple(outcome.headers), after=after)


def _is_refused(change: BindingChange, context: RequestContext, node: Node) -> bool:
    """Has it a contact that may not be registered? What is removed may always go."""
    policy, listener = node.contact_policy, context.flow.listener
    return any(binding.expires_at > 0 and policy.is_refused(binding, listener) for binding in change.bindings)
