"""Who may lead a request to a next hop of the route tables other than by these tables (docs/routing.md).

A gateway takes calls from this appliance by its address. Whoever could name it, in a Request-URI, a Route, a contact or
by a name of his own, would call what the tables reject, and by the carrier of his choice. So only a peer may, and what
belongs to a call: by its token, or because it can begin nothing. A domain that the configuration serves by next hops of
its own may be called.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from appliance.proxy.dialogs import ENDING
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.request_context import RequestContext
from appliance.routing.contact_policy import ELSEWHERE, NAMED
from appliance.routing.lookup_questions import Question
from appliance.routing.next_hops import NONE_FAILED
from appliance.routing.targets import Target
from appliance.sip.uri import Uri
from appliance.transport.flow import Flow

# Other targets are of the tables or of a peer, or judged where all hops are (ProxyEnvironment.passable); and what
# registered from the address of a gateway has proved that it may.
_JUDGED: Final = (NAMED, ELSEWHERE)


def may_name_gateways(context: RequestContext, node: ProxyEnvironment) -> bool:
    """May it go to a next hop because its Request-URI, its Route or a contact says so?"""
    if context.is_trusted or context.is_in_dialog:
        return True
    request = context.request
    # RFC 3261 12.2.2: a gateway takes a To tag that it does not know for a mistake. Without Record-Route there are no
    # tokens; and with them one may be over (dialogs.py).
    return bool(request.read_to_tag()) and (request.method in ENDING or not node.proxy_rules.record_route)


def without_gateways(
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
    if context.origin_of(target) not in _JUDGED or may_name_gateways(context, node):
        return hops
    return node.router.gateways_beside(hop_uri.host).without(hops, node.next_hops, now, failed)


def is_unproved_gateway(context: RequestContext, node: ProxyEnvironment) -> bool:
    """Has a REGISTER come from the address of a gateway, by datagrams, and nothing proves that it did?

    A nonce that is bound to its source does (RFC 7616 3.3): the challenge went there.
    """
    is_proved = context.flow.is_stream or (bool(context.identity) and node.digest_rules.bind_source)
    return not is_proved and not context.is_trusted and node.router.gateways.has_address(context.flow.remote[0])
