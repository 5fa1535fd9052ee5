"""The pure door: bytes and time in, bytes and questions out.

One stack is one worker's SIP: it owns no socket, clock, file, thread or randomness. Every input
verb takes `now`; after any of them the outputs are drained:

    receive_datagrams, receive_messages, receive_answers,     datagrams_to_send, messages_to_send,
    receive_failures, handle_timers                       ->  questions_to_ask, snapshots_to_keep,
                                                              or all of them: outputs

and `next_timer` says when to call `handle_timers`. A fault of ours costs the message, timer or answer at hand: it is
counted, told by `faults_to_log`, and raised by none of these verbs. A message goes up the floors once: slot owner,
parser, transactions, proxy. Several stacks and a fake clock in one process make a cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from appliance.catalogue.alarms import OVERLOAD, SOFTWARE_FAULT
from appliance.catalogue.counters import (
    COUNTERS,
    DROPPED_NOT_OUR_VIA,
    HANDED_OVER_RECEIVED,
    REQUESTS_RECEIVED,
    REQUESTS_SENT,
    RESPONSES_RECEIVED,
    RESPONSES_SENT,
    SEND_FAILED,
)
from appliance.catalogue.settings import Settings
from appliance.inspection.requests import Inspected, answer_request, end_registrations
from appliance.location.registration_table import RegistrationTable
from appliance.messages.bus_messages import (
    BusMessage,
    BusReply,
    BusRequest,
    CallsMoved,
    ConnectionsChanged,
    HandedOver,
    Refusal,
    SendByConnection,
    SendFailed,
    SlotsChanged,
)
from appliance.messages.flow_messages import FlowMessage
from appliance.messages.node_start import ALONE, NodeStart
from appliance.messages.slots import seed_of
from appliance.messages.supervisor_requests import ForgetSubscriber
from appliance.overload.overload_controller import OverloadController
from appliance.proxy.address_takeover import AddressTakeover
from appliance.proxy.call_transfer import CallTransfer
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.fault_recovery import recover_message
from appliance.proxy.ingress_filter import LET_IN, TURNED_AWAY, UNREADABLE, IngressFilter
from appliance.proxy.kept_calls import KeptCalls
from appliance.proxy.node_flows import FROM_OTHER_NODE, NodeFlows
from appliance.proxy.options_keep_alive import OptionsKeepAlive
from appliance.proxy.outputs import Outputs, Snapshot
from appliance.proxy.phone_keep_alives import PhoneKeepAlives
from appliance.proxy.proxy import Proxy
from appliance.proxy.software_faults import SoftwareFault
from appliance.proxy.table_commits import TableCommits
from appliance.routing.lookup_questions import Answer, Question
from appliance.security.authentication_failures import AuthenticationFailures
from appliance.security.nonces import nonces_for
from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Request, Response
from appliance.sip.parser import find_call_id, parse, syntax_limits
from appliance.sip.traffic_counts import TrafficCounts
from appliance.transaction.table import Transactions
from appliance.transport.flow import Flow, Outgoing
from appliance.transport.keep_alives import is_keep_alive
from appliance.transport.process_id import NO_PROCESS, ProcessId
from appliance.transport.via import as_datagram, is_last_via, reopened, stamp_received
from appliance.worker_group.worker_group import WorkerGroup

TIDY_INTERVAL_S = 1.0
# A worker that has just started is not reached by the bus at once.
MOVE_AGAIN_S = 0.05
NEVER = float("inf")


class Stack:
    """The SIP of one worker."""

    def __init__(
        self,
        settings: Settings,
        process: ProcessId,
        key: bytes,
        table: RegistrationTable,
        now: float,
        wall_time: float,
        start: NodeStart = ALONE,
    ) -> None:
        """`table`: this worker's view of the registrations of its node."""
        self.counters: list[int] = [0] * len(COUNTERS)
        self._syntax = syntax_limits(settings.syntax)
        self._transactions = Transactions(settings.timers, settings.limits.transactions_max, self.counters)
        self.traffic: TrafficCounts = self._transactions.traffic
        self._table = table
        seed = seed_of(key, start.boot)
        self._group = WorkerGroup(process, seed, self.counters)
        self._slot_ownership = self._group.slot_ownership
        self._node = ProxyEnvironment(
            settings,
            process,
            key,
            self.counters,
            self._transactions,
            table,
            self._group.connections,
            nonces_for(settings, process, key, start),
            start.addresses,
        )
        self.use_routes = self._node.router.use
        """Route new calls by other tables from now on."""
        self.use_sealing_keys = self._node.use_sealing_keys
        self._proxy = Proxy(self._node)
        self._moving = CallTransfer(self._node, self._proxy, self._group)
        self._kept_calls = KeptCalls(self._node, self._slot_ownership)
        self.takeover = AddressTakeover(self._node, self._proxy, self._kept_calls)
        self.node_flows = NodeFlows(self._node, self._proxy, self._group)
        self._overload_controller = OverloadController(settings.overload)
        self._ingress_filter = IngressFilter(self._overload_controller, self._node)
        self._tidy_at = now + TIDY_INTERVAL_S
        self._commits = TableCommits(table, self._proxy.held, self.counters)
        self._move_at = NEVER
        self.is_sound = True
        """False: a fault has damaged the tables, and this worker has to end."""
        self._transactions.timers.failed = self._proxy.timer_failed
        self._keep_alives = PhoneKeepAlives(self._node, self._slot_ownership, self.takeover, settings, now)
        self.set_wall_time(wall_time, now)

    def reconfigure(self, settings: Settings, now: float) -> None:
        """Go by new settings from now on; calls, registrations and what waits are not touched.

        Listeners keep their places. Settings that are declared `restart` are not read here.
        """
        self._syntax = syntax_limits(settings.syntax)
        self._transactions.reconfigure(settings.timers, settings.limits.transactions_max)
        self._node.reconfigure(settings)
        self._proxy.reconfigure(settings)
        self._overload_controller.reconfigure(settings.overload)
        self._keep_alives.reconfigure(settings, now)

    def set_wall_time(self, wall_time: float, now: float, date: float | None = None) -> None:
        """Say which unix time registrations live by at the monotonic moment `now`, and which the clock says (`date`),
        where that is another one because it was set.
        """
        self._node.wall_offset_s = wall_time - now
        self._node.date_offset_s = 0.0 if date is None else date - wall_time
        self._table.clock = wall_time

    # -- messages of the wire ------------------------------------------------------------------------

    def note_delay(self, delay_s: float, now: float) -> None:
        """Messages that are read now had to wait for so long."""
        self._overload_controller.observe(delay_s, now)

    def receive_datagrams(self, batch: Sequence[tuple[bytes, Flow]], now: float) -> None:
        """Whole messages: datagrams, or what the framer cut from a stream."""
        if self.takeover.awaited:
            self.takeover.note_arrivals(batch, now)
        for data, flow in batch:
            # RFC 5626 4.4, RFC 7118 6: those of a stream are its framer's, and STUN is for datagrams.
            if not flow.is_stream and is_keep_alive(data):
                self._ingress_filter.receive_keep_alive(data, flow)
            else:
                self._receive(data, flow, now, self._slot_ownership.is_shared)

    def _receive(self, data: bytes, flow: Flow, now: float, is_shared: bool) -> None:
        """A message; `is_shared`: it may be a sibling's. A fault of ours costs this message only."""
        try:
            self._handle(data, flow, now, is_shared)
        except Exception as error:
            self._node.faults.note("a message", data, error, now)
            recover_message(data, flow, self._syntax, self._node, now)

    def _handle(self, data: bytes, flow: Flow, now: float, is_shared: bool) -> None:
        verdict = LET_IN
        if self._overload_controller.is_refusing:
            # Whether it is turned away is for the owner to say.
            if is_shared and self._group.hand_over(data, flow, find_call_id(data)):
                return
            verdict = self._ingress_filter.look_at(data, flow, now)
            if verdict == TURNED_AWAY:
                self.traffic.request_received(data[: data.find(b" ")])
                return
        try:
            message = parse(data, self._syntax)
            if is_shared and self._group.hand_over(data, flow, message.read_call_id()):
                return
            if isinstance(message, Request):
                self._receive_request(message, flow, now, verdict == UNREADABLE)
            else:
                self._receive_response(message, now)
        except MalformedMessage as fault:
            self._ingress_filter.refuse_malformed(fault, flow)

    def _receive_request(self, request: Request, flow: Flow, now: float, is_unjudged: bool) -> None:
        self.counters[REQUESTS_RECEIVED] += 1
        self.traffic.request_received(request.method)
        stamp_received(request, flow)
        server = self._transactions.server_for(request)
        if server is not None:
            self._transactions.receive_request(server, request, now)
        elif not (is_unjudged and self._ingress_filter.turns_away(request, flow, now)):
            self._proxy.receive_request(request, flow, now)

    def _receive_response(self, response: Response, now: float) -> None:
        self.counters[RESPONSES_RECEIVED] += 1
        via = response.read_top_via()
        # RFC 3261 18.1.2
        if not self._node.names.is_own_sent_by(via.host, via.port):
            self.counters[DROPPED_NOT_OUR_VIA] += not self.node_flows.returns(response, now)
            return
        self.traffic.response_received(response.read_cseq_method(), response.status)
        client = self._transactions.client_for(response)
        if client is None:
            if not self.node_flows.returns(response, now):
                self._proxy.receive_stray_response(response, now)
            return
        # RFC 3261 16.7 step 3: without a Via below ours there is no previous hop. Our CANCEL and OPTIONS have one Via.
        if client.user is not None and is_last_via(response) and not isinstance(client.user, OptionsKeepAlive):
            raise MalformedMessage(400, "No Via Below Ours")
        self._proxy.receive_response(client, response, now)

    # -- messages of the bus -------------------------------------------------------------------------

    def receive_messages(self, batch: Sequence[tuple[ProcessId, BusMessage]], now: float) -> None:
        """What siblings and the supervisor sent."""
        is_astray = False
        for sender, message in batch:
            try:
                is_astray |= self._receive_message(sender, message, now)
            except Exception as error:
                self._node.faults.note(f"a bus message, {type(message).__name__}", b"", error, now)
                # Whose the slots are is known in part only.
                self.is_sound = self.is_sound and not isinstance(message, SlotsChanged)
        if is_astray:
            # The sender went by another table: all else of the call will come to its owner.
            self._moving.move_calls(now)

    def _receive_message(self, sender: ProcessId, message: BusMessage, now: float) -> bool:
        """One of them; True when it was sent by an older table of slots."""
        if isinstance(message, HandedOver):
            self.counters[HANDED_OVER_RECEIVED] += 1
            return self._receive_handed_over(message, now)
        if isinstance(message, CallsMoved):
            return self._moving.receive_calls(message, now)
        if isinstance(message, SendByConnection):
            self._transactions.outbox.append(message.outgoing)
        elif isinstance(message, SlotsChanged):
            self._moving.receive_slots(message.table, message.live, now)
        elif isinstance(message, ForgetSubscriber):
            self._node.subscribers.forget(message.username)
        elif isinstance(message, BusRequest):
            self._group.tell(sender, self._answer(message, now))
        elif isinstance(message, (FlowMessage, SendFailed)):
            if response := self.node_flows.receive(message, now):
                self._receive(response, FROM_OTHER_NODE, now, self._slot_ownership.is_shared)
        else:
            self._group.receive(sender, message)
        return False

    def _receive_handed_over(self, message: HandedOver, now: float) -> bool:
        """Handle it as ours; True when the call is a sibling's by now."""
        is_astray = self._moving.is_astray(message, now)
        self._receive(message.data, message.flow, now, is_astray and self._moving.has_left(message.data, self._syntax))
        return is_astray

    def take_rate_demand(self) -> dict[str, dict[str, list[int]]]:
        """What was asked of each rate limit since the last call; {} when nothing was."""
        return self._node.rate_limits.take_demand()

    def receive_rate_shares(self, shares: dict[str, dict[str, float]]) -> None:
        """What this worker may let in of each rate limit, as the supervisor deals it."""
        self._node.rate_limits.receive_shares(shares)

    @property
    def authentication_failures(self) -> AuthenticationFailures:
        """Wrong passwords, as far as this worker knows."""
        return self._node.failures

    def end_registrations(self, username: bytes, realm: bytes, now: float) -> None:
        """A subscriber was removed: its contacts are ended, and what is remembered of it goes."""
        end_registrations(self._node, username, realm, now)

    def adopt(self, snapshots: Sequence[bytes], now: float) -> None:
        """Go on with calls that another worker was setting up."""
        if snapshots:
            self._proxy.adopt(snapshots, now)

    def calls_unmoved(self, message: CallsMoved, now: float) -> None:
        """The bus did not take calls that were to follow their slots: they stay, and are moved a little later."""
        self.adopt(message.snapshots, now)
        self._move_at = now + MOVE_AGAIN_S

    def _answer(self, request: BusRequest[Any], now: float) -> BusReply:
        """What an operator wants to know of this worker, or to have done."""
        inspected = Inspected(self._node, self._proxy, self._slot_ownership, self._syntax)
        try:
            reply = answer_request(inspected, request, now)
        except Exception as error:
            self._node.faults.note(f"a request, {type(request).__name__}", b"", error, now)
            reply = Refusal("A software fault prevents the answer.", "see `show logging`")
        reply.id = request.id
        return reply

    # -- answers, failures, time ---------------------------------------------------------------------

    def receive_answers(self, batch: Sequence[Answer], now: float) -> None:
        """Answers to questions_to_ask; each question is answered once."""
        for answer in batch:
            try:
                self._node.pending_lookups.answered(answer, now, self._proxy.waiter_failed)
            except Exception as error:
                self._node.faults.note("an answer", b"", error, now)

    def receive_failures(self, batch: Sequence[Outgoing], now: float) -> None:
        """What could not be sent (RFC 3261 18.4); a sibling may have asked for it."""
        for outgoing in batch:
            self.counters[SEND_FAILED] += 1
            try:
                if (again := as_datagram(outgoing)) is not None and self._node.next_hops.is_way(again.flow):
                    self._transactions.outbox.append(again)
                elif outgoing.branch and not self._proxy.fail(outgoing.branch, now):
                    self.node_flows.send_failed(outgoing)
            except Exception as error:
                self._node.faults.note("a message that could not be sent", outgoing.data, error, now)

    def connections_changed(self, opened: Sequence[Flow], closed: Sequence[Flow]) -> None:
        """Stream connections of this worker that may be used by others, and that may no longer."""
        self._group.connections.changed(opened, closed)

    def connections_untold(self, news: ConnectionsChanged, now: float) -> None:
        """The bus had no room for what siblings should have heard of our connections."""
        self._group.connections.untold(news, now)

    def handle_timers(self, now: float) -> None:
        """Everything that is due."""
        self._transactions.handle_timers(now)
        self._proxy.handle_timers(now)
        try:
            if self._move_at <= now:
                self._move_at = NEVER
                self._moving.move_calls(now)
            if self._tidy_at <= now:
                self._tidy_at = now + TIDY_INTERVAL_S
                self._tidy(now)
        except Exception as error:
            self._node.faults.note("a timer", b"", error, now)

    def _tidy(self, now: float) -> None:
        if self._node.faults.is_unchecked:
            # A look at all entries: once a second at most, whatever a stranger sends.
            self._node.faults.is_unchecked = False
            self.is_sound = self.is_sound and self._transactions.is_sound()
        self._overload_controller.rest(now)
        self.takeover.tidy(now)
        self._node.failures.expire(now)
        self._node.pending_lookups.ask_again()

    def next_timer(self) -> float:
        """The monotonic moment at which handle_timers wants to be called next."""
        due = min(self._tidy_at, self._commits.due, self._move_at, self._transactions.next_timer())
        if self._slot_ownership.siblings or self._kept_calls.addresses:
            early = self._proxy.early.next_deadline()
            if early is not None and early < due:
                due = early
        return due

    # -- outputs -------------------------------------------------------------------------------------

    def outputs(self, now: float) -> Outputs:
        """All of what follows, since the last call."""
        return Outputs(
            self.datagrams_to_send(now),
            self.snapshots_to_keep(now),
            self.messages_to_send(now),
            self.questions_to_ask(),
            self.next_timer(),
            () if self._node.events is None else self._node.events.take(),
            self._kept_calls.take_copies(),
        )

    def datagrams_to_send(self, now: float) -> list[Outgoing]:
        """Messages for the wire; those of a sibling's connection go to the bus. Registrations are written before."""
        self._commit(now)
        outgoings = self._transactions.outbox
        if not outgoings:
            return []
        self._transactions.outbox = []
        responses = elsewhere = 0
        for outgoing in outgoings:
            flow = outgoing.flow
            if (flow.is_stream or flow.process != NO_PROCESS) and self._goes_elsewhere(outgoing, now):
                # The worker that sends it counts it.
                elsewhere += 1
            else:
                responses += self.traffic.sent(outgoing.data)
        self.counters[RESPONSES_SENT] += responses
        self.counters[REQUESTS_SENT] += len(outgoings) - elsewhere - responses
        if not elsewhere:
            return outgoings
        own, stranded = self._group.pass_on(outgoings)
        # What failed may have made more to send: the next hop of a branch.
        return own + self._reopened(stranded, now) + self.datagrams_to_send(now)

    def _goes_elsewhere(self, outgoing: Outgoing, now: float) -> bool:
        """Name the connection by which a message goes: is it a sibling's?"""
        try:
            return self._group.direct(outgoing)
        except Exception as error:
            self._node.faults.note("the way of a message", outgoing.data, error, now)
            return False

    def _reopened(self, stranded: Sequence[Outgoing], now: float) -> list[Outgoing]:
        """Connections died with their worker: a response opens a new one (RFC 3261 18.2.2), a request fails (18.4)."""
        again = []
        for outgoing in stranded:
            if (response := reopened(outgoing)) is None:
                self.receive_failures([outgoing], now)
            else:
                self.counters[RESPONSES_SENT] += self.traffic.sent(response.data)
                again.append(response)
        return again

    def _commit(self, now: float) -> None:
        try:
            self._commits.commit(now)
        except Exception as error:
            self._node.faults.note("a reply that had waited", b"", error, now)

    def messages_to_send(self, now: float) -> list[tuple[ProcessId, BusMessage]]:
        """(destination, message) for the bus since the last call."""
        return self._group.messages_to_send(now)

    def questions_to_ask(self) -> list[Question]:
        """Questions for the world since the last call."""
        return self._node.pending_lookups.questions_to_ask()

    def snapshots_to_keep(self, now: float = 0.0) -> list[Snapshot]:
        """(key, slot, snapshot) of each call whose setting up has come further; b"" where none is needed any more."""
        return self._kept_calls.take(now)

    def make_events(self, is_wanted: bool) -> None:
        """Give out what happens to calls and registrations (`Outputs.events`), or no more."""
        self._node.make_events(is_wanted)

    def gauges(self) -> dict[str, int]:
        """How full the tables are, by name."""
        return {**self._node.gauges(), "replies_held": len(self._proxy.held)}

    def alarms(self, now: float) -> list[str]:
        """What the operator should know: the name of an alarm, and a sentence."""
        found = self._commits.alarms(now)
        if overload := self._overload_controller.overload():
            found.append(f"{OVERLOAD} {overload}")
        if fault := self._node.faults.alarm(now):
            found.append(f"{SOFTWARE_FAULT} {fault}")
        return found

    # -- faults of ours ------------------------------------------------------------------------------

    def note_fault(self, doing: str, about: bytes, error: Exception, now: float) -> None:
        """A fault of this worker outside of the stack; it is counted and told as one of the stack's own."""
        self._node.faults.note(doing, about, error, now)

    def faults_to_log(self) -> list[SoftwareFault]:
        """Faults since the last call, as far as they are to be logged."""
        return self._node.faults.take()
