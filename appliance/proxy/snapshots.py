"""A call that is being set up, as octets: enough for another worker to go on with it (design 4).

What was sent need not be in a snapshot: branches are keyed functions of the request and the hop, so the next
worker makes the same request again. It is sent again, as a retransmission (RFC 3261 17.1.1.2), only if nothing comes
within T1; a hop that rings is left in peace, for it repeats its final response until that is acknowledged.

A call is snapshot again whenever it has come further, and of most of it nothing changes: what is known of the request
is packed once, as octets within the octets.

Another node can go on as well. Flows name their listener by its place in a node (catalogue/listener_ids.py), so a
snapshot has the names of the listeners at all places, and who reads it finds its own ones of these names. Numbers of
processes hold for all nodes, and the only times are unix time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from appliance.catalogue.settings import GONE, OPEN, ListenerSettings
from appliance.messages.field_codecs import FLOW
from appliance.messages.msgpack_codec import Packer, unpack
from appliance.proxy.best_response import Final as FinalResponse
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.fast_settings import ListenerRules
from appliance.proxy.request_context import RequestContext
from appliance.routing.targets import Target
from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Request, Response
from appliance.sip.parser import UNBOUNDED, parse
from appliance.sip.uri import parse_uri
from appliance.sip.writer import write
from appliance.transport.flow import Flow

FORMAT: Final = 12
# The stage of a request that has passed all of them.
FORWARDED: Final = ""
# By place of a listener at the node that made a snapshot: the place here, or NOWHERE.
Places = tuple[int, ...]
NOWHERE: Final = -1


class ListenerMissing(ValueError):
    """The request came in by a listener that this node does not have."""


class BranchSnapshot:
    """One branch. `hop` is None as long as nothing was sent, or where that went by a listener that is not here; `final`
    is None as long as the branch is open.

    `attempt` is how many hops were tried before `hop`, and `hops` are those that are left (RFC 3263 4.3).
    `is_proceeding`: the hop has sent a provisional response.
    """

    __slots__ = ("attempt", "final", "hop", "hops", "is_proceeding", "target", "wants_cancel")

    def __init__(
        self,
        target: Target,
        attempt: int,
        hop: Flow | None,
        hops: list[Flow],
        is_proceeding: bool,
        wants_cancel: bool,
        final: FinalResponse | None,
    ) -> None:
        self.target = target
        self.attempt = attempt
        self.hop = hop
        self.hops = hops
        self.is_proceeding = is_proceeding
        self.wants_cancel = wants_cancel
        self.final = final


@dataclass(slots=True)
class CallSnapshot:
    """One INVITE, its request context and its branches.

    `request`         as the stages left it.
    `period`          when it came: its branches are made of that, too.
    `stage`           the name of the stage that waits for an answer of the world, or FORWARDED.
    `answer`          the final response other than 2xx that awaits its ACK; b"" when none was sent.
    `is_answered`     a 2xx went up: only branches that are being cancelled are left.
    `is_closed`       no further target may be tried.
    `group_until`     when the group under way has rung long enough, in unix time; 0.0 for any time.
    `cancel_reasons`  the values of Reason in the CANCEL that came, for branches whose CANCEL still waits.
    `known`           the URIs of all that were in the target set.
    `targets`         those not tried yet.
    """

    request: Request
    flow: Flow
    period: int
    loop_part: bytes
    identity: bytes
    admission: int
    is_spiral: bool
    record_routed: bool
    keeps_flow: bool
    named_flow: Flow | None
    way_out: int
    stage: str
    answer: bytes
    is_answered: bool
    is_closed: bool
    group_until: float
    cancel_reasons: list[bytes]
    known: list[bytes]
    targets: list[Target]
    branches: list[BranchSnapshot]


def packed_request(node: ProxyEnvironment, context: RequestContext) -> bytes:
    """What a snapshot says of a request that goes through no more stages, or waits at one: that does not change."""
    return node.packer.pack(
        (
            write(context.request),
            context.flow.parts(),
            context.period,
            context.request.received_uri,
            context.read_loop_part(node),
            context.identity,
            context.admission,
            context.is_spiral,
            context.record_routed,
            context.keeps_flow,
            _write_flow(context.named_flow),
            context.way_out,
        )
    )


def context_of(call: CallSnapshot, listeners: Sequence[ListenerSettings]) -> RequestContext:
    """The request context that a snapshot was made of. Raises ValueError when its listener is no more."""
    if not 0 <= call.flow.listener < len(listeners):
        raise ValueError(f"the snapshot names listener {call.flow.listener}")
    context = RequestContext(call.request, call.flow, ListenerRules(listeners[call.flow.listener]))
    # The stages may have changed what it is made of (RFC 3261 16.4).
    context.period = call.period
    context.set_loop_part(call.loop_part)
    context.identity = call.identity
    context.admit(call.admission)
    context.is_spiral = call.is_spiral
    context.record_routed = call.record_routed
    context.keeps_flow = call.keeps_flow
    context.named_flow = call.named_flow
    context.way_out = call.way_out
    context.targets = call.targets
    return context


def write_snapshot(
    packer: Packer,
    names: bytes,
    request: bytes,
    stage: str,
    answer: bytes,
    is_answered: bool,
    is_closed: bool,
    group_until: float,
    cancel_reasons: list[bytes],
    known: list[bytes],
    targets: list[Target],
    branches: list[BranchSnapshot],
) -> bytes:
    """The octets of a snapshot: `names` are OwnNames.listener_names, `request` is the packed one, the others
    are those of CallSnapshot.
    """
    return packer.pack(
        (
            FORMAT,
            names,
            request,
            stage,
            answer,
            is_answered,
            is_closed,
            group_until,
            cancel_reasons,
            known,
            [_write_target(target) for target in targets],
            [_write_branch(branch) for branch in branches],
        )
    )


def read_snapshot(octets: bytes, listeners: Sequence[ListenerSettings] | None = None) -> CallSnapshot:
    """What `write_snapshot` was given; `listeners` are those of this node, for a snapshot that another node has made.

    Raises ListenerMissing, and ValueError for anything that `write_snapshot` does not write.
    """
    try:
        version, names, packed, *progress, targets, branches = unpack(octets)
        if version != FORMAT:
            raise ValueError(f"snapshot format {version!r}")
        places = None if listeners is None else _places_of(names, listeners)
        text, flow, period, received_uri, *found, named_flow, way_out = unpack(packed)
        request = _read_request(text)
        # The stages may have changed it (RFC 3261 16.4).
        request.received_uri = received_uri
        way_in = _read_flow(flow, places)
        if way_in is None:
            raise ListenerMissing(f"the snapshot names listener {flow[1]} of {names!r}")
        found.append(_read_flow(named_flow, places))
        found.append(_way_out(way_out, way_in, places))
        found += progress
        found.append([_read_target(target, places) for target in targets])
        found.append([_read_branch(branch, places) for branch in branches])
        return CallSnapshot(request, way_in, period, *found)
    except (TypeError, MalformedMessage) as fault:
        raise ValueError(f"no snapshot: {fault}") from fault


def _places_of(names: bytes, listeners: Sequence[ListenerSettings]) -> Places:
    """Where the listeners of another node are here. Of two that have one name, the one that is open has it."""
    here = {listener.name: place for place, listener in enumerate(listeners) if listener.standing != GONE}
    here |= {listener.name: place for place, listener in enumerate(listeners) if listener.standing == OPEN}
    return tuple(here.get(name, NOWHERE) for name in names.decode().split("\n"))


def _place_of(place: int, places: Places) -> int:
    return places[place] if 0 <= place < len(places) else NOWHERE


def _way_out(place: int, way_in: Flow, places: Places | None) -> int:
    """The listener to leave by: the one that the request came in by, where this node has it not."""
    here = place if places is None else _place_of(place, places)
    return way_in.listener if here == NOWHERE else here


def _write_flow(flow: Flow | None) -> Any:
    return None if flow is None else flow.parts()


def _read_flow(value: Any, places: Places | None) -> Flow | None:
    """None also for the flow of a listener that this node does not have."""
    if value is None:
        return None
    flow: Flow = FLOW.read(value)
    place = flow.listener if places is None else _place_of(flow.listener, places)
    if place == flow.listener:
        return flow
    if place == NOWHERE:
        return None
    return Flow(flow.transport, place, flow.remote, flow.process, flow.connection, flow.name)


def _write_target(target: Target) -> Any:
    return (
        target.uri_text,
        target.q,
        target.path,
        _write_flow(target.flow),
        target.origin,
        target.is_secure,
        target.is_flow_bound,
        target.breadth,
        [_write_target(spare) for spare in target.spares],
        target.translation,
    )


def _read_target(value: Any, places: Places | None) -> Target:
    uri_text, q, path, flow, origin, is_secure, is_flow_bound, breadth, spares, translation = value
    target = Target(parse_uri(uri_text), q, tuple(path), _read_flow(flow, places), origin)
    target.is_secure = is_secure
    target.is_flow_bound = is_flow_bound
    target.breadth = breadth
    target.spares = tuple(_read_target(spare, places) for spare in spares)
    target.translation = translation
    return target


def _write_branch(branch: BranchSnapshot) -> Any:
    final = branch.final
    return (
        _write_target(branch.target),
        branch.attempt,
        _write_flow(branch.hop),
        [_write_flow(hop) for hop in branch.hops],
        branch.is_proceeding,
        branch.wants_cancel,
        None if final is None else (final.status, final.reason, write(final.response) if final.response else b""),
    )


def _read_branch(value: Any, places: Places | None) -> BranchSnapshot:
    target, attempt, hop, hops, is_proceeding, wants_cancel, final = value
    return BranchSnapshot(
        _read_target(target, places),
        attempt,
        _read_flow(hop, places),
        [found for flow in hops if (found := _read_flow(flow, places)) is not None],
        is_proceeding,
        wants_cancel,
        None if final is None else _read_final(*final),
    )


def _read_final(status: int, reason: bytes, response: bytes) -> FinalResponse:
    return FinalResponse(status, reason, _read_response(response) if response else None)


def _read_request(octets: bytes) -> Request:
    message = parse(octets, UNBOUNDED)
    if not isinstance(message, Request):
        raise TypeError("a response where the request should be")
    return message


def _read_response(octets: bytes) -> Response:
    message = parse(octets, UNBOUNDED)
    if not isinstance(message, Response):
        raise TypeError("a request where a response should be")
    return message
