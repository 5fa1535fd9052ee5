"""Response stage: follow a redirect here, in place of the caller (RFC 3261 16.7 step 4).

The contacts of a 3xx become targets, each URI once, where the caller may go there. Those that do not become targets are
for the caller to try. A sender who may not relay does not lead the call to a gateway, to a peer or to this appliance by
a redirect either: the route tables and their policy are not his to go around.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.catalogue.counters import FORKS_REFUSED, RELAYS_REFUSED
from appliance.location.table_store import TableUnsound
from appliance.proxy.branch import Branch
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.location_service import note_unreadable, targets_of
from appliance.proxy.stage_results import CONTINUE, RETRY, ResponseStageResult
from appliance.routing.contact_policy import BY_PEER, ELSEWHERE, NAMED, PUBLISHED, is_foreign
from appliance.routing.server_location import AnswersNeeded
from appliance.routing.targets import Target
from appliance.sip.errors import MalformedMessage
from appliance.sip.headers import Contact
from appliance.sip.message import Response
from appliance.sip.names import CONTACT
from appliance.sip.uri import Uri


def recurse(response: Response, branch: Branch, node: ProxyEnvironment, now: float) -> ResponseStageResult:
    """Retry where all contacts are followed; else leave in the response those that are not."""
    if not 300 <= response.status < 400 or not node.proxy_rules.recurse_on_redirect or branch.user.targets.is_closed:
        return CONTINUE
    try:
        contacts = response.contacts()
    except MalformedMessage:
        # The caller has to understand it, and cannot.
        return CONTINUE
    is_followed = [_follow(contact, branch, node, now) for contact in contacts]
    if is_followed and all(is_followed):
        return RETRY
    if any(is_followed):
        _leave_to_caller(response, is_followed)
    return CONTINUE


def _leave_to_caller(response: Response, is_followed: Sequence[bool]) -> None:
    """RFC 3261 16.7 step 4: the caller is not to try again what is tried here."""
    values = response.values(CONTACT)
    response.remove_all(CONTACT)
    for value, is_tried_here in zip(values, is_followed, strict=True):
        if not is_tried_here:
            response.append(CONTACT, value)


def _follow(contact: Contact, branch: Branch, node: ProxyEnvironment, now: float) -> bool:
    """Add what a contact leads to; False when that is nothing that may be tried."""
    uri = contact.uri
    if contact.is_star or not uri.is_sip:
        return False
    # RFC 3261 16.7 step 4, RFC 5630 5.3: from a SIPS URI only to another one, and from a SIP URI to none.
    if (uri.scheme == b"sips") != (branch.user.request_context.request.read_uri().scheme == b"sips"):
        return False
    # RFC 3261 16.5: an address of ours is routed here.
    if uri.user and node.names.is_responsible_for(uri):
        added = [_add(target, branch, node) for target in _targets_here(uri, node, now)]
        return any(added)
    target = Target(uri, contact.q, origin=_origin_of(uri, branch, node))
    if target.origin == PUBLISHED and _leads_nowhere(target, branch, node, now):
        node.counters[RELAYS_REFUSED] += 1
        return False
    return _add(target, branch, node)


def _targets_here(uri: Uri, node: ProxyEnvironment, now: float) -> list[Target]:
    """Those of an address of ours; [] where the table cannot say, for the caller may still try it."""
    try:
        return targets_of(uri, node, now)
    except TableUnsound as fault:
        note_unreadable(fault, node)
        return []


def _origin_of(uri: Uri, branch: Branch, node: ProxyEnvironment) -> int:
    if node.contact_policy.is_listed(uri):
        return NAMED
    sender = branch.client
    if sender is None or not node.grants_relay(sender.flow):
        return PUBLISHED
    return BY_PEER if node.is_peer(sender.flow) else ELSEWHERE


def _leads_nowhere(target: Target, branch: Branch, node: ProxyEnvironment, now: float) -> bool:
    """Is it known now that it has no way to go? A name that is not known is judged when DNS has answered."""
    context = branch.user.request_context
    try:
        hops = node.next_hops.find(target.uri, 0, context.way_out, context.request.read_call_id(), now)
        return bool(hops) and not node.passable(hops, PUBLISHED, context.flow.listener, now)
    except AnswersNeeded:
        return False


def _add(target: Target, branch: Branch, node: ProxyEnvironment) -> bool:
    """False when it is in the target set already, foreign to a caller that may not relay, or one too many."""
    context, targets = branch.user.request_context, branch.user.targets
    if targets.has_had(target):
        return False
    if is_foreign(target.origin) and not context.may_relay():
        node.counters[RELAYS_REFUSED] += 1
        return False
    if not targets.add(target, branch.target):
        node.counters[FORKS_REFUSED] += 1
        return False
    return True
