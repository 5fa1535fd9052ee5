"""Who may lead a request to a next hop of the route tables other than by these tables, or into a private network
(docs/routing.md).

A gateway takes calls from this appliance by its address. A sender that could name it, in a Request-URI, a Route, a
contact or by a domain of its own, would call what the tables reject, and by the carrier of its choice. So only a peer
may, and what belongs to a call: by its token, or because it can begin nothing. A token leads there only where the other
end of the call is there, or a peer (dialogs.py): a Contact is what its sender writes. A domain that the configuration
serves by next hops of its own may be called. The same holds for hosts of private networks
(routing/private_networks.py); there what ends a dialog needs such a token, too.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from appliance.proxy.dialogs import ENDING
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.request_context import RequestContext
from appliance.routing.contact_policy import ELSEWHERE, NAMED, PUBLISHED
from appliance.routing.lookup_questions import Question
from appliance.routing.next_hops import NONE_FAILED
from appliance.routing.targets import Target
from appliance.security.dialog_token import AT_SOURCE, OF_PEER
from appliance.sip.uri import Uri
from appliance.transport.flow import Flow

# Other targets are of the tables or of a peer, or judged where all hops are (ProxyEnvironment.passable); and what
# registered from the address of a gateway has proved that it may.
_JUDGED: Final = (NAMED, ELSEWHERE)


def may_name_gateways(context: RequestContext) -> bool:
    """May it go to a next hop because its Request-URI, its Route or a contact says so?"""
    # RFC 3261 12.2.2: some gateways take a To tag that they do not know for a new call.
    request = context.request
    return _may_name_all(context) or (request.method in ENDING and bool(request.read_to_tag()))


def hops_for_sender(
    hops: list[Flow],
    hop_uri: Uri,
    target: Target,
    context: RequestContext,
    node: ProxyEnvironment,
    now: float,
    failed: Collection[Question] = NONE_FAILED,
) -> list[Flow]:
    """Of the hops that a URI was found to have for a target, those that the sender may lead the request to.

    `failed`: questions that DNS could not answer. Raises GatewayUnknown, and LocationUnknown.
    """
    origin = context.origin_of(target)
    is_judged = origin in _JUDGED
    if (is_judged or origin == PUBLISHED) and not (_may_name_all(context) or _is_acknowledgment(context)):
        hops = node.router.private_networks.without(hops, context.flow.listener)
    if not is_judged or may_name_gateways(context):
        return hops
    return node.router.gateways_beside(hop_uri.host).without(hops, node.next_hops, now, failed)


def _may_name_all(context: RequestContext) -> bool:
    """Has a peer named where it goes, or the other end of its dialog, where that is?"""
    return context.is_trusted or context.admission & (AT_SOURCE | OF_PEER) != 0


def _is_acknowledgment(context: RequestContext) -> bool:
    """RFC 3261 13.2.2.4: one that a 2xx has named the way of (stages/admit_ack.py)."""
    return context.is_in_dialog and context.request.method == b"ACK"


def is_unproved_gateway(context: RequestContext, node: ProxyEnvironment) -> bool:
    """Has a REGISTER come from the address of a gateway, by datagrams, and nothing proves that it did?

    A nonce that is bound to its source does (RFC 7616 3.3): the challenge went there.
    """
    is_proved = context.flow.is_stream or (bool(context.identity) and node.digest_rules.bind_source)
    return not is_proved and not context.is_trusted and node.router.gateways.has_address(context.flow.remote[0])
