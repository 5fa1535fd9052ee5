"""Forwarding without a transaction (RFC 3261 16.11): the ACK to a 2xx, what else of a dialog matches nothing, stray
responses.

Branches are functions of what arrived, so what is forwarded here carries the branch of the INVITE that went before it,
whichever worker forwarded that one. A request goes to one target.
"""

from __future__ import annotations

from appliance.catalogue.counters import DROPPED_STRAY_RESPONSE, DROPPED_UNROUTABLE, STRAY_RESPONSES_FORWARDED
from appliance.proxy.dialogs import bind_to_answer
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.first_connection import hops_by_connection
from appliance.proxy.forwarding import add_length, address_to_hop, connection_of, length_of, prepare_request
from appliance.proxy.hop_lookups import HopLookups
from appliance.proxy.hops_of_target import RelayingDenied, hops_of_target
from appliance.proxy.identities import remove_claims
from appliance.proxy.request_context import RequestContext
from appliance.proxy.roles import STATELESS
from appliance.proxy.stage_chain import run_chain
from appliance.proxy.stage_results import FORWARD
from appliance.routing.next_hops import NONE_FAILED
from appliance.routing.server_location import AnswersNeeded, LocationUnknown
from appliance.routing.targets import Target
from appliance.security.keys import period_of, upstream_of_via
from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Response
from appliance.sip.names import VIA
from appliance.sip.uri import Uri
from appliance.sip.writer import write
from appliance.transport.flow import Flow, Outgoing
from appliance.transport.via import pop_via, response_destination


def forward_request(context: RequestContext, node: ProxyEnvironment, now: float, is_known: bool = False) -> bool:
    """Send an ACK or CANCEL to its target, and keep nothing of it; False when it may not go on.

    It may when its INVITE is here (`is_known`), when a token of ours or the 2xx to its INVITE proves its dialog, or
    from a trusted peer: any sender could else have it sent to the contacts of a user.
    """
    may_go = run_chain(STATELESS, context, node, now) is FORWARD
    may_go = may_go and (is_known or context.is_in_dialog or context.is_trusted)
    if not may_go or not context.targets:
        node.counters[DROPPED_UNROUTABLE] += 1
        return False
    # RFC 3261 16.11: a stateless proxy chooses one target.
    _Passage(context, context.targets[0], node).go(now)
    return True


class _Passage:
    """One request to one target; waits for DNS where it has to."""

    __slots__ = ("_context", "_node", "_target")

    def __init__(self, context: RequestContext, target: Target, node: ProxyEnvironment) -> None:
        self._context = context
        self._target = target
        self._node = node

    def go(self, now: float, lookups: HopLookups | None = None) -> None:
        request, hop_uri = prepare_request(self._context, self._target, self._node)
        hop = self._find_hop(hop_uri, length_of(request, self._context, self._node), lookups, now)
        if hop is not None:
            address_to_hop(request, self._context, hop, 0, self._node)
            self._node.transactions.outbox.append(Outgoing(write(request), hop, b""))

    def _find_hop(self, uri: Uri, request_len: int, lookups: HopLookups | None, now: float) -> Flow | None:
        context, node = self._context, self._node
        connection = connection_of(self._target, context, node)
        if connection is not None or self._target.is_flow_bound:
            if connection is None:
                node.counters[DROPPED_UNROUTABLE] += 1
            return connection
        try:
            failed = NONE_FAILED if lookups is None else lookups.failed
            hops = hops_of_target(uri, request_len, self._target, context, node, now, failed)
        except AnswersNeeded as needed:
            # Where too many wait already it is dropped, and counted there.
            (lookups or HopLookups(self)).ask(needed, node.pending_lookups, context.asker())
            return None
        except (LocationUnknown, RelayingDenied):
            hops = []
        if not hops:
            node.counters[DROPPED_UNROUTABLE] += 1
            return None
        return (hops_by_connection(hops, uri, request_len, context, node, None, now) or hops)[0]

    def lookups_ended(self, lookups: HopLookups, now: float) -> None:
        """What the next hop depends on is known; where it cannot be known the request is dropped."""
        self.go(now, lookups)


def forward_response(response: Response, node: ProxyEnvironment, now: float) -> None:
    """Pass a response on that matches no transaction, if it is the answer to a request of ours.

    RFC 6026 7.3 forbids to forward stray responses because any host could send them. The seal in our
    branch proves that the request below it went through this appliance, so a 180 or 200 of a call
    whose worker has died still reaches the caller; whatever is not sealed is dropped.
    """
    destination = _upstream_of(response, node, now) if _is_of_use(response) else None
    if destination is None:
        node.counters[DROPPED_STRAY_RESPONSE] += 1
        return
    node.counters[STRAY_RESPONSES_FORWARDED] += 1
    # Which hop it comes from, and by which flow, is not known here.
    bind_to_answer(response, None, node)
    remove_claims(response)
    add_length(response, destination)
    node.transactions.outbox.append(Outgoing(write(response), destination, b""))


def _is_of_use(response: Response) -> bool:
    if response.status < 200:
        # RFC 4320 4.1: to a request other than INVITE no provisional but 100 is sent, and a 100 goes one hop only.
        return response.status > 100 and response.read_cseq_method() == b"INVITE"
    return response.status < 300


def _upstream_of(response: Response, node: ProxyEnvironment, now: float) -> Flow | None:
    """Take our Via off; the flow for the one below it, None when the response is not ours to pass on."""
    branch = response.read_top_via().branch
    try:
        if len(response.values(VIA)) < 2:
            return None
        pop_via(response)
        below = response.read_top_via()
    except MalformedMessage:
        # Its request came through here with a Via that could be read; and no one is left to be told of a fault.
        return None
    if not node.keys.is_own_branch(branch, upstream_of_via(below), period_of(node.wall_time(now))):
        return None
    transport, host, port = response_destination(below)
    return node.next_hops.flow_to(transport, host, port)
