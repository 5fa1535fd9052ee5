"""The first connection to a server that has addresses of both families (RFC 8305; RFC 7984 for SIP).

One of the families may lead nowhere from here, and a request names the listener that it leaves by. So before the
request is made, the worker opens a connection to whichever of the addresses takes one first
(transport/connection_attempts.py), and the request goes by that. Where one of them has a connection already, it goes
there at once.
"""

from __future__ import annotations

from typing import Protocol

from appliance.catalogue.counters import HOPS_FAILED_OVER
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.request_context import RequestContext
from appliance.routing.lookup_questions import Answer, ConnectionAnswer, OpenConnection
from appliance.routing.unavailable_hops import TIMED_OUT, UNREACHABLE
from appliance.sip.uri import Uri
from appliance.transport.connection_attempts import interleaved
from appliance.transport.flow import NO_CONNECTION, Flow
from appliance.transport.process_id import NO_PROCESS


class ConnectionUser(Protocol):
    """What waits for a connection: a branch."""

    def connected(self, answer: ConnectionAnswer, now: float) -> None:
        """The answer to OpenConnection has come."""


class AwaitedConnection:
    """Waits for the connection of one branch."""

    __slots__ = ("user",)

    def __init__(self, user: ConnectionUser) -> None:
        self.user = user

    def answer_arrived(self, answer: Answer, now: float) -> None:
        """Go on, by that connection or without."""
        assert isinstance(answer, ConnectionAnswer)
        self.user.connected(answer, now)


def hops_by_connection(
    hops: list[Flow],
    uri: Uri,
    request_len: int,
    context: RequestContext,
    node: ProxyEnvironment,
    user: ConnectionUser | None,
    now: float,
) -> list[Flow] | None:
    """The hops, with the one first whose connection is open; None where `user` has to wait until one is. [] when too
    many wait already.

    `hops`: at least one, as NextHops.find has given them for `uri`. Without a user nothing is opened.
    """
    if not _may_have_alternatives(hops, node):
        return hops
    call_id = context.request.read_call_id()
    alternatives = interleaved(node.next_hops.of_one_server(hops, uri, request_len, call_id, now))
    is_open = node.connections.has_way
    found = next((hop for hop in alternatives if hop.process != NO_PROCESS or is_open(hop)), None)
    if found is not None:
        return [found, *(hop for hop in hops if hop is not found)]
    if not alternatives or user is None:
        return hops
    is_asked = node.pending_lookups.ask(OpenConnection(alternatives), AwaitedConnection(user), context.asker())
    return None if is_asked else []


def _may_have_alternatives(hops: list[Flow], node: ProxyEnvironment) -> bool:
    """Has the first hop no connection yet, and may its server have addresses of another family?"""
    first = hops[0]
    if len(hops) < 2 or not first.is_stream or first.connection != NO_CONNECTION or first.process != NO_PROCESS:
        return False
    return not node.connections.has_way(first) and len(interleaved(hops)) > 0


def hops_after(hops: list[Flow], answer: ConnectionAnswer, node: ProxyEnvironment, now: float) -> list[Flow]:
    """The hops that are left, the connected one first. Those that failed are noted, as any next hop that fails."""
    for hop in answer.unreachable:
        node.unavailable_hops.note_failure(hop, UNREACHABLE, now)
    for hop in answer.late:
        node.unavailable_hops.note_failure(hop, TIMED_OUT, now)
    others = [hop for hop in hops if hop != answer.hop and hop not in answer.unreachable]
    if answer.hop is None:
        return others
    node.counters[HOPS_FAILED_OVER] += answer.hop != hops[0]
    return [answer.hop, *others]
