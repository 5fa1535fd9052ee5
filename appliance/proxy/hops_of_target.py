"""The next hops of a request for a target, as far as its sender may lead it there (RFC 3263; gateway_access.py)."""

from __future__ import annotations

from collections.abc import Collection

from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.gateway_access import hops_for_sender
from appliance.proxy.request_context import RequestContext
from appliance.routing.lookup_questions import Question
from appliance.routing.targets import Target
from appliance.sip.uri import Uri
from appliance.transport.flow import Flow


class RelayingDenied(Exception):
    """There are next hops, and none of them that the sender may lead to."""


def hops_of_target(
    uri: Uri,
    request_len: int,
    target: Target,
    context: RequestContext,
    node: ProxyEnvironment,
    now: float,
    failed: Collection[Question],
) -> list[Flow]:
    """The hops of a URI in the order to try; [] for none. `failed`: questions that DNS could not answer.

    Raises AnswersNeeded, LocationUnknown and RelayingDenied.
    """
    call_id = context.request.read_call_id()
    found = node.next_hops.find(uri, request_len, context.way_out, call_id, now, failed)
    passable = node.passable(found, context.origin_of(target), context.flow.listener, now, failed)
    hops = hops_for_sender(passable, uri, target, context, node, now, failed)
    if passable and not hops:
        raise RelayingDenied
    return hops
