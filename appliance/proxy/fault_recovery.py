"""After a fault of ours: what it left half done is ended, so that no caller waits and no entry stays.

A request gets its 500 (RFC 3261 21.5.1), by its server transaction where there is one, else statelessly. A call whose
final response, timer or answer was lost ends with 500, and its other branches are cancelled. A provisional response
that is lost changes nothing.
"""

from __future__ import annotations

from typing import Final

from appliance.proxy.branch import Branch
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.first_connection import AwaitedConnection
from appliance.proxy.hop_lookups import AwaitedAnswer
from appliance.proxy.response_context import ResponseContext
from appliance.proxy.snapshots import read_snapshot
from appliance.proxy.suspended_request import SuspendedRequest
from appliance.security.keys import upstream_key
from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Request
from appliance.sip.parser import SyntaxLimits, parse
from appliance.sip.writer import write_response
from appliance.transaction.keys import server_key
from appliance.transaction.machines import State
from appliance.transaction.transaction import ClientTransaction, ServerTransaction
from appliance.transport.flow import Flow
from appliance.transport.via import response_flow, stamp_received

PENDING: Final = frozenset((int(State.INITIAL), int(State.TRYING), int(State.PROCEEDING)))


def recover_message(data: bytes, flow: Flow, limits: SyntaxLimits, node: ProxyEnvironment, now: float) -> None:
    """The handling of a message of the wire has failed: a request is answered 500 unless it has its answer."""
    try:
        message = parse(data, limits)
        if isinstance(message, Request) and message.method != b"ACK":
            stamp_received(message, flow)
            _refuse(message, flow, node, now)
    except MalformedMessage:
        # The sender gets no answer; the fault was in making it.
        return
    except Exception as error:
        node.faults.note("the answer to a request", data, error, now)


def _refuse(request: Request, flow: Flow, node: ProxyEnvironment, now: float) -> None:
    key = server_key(request, request.method)
    node.waiting.pop(key, None)
    server = node.transactions.servers.get(key)
    if server is None:
        node.transactions.send(_answer_to(request, node), response_flow(request.read_top_via(), flow), b"")
    elif server.state in PENDING:
        _end_server(server, node, now)


def recover_adopted(snapshot: bytes, node: ProxyEnvironment, now: float) -> None:
    """The adoption of a call has failed; its caller waits for a final response."""
    try:
        request = read_snapshot(snapshot).request
        server = node.transactions.servers.get(server_key(request, request.method))
        if server is not None and server.state in PENDING:
            _end_server(server, node, now)
    except ValueError:
        return
    except Exception as error:
        node.faults.note("the end of a call", snapshot, error, now)


def end_by_fault(party: object, node: ProxyEnvironment, now: float) -> None:
    """End what belongs to a transaction, branch or waiting request in which a fault has happened."""
    try:
        _end(party, node, now)
    except Exception as error:
        node.faults.note("the end of a transaction", b"", error, now)


def _end(party: object, node: ProxyEnvironment, now: float) -> None:
    if isinstance(party, ClientTransaction):
        user = party.user
        node.transactions.discard(party)
        if isinstance(user, Branch):
            _end_branch(user, now)
    elif isinstance(party, Branch):
        _end_branch(party, now)
    elif isinstance(party, AwaitedAnswer):
        _end(party.lookups.finder, node, now)
    elif isinstance(party, AwaitedConnection):
        _end(party.user, node, now)
    elif isinstance(party, ResponseContext):
        party.end_by_fault(now)
    elif isinstance(party, SuspendedRequest):
        context = party.context
        _refuse(context.request, context.flow, node, now)
    elif isinstance(party, ServerTransaction):
        if party.state in PENDING:
            _end_server(party, node, now)
        else:
            node.transactions.discard(party)


def _end_branch(branch: Branch, now: float) -> None:
    branch.end_by_fault()
    user = branch.user
    if isinstance(user, ResponseContext):
        user.end_by_fault(now)


def _end_server(server: ServerTransaction, node: ProxyEnvironment, now: float) -> None:
    """A server transaction without a final response gets 500; one that cannot have it goes."""
    user, request = server.user, server.request
    if isinstance(user, ResponseContext):
        user.end_by_fault(now)
    if server.state in PENDING and request is not None:
        node.transactions.respond(server, 500, _answer_to(request, node), now)
    if server.state in PENDING:
        node.transactions.discard(server)


def _answer_to(request: Request, node: ProxyEnvironment) -> bytes:
    to_tag = node.keys.to_tag(upstream_key(request), request.read_call_id())
    return write_response(request, 500, to_tag=to_tag)
