"""The proxy core: what happens to a message that no transaction has claimed (RFC 3261 16.2).

A request runs through the stages of its listener's role and is then refused, answered, suspended
or forwarded. The server transaction is made when the first stage needs one, so that refusals and
challenges cost no memory.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.catalogue.counters import (
    CALLS_ADOPTED,
    CALLS_CANCELLED,
    CALLS_NOT_ADOPTED,
    CALLS_STARTED,
    CALLS_WITHOUT_LISTENER,
    DROPPED_UNROUTABLE,
    REFUSED_TABLE_FULL,
)
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.proxy import stateless
from appliance.proxy.call_events import request_forwarded
from appliance.proxy.call_recovery import adopt
from appliance.proxy.early_messages import Early, EarlyMessages
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.fast_settings import ListenerRules
from appliance.proxy.fault_recovery import end_by_fault, recover_adopted
from appliance.proxy.held_replies import HeldReplies
from appliance.proxy.request_context import RequestContext
from appliance.proxy.response_context import ResponseContext
from appliance.proxy.roles import ROLES
from appliance.proxy.snapshots import ListenerMissing
from appliance.proxy.stage_chain import run_chain
from appliance.proxy.stage_results import FORWARD, Ask, Drop, Reply, StageResult
from appliance.proxy.suspended_request import SuspendedRequest
from appliance.routing.lookup_questions import Question
from appliance.security.dialog_token import RELAYS
from appliance.security.keys import period_of
from appliance.sip.errors import MalformedMessage
from appliance.sip.header_lines import make_line
from appliance.sip.message import Request, Response
from appliance.sip.writer import write_response
from appliance.transaction.keys import server_key
from appliance.transaction.table import TableFull
from appliance.transaction.transaction import ClientTransaction, ServerTransaction
from appliance.transport.flow import Flow
from appliance.transport.via import is_last_via, response_flow

RETRY_AFTER = (make_line(b"Retry-After", b"5"),)
TABLE_FULL = Reply(503, b"Too Many Transactions", RETRY_AFTER, is_stateless=True)
WAITERS_FULL = Reply(503, b"Too Many Requests Waiting", RETRY_AFTER, is_stateless=True)
NOTHING_TO_CANCEL = Reply(481, is_stateless=True)
CANCEL_NOTED = Reply(200, is_stateless=True)


class Proxy:
    """The transaction user of one worker (RFC 3261 16, 10, 8.2)."""

    __slots__ = ("_listeners", "_node", "_roles", "early", "held")

    def __init__(self, node: ProxyEnvironment) -> None:
        self._node = node
        self.early = EarlyMessages()
        self.held = HeldReplies(
            node.transactions,
            node.bindings,
            node.counters,
            node.settings.limits.registration_wait_ms / 1000,
            node.settings.cluster.replication_wait_ms / 1000,
        )
        self._attend(node.settings.listeners)

    def reconfigure(self, settings: Settings) -> None:
        """Go by new settings, which the node has already; a request that waits goes on at its stage."""
        self.held.wait_s = settings.limits.registration_wait_ms / 1000
        self.held.replication_wait_s = settings.cluster.replication_wait_ms / 1000
        self._attend(settings.listeners)

    def _attend(self, listeners: tuple[ListenerSettings, ...]) -> None:
        self._listeners = tuple(ListenerRules(listener) for listener in listeners)
        self._roles = [ROLES[listener.role] for listener in listeners]

    # -- requests ------------------------------------------------------------------------------------

    def receive_request(self, request: Request, flow: Flow, now: float) -> None:
        """A request that matches no server transaction."""
        waiting = self._node.waiting
        if waiting and self._node.transactions.key_of(request) in waiting:
            # RFC 3261 17.2.1, 17.2.2: a retransmission, as in the state Trying.
            self._node.transactions.count_received_again(request.method)
            return
        context = RequestContext(request, flow, self._listeners[flow.listener])
        context.period = period_of(self._node.wall_time(now))
        if request.method == b"ACK":
            self._receive_ack(context, now)
        elif request.method == b"CANCEL":
            self._receive_cancel(context, now)
        elif not (self._node.failed_lookups and self._refuse_again(context, now)):
            self.decide(context, now)

    def _refuse_again(self, context: RequestContext, now: float) -> bool:
        """RFC 3261 17.2.1, 17.2.2: what was refused because its look-up failed, and comes again, is refused again."""
        refusal = self._node.failed_lookups.refusal_of(self._node.transactions.key_of(context.request), now)
        if refusal is None:
            return False
        self._node.transactions.count_received_again(context.request.method)
        self._reply(context, refusal, now)
        return True

    def receive_own_request(self, request: Request, flow: Flow, now: float) -> None:
        """A request of an operator: it is not challenged, and may go anywhere."""
        context = RequestContext(request, flow, self._listeners[flow.listener])
        context.period = period_of(self._node.wall_time(now))
        context.is_trusted = True
        context.admit(RELAYS)
        self.decide(context, now)

    def _receive_ack(self, context: RequestContext, now: float) -> None:
        request = context.request
        # RFC 3261 8.2.7: else this ACK ends a reply of ours that kept no state.
        if not self._node.keys.is_own_tag(request.read_to_tag(), context.upstream, request.read_call_id()):
            stateless.forward_request(context, self._node, now)

    def _receive_cancel(self, context: RequestContext, now: float) -> None:
        """RFC 3261 16.10: answered here when the request is known."""
        if self._cancel(context, now):
            return
        if self._node.transactions.knows_other(context.request, self._node.waiting):
            # RFC 3261 9.1, 9.2: without effect.
            self._reply(context, Reply(200), now)
        elif not self.early.hold(context, now):
            self._pass_on_cancel(context, now)

    def _pass_on_cancel(self, context: RequestContext, now: float) -> None:
        """RFC 3261 16.10: of a dialog of ours it goes on without state; else no element behind us has its INVITE from
        us, for none is forwarded without state (481, as 9.2 says of what matches nothing).
        """
        if not stateless.forward_request(context, self._node, now):
            self._reply(context, NOTHING_TO_CANCEL, now)

    def _cancel(self, context: RequestContext, now: float) -> bool:
        """Take back the request that a CANCEL means: is it here?"""
        target = self._node.transactions.cancelled_target(context.request)
        if target is None:
            return self._cancel_waiting(context, now)
        self._reply(context, Reply(200), now)
        if isinstance(target.user, ResponseContext):
            target.user.cancel_reasons = context.request.named(b"Reason")
            target.user.cancel(now)
        return True

    def _cancel_waiting(self, context: RequestContext, now: float) -> bool:
        """The same for a request that waits without a transaction; its CANCEL gets none either."""
        waiting = self._node.waiting
        suspended = waiting.get(server_key(context.request, b"INVITE")) if waiting else None
        if not isinstance(suspended, SuspendedRequest):
            return False
        self._reply(context, CANCEL_NOTED, now)
        suspended.cancel()
        return True

    def decide(self, context: RequestContext, now: float) -> None:
        """Run the stages from where the context stands, and do what they say."""
        role = self._roles[context.flow.listener]
        answer = run_chain(role.stages, context, self._node, now)
        if context.is_cancelled and _keeps_state(answer):
            # RFC 3261 9.2
            self._node.counters[CALLS_CANCELLED] += 1
            answer = Reply(487)
        if answer is FORWARD:
            self._forward(context, now)
        elif isinstance(answer, Reply):
            self._reply(context, answer, now)
        elif isinstance(answer, Ask):
            self._suspend(context, answer.question, now)
        elif isinstance(answer, Drop):
            self._node.counters[answer.counter] += 1

    def go_on(self, context: RequestContext, stage: str, now: float) -> None:
        """The same for a request that has waited at a stage, by what is configured now.

        Where its role has no such stage any more it begins anew, and is given no answer that another stage asked for.
        """
        role = self._roles[context.flow.listener]
        context.listener = self._listeners[context.flow.listener]
        context.position = role.position_of(stage)
        if not role.has(stage):
            context.answer = None
            context.is_trusted = context.listener.is_peer(context.flow)
        self.decide(context, now)

    # -- acting on an answer -------------------------------------------------------------------------

    def _forward(self, context: RequestContext, now: float) -> None:
        server = self._waiting_server(context, now)
        if server is None:
            return
        if server.is_invite and not context.request.read_to_tag():
            self._node.counters[CALLS_STARTED] += 1
        if self._node.events is not None:
            request_forwarded(context, self._node, now)
        responses = ResponseContext(context, server.key, self._node)
        server.user = responses
        responses.start(now)

    def _suspend(self, context: RequestContext, question: Question, now: float) -> None:
        node = self._node
        stage = self._roles[context.flow.listener].names[context.position]
        suspended = SuspendedRequest(context, stage, node.transactions.key_of(context.request), self, node, now)
        if not node.pending_lookups.ask(question, suspended, context.asker()):
            suspended.relinquish(now)
            self._reply(context, WAITERS_FULL, now)

    def _reply(self, context: RequestContext, reply: Reply, now: float) -> None:
        """RFC 3261 8.2.6; without a transaction where the reply needs none, or where there is no room (8.2.7)."""
        request, server = context.request, context.server
        if server is None and not reply.is_stateless:
            server = self._new_server(context, None)
        to_tag = self._node.keys.to_tag(context.upstream, request.read_call_id())
        data = write_response(request, reply.status, reply.reason, reply.headers, to_tag)
        destination = response_flow(request.read_top_via(), context.flow) if server is None else server.response_flow
        if context.answer is not None and context.answer.failed and server is None:
            key = self._node.transactions.key_of(request)
            self._node.failed_lookups.remember(key, reply, now, 64 * self._node.transactions.durations.t1)
        if reply.after:
            self.held.hold(reply.after, request, to_tag, server, destination, reply.status, data, now)
        else:
            self._node.transactions.answer(server, destination, reply.status, data, now)

    def _new_server(self, context: RequestContext, now: float | None) -> ServerTransaction | None:
        """RFC 4320 4.1: a request that has to wait, from `now` on, gets a 100 in time; one that is answered needs none.

        None when there is no room.
        """
        request = context.request
        destination = response_flow(request.read_top_via(), context.flow)
        try:
            context.server = self._node.transactions.new_server(request, destination, None, now)
        except TableFull:
            return None
        return context.server

    def _waiting_server(self, context: RequestContext, now: float) -> ServerTransaction | None:
        """The server transaction of a request that has to wait; None when there is no room (503 sent)."""
        if context.server is not None:
            return context.server
        server = self._new_server(context, now)
        if server is None:
            self._node.counters[REFUSED_TABLE_FULL] += 1
            self._reply(context, TABLE_FULL, now)
        elif server.is_invite:
            # RFC 3261 17.2.1: at once, so that no retransmission comes while branches are made.
            self._node.transactions.respond(server, 100, write_response(context.request, 100), now)
        return server

    # -- what transactions get, and what has to be put in order when a fault of ours happens there ----------

    def receive_response(self, client: ClientTransaction, response: Response, now: float) -> None:
        """A response that a client transaction has matched."""
        try:
            self._node.transactions.receive_response(client, response, now)
        except Exception:
            if response.status >= 200:
                end_by_fault(client, self._node, now)
            raise

    def fail(self, branch: bytes, now: float) -> bool:
        """What a transaction has sent could not be sent (RFC 3261 18.4): is it one of ours?"""
        transactions = self._node.transactions
        party = transactions.clients.get(branch) or transactions.servers.get(branch)
        try:
            return transactions.fail(branch, now)
        except Exception:
            end_by_fault(party, self._node, now)
            raise

    def timer_failed(self, owner: object, error: Exception, now: float) -> None:
        """A fault happened while a timer of `owner` was handled."""
        self._node.faults.note("a timer", b"", error, now)
        end_by_fault(owner, self._node, now)

    def waiter_failed(self, waiter: object, error: Exception, now: float) -> None:
        """A fault happened while an answer of the world was handled."""
        self._node.faults.note("an answer", b"", error, now)
        end_by_fault(waiter, self._node, now)

    # -- responses -----------------------------------------------------------------------------------

    def receive_stray_response(self, response: Response, now: float) -> None:
        """A response that matches no client transaction (RFC 3261 16.7, RFC 6026 7.3)."""
        # RFC 3261 16.7 step 3: without a Via below ours it has no previous hop, whichever call it might find.
        if is_last_via(response) or not self.early.hold(response, now):
            stateless.forward_response(response, self._node, now)

    def handle_timers(self, now: float) -> None:
        """What has waited long enough."""
        for message in self.early.overdue(now):
            try:
                self._go_on_without_call(message, now)
            except MalformedMessage:
                # It has waited too long to be answered.
                self._node.counters[DROPPED_UNROUTABLE] += 1
            except Exception as error:
                self._node.faults.note("a response or CANCEL that had waited", b"", error, now)

    def _go_on_without_call(self, message: Early, now: float) -> None:
        """A response, or a CANCEL, whose call has not come (RFC 3261 16.7, 16.10)."""
        if isinstance(message, Response):
            stateless.forward_response(message, self._node, now)
        else:
            self._pass_on_cancel(message, now)

    # -- calls of other workers ----------------------------------------------------------------------

    def _receive_early(self, message: Early, now: float) -> bool:
        """Give a message that came too early to its call: has that come?"""
        if not isinstance(message, Response):
            return self._cancel(message, now)
        client = self._node.transactions.client_for(message)
        if client is not None:
            self.receive_response(client, message, now)
        return client is not None

    def _give_early(self, message: Early, now: float) -> bool:
        """The same; a fault costs that message."""
        try:
            return self._receive_early(message, now)
        except Exception as error:
            self._node.faults.note("a response or CANCEL that had waited", b"", error, now)
            return True

    def adopt(self, snapshots: Sequence[bytes], now: float, is_of_other_node: bool = False) -> None:
        """Go on with calls that another worker was setting up."""
        for snapshot in snapshots:
            self._node.counters[self._adopt(snapshot, is_of_other_node, now)] += 1
        self.early.match(self._give_early, now)

    def _adopt(self, snapshot: bytes, is_of_other_node: bool, now: float) -> int:
        """Go on with one call, and count what has become of it; a fault ends it."""
        try:
            is_adopted = adopt(snapshot, self._node, self.go_on, now, is_of_other_node)
            return CALLS_ADOPTED if is_adopted else CALLS_NOT_ADOPTED
        except ListenerMissing:
            return CALLS_WITHOUT_LISTENER
        except Exception as error:
            self._node.faults.note("a call of another worker", snapshot, error, now)
            recover_adopted(snapshot, self._node, now)
            return CALLS_NOT_ADOPTED


def _keeps_state(answer: StageResult) -> bool:
    """Does the answer need a transaction? What is refused without one has proved nothing."""
    return answer is FORWARD or (isinstance(answer, Reply) and not answer.is_stateless)
