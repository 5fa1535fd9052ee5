"""A request on its way through the stages: what has been found out about it so far."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.fast_settings import ListenerRules
from appliance.proxy.pending_lookups import Asker
from appliance.routing.contact_policy import AT_SOURCE, NAMED
from appliance.routing.lookup_questions import Answer
from appliance.routing.route_decision import RouteDecision
from appliance.routing.targets import Target
from appliance.security.dialog_token import ADMITTED, RELAYS
from appliance.security.dialog_token import AT_SOURCE as TO_SOURCE
from appliance.security.keys import loop_part_for, upstream_key
from appliance.sip.message import Request
from appliance.sip.names import ROUTE
from appliance.transaction.transaction import ServerTransaction
from appliance.transport.flow import Flow
from appliance.transport.source import source_of


class RequestContext:
    """One request being decided (RFC 3261 16.3 to 16.5).

    `position` is the stage that decides next; a stage that asks decides again when `answer` holds
    what it asked for. `request` is ours to change: the transaction keeps what it needs as bytes.
    """

    __slots__ = (
        "_loop_part",
        "admission",
        "answer",
        "flow",
        "identity",
        "is_cancelled",
        "is_in_dialog",
        "is_spiral",
        "is_trusted",
        "is_unrouted",
        "keeps_flow",
        "listener",
        "named_flow",
        "path_kind",
        "period",
        "position",
        "record_routed",
        "request",
        "route",
        "server",
        "targets",
        "upstream",
        "way_out",
    )

    def __init__(self, request: Request, flow: Flow, listener: ListenerRules) -> None:
        self.request = request
        self.flow = flow
        self.listener = listener
        self.upstream = upstream_key(request)
        self._loop_part = b""
        # When it came, as far as seals tell it (see keys.period_of).
        self.period = 0
        self.server: ServerTransaction | None = None
        self.position = 0
        self.answer: Answer | None = None
        # The address-of-record proved by digest, b"" as long as none is proved.
        self.identity = b""
        # A peer by configuration: neither challenged nor held to the relay rule.
        self.is_trusted = self.listener.is_peer(self.flow)
        # The request carried a Record-Route of ours made for this call (RFC 3261 16.4).
        self.is_in_dialog = False
        # What that grants (see dialogs.py).
        self.admission = 0
        # It was here before, for another destination (RFC 5393 4.2).
        self.is_spiral = False
        self.record_routed = False
        # Its sender is reached by the flow it came by, and nowhere else (see flow_routes.py).
        self.keeps_flow = False
        # The flow that its Route names, which it is for (RFC 5626 5.3.1).
        self.named_flow: Flow | None = None
        # Of a REGISTER that is forwarded: the Path that it gets, 0 for none.
        self.path_kind = 0
        # RFC 3261 9.2: a CANCEL came while the request waited without a transaction.
        self.is_cancelled = False
        self.targets: Sequence[Target] = ()
        # What the route tables say of it, where they have made its targets.
        self.route: RouteDecision | None = None
        # It calls a number that no route table has a route for.
        self.is_unrouted = False
        # The listener to leave by, where there is a choice.
        self.way_out = self.flow.listener

    def read_loop_part(self, node: ProxyEnvironment) -> bytes:
        """The checksum of what decides where the request goes, once the Routes that name us are off it.

        Made when it is first asked for: most requests that are answered here need none.
        """
        if not self._loop_part:
            self._loop_part = loop_part_for(self.request, node.destination_of(self.request.read_uri()))
        return self._loop_part

    def asker(self) -> Asker:
        """For whom the world is asked while this request is decided and forwarded."""
        return Asker(source_of(self.flow.remote[0]), self.identity, self.is_trusted)

    def set_loop_part(self, loop_part: bytes) -> None:
        """What it was when another worker had the request."""
        self._loop_part = loop_part

    def admit(self, admission: int) -> None:
        """What is granted to it (see dialogs.py): by the token of a dialog, or RELAYS alone; 0 for a new request."""
        self.admission = admission
        self.is_in_dialog = admission & ADMITTED != 0

    def named_target(self) -> Target:
        """The Request-URI as the target, by the flow that the Route has named."""
        is_at_source = self.admission & TO_SOURCE != 0 or self.named_flow is not None
        target = Target(self.request.read_uri(), origin=AT_SOURCE if is_at_source else NAMED)
        target.flow = self.named_flow
        target.is_flow_bound = self.named_flow is not None
        return target

    def origin_of(self, target: Target) -> int:
        """Where the way to a target comes from: a Route of the sender leads where he says, whatever the target is.

        The token of a dialog may say that its routes lead to where its message came from; and a Path goes first.
        """
        origin: int = target.origin
        if origin != AT_SOURCE or target.path or self.admission & TO_SOURCE or not self.request.count(ROUTE):
            return origin
        return NAMED

    def is_for_flow(self) -> bool:
        """Has it come by the Path of a phone (RFC 5626 5.3.1)?"""
        return self.named_flow is not None and not self.is_in_dialog

    def may_relay(self) -> bool:
        """May it go to foreign targets of any kind: by the call it belongs to, or by the setting `relay`?"""
        return self.admission & RELAYS != 0 or self.has_relay_rights()

    def has_relay_rights(self) -> bool:
        """The same by the setting alone."""
        allowed = self.listener.relay
        return allowed == "any" or (allowed == "authenticated" and (bool(self.identity) or self.is_trusted))
