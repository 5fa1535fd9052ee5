"""What is turned away at the door: malformed messages, and what comes while the worker has more to do than it can do
(RFC 3261 16.3 step 1, 21.5.4; RFC 6357).

Of the latter, only what begins something new is turned away: a request whose transaction is not known here, and that no
token of ours proves to belong to a dialog that was answered (see dialogs.py). A To tag alone proves nothing. It gets a
503 with Retry-After at once, of which nothing is kept. The ACK that answers such a 503 is known by its To tag, and ends
here. Responses, ACK, CANCEL and requests of a dialog always come in.

Most messages are judged at a glance, for a refusal must cost a small part of what it saves.
"""

from __future__ import annotations

from typing import Final

from appliance.catalogue.counters import (
    DROPPED_MALFORMED,
    KEEPALIVES_RECEIVED,
    REFUSED_MALFORMED,
    REFUSED_OVERLOAD,
    REGISTRATIONS_DEFERRED,
    REQUESTS_RECEIVED,
)
from appliance.overload.overload_controller import OverloadController
from appliance.proxy.dialogs import TOKEN_MARK, is_expected
from appliance.proxy.environment import ProxyEnvironment
from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Request
from appliance.sip.names import CALL_ID
from appliance.sip.quick_parse import Glance, glance_at, refusal_of
from appliance.sip.via import Via, parse_via
from appliance.sip.writer import write_response
from appliance.transaction.keys import has_cookie
from appliance.transport.flow import Flow, Outgoing
from appliance.transport.keep_alives import KEEP_ALIVE_LEN_MAX
from appliance.transport.stun import binding_answer
from appliance.transport.via import response_flow, stamp_received, stamped_via

LET_IN: Final = 0
TURNED_AWAY: Final = 1
# Not to be judged at a glance: `turns_away` is asked when the message has been parsed.
UNREADABLE: Final = 2

_STATUS: Final = 503
_REASON: Final = b"Overloaded"
_STATUS_LINE: Final = b"SIP/2.0 503 Overloaded\r\n"


class IngressFilter:
    """Stands at the door of one stack. Ask only while `admission.is_refusing` whether to let in."""

    __slots__ = ("_counters", "_keys", "_node", "_transactions", "_waiting", "overload_controller")

    def __init__(self, overload_controller: OverloadController, node: ProxyEnvironment) -> None:
        self.overload_controller = overload_controller
        self._node = node
        self._transactions = node.transactions
        # What waits without a transaction, by the key that it would have.
        self._waiting = node.waiting
        self._keys = node.keys
        self._counters = node.counters

    # -- at a glance ---------------------------------------------------------------------------------

    def look_at(self, data: bytes, flow: Flow, now: float) -> int:
        """LET_IN, TURNED_AWAY or UNREADABLE: what becomes of a message just as it came."""
        if data.startswith(b"SIP/2.0 "):
            return LET_IN
        if data.startswith(b"ACK "):
            return self._look_at_ack(data)
        glance = glance_at(data)
        if glance is None:
            return UNREADABLE
        if glance.method == b"CANCEL":
            return LET_IN
        if glance.has_to_tag and TOKEN_MARK in data:
            return UNREADABLE
        try:
            via = parse_via(glance.top_via)
        except MalformedMessage:
            return UNREADABLE
        if not has_cookie(via.branch):
            return UNREADABLE
        # RFC 3261 17.2.3: what came before and comes again is no news.
        key = b"|".join((via.branch, via.sent_by, glance.method))
        if key in self._transactions.servers or key in self._waiting:
            return LET_IN
        if self.overload_controller.admits(now):
            return LET_IN
        self._refuse_at_a_glance(glance, via, flow, now)
        return TURNED_AWAY

    def _look_at_ack(self, data: bytes) -> int:
        # The mark is ours alone, so it stands in the To tag.
        if self._keys.refusal_mark not in data:
            return LET_IN
        self._counters[REQUESTS_RECEIVED] += 1
        return TURNED_AWAY

    def _refuse_at_a_glance(self, glance: Glance, via: Via, flow: Flow, now: float) -> None:
        self._counters[REQUESTS_RECEIVED] += 1
        tag = self._keys.refusal_tag(glance.top_via, glance.call_id)
        via = stamped_via(via, flow)
        retry_after = b"Retry-After: %d\r\n" % self._retry_after_s(glance.method, now)
        response = refusal_of(glance, _STATUS_LINE, via.text, tag, (retry_after,))
        self._transactions.outbox.append(Outgoing(response, response_flow(via, flow), b""))

    # -- parsed --------------------------------------------------------------------------------------

    def turns_away(self, request: Request, flow: Flow, now: float) -> bool:
        """The same for a request that was UNREADABLE; stamped, and no transaction knows it. True: it is answered."""
        if request.method == b"ACK" or request.method == b"CANCEL":
            return False
        if is_expected(request, flow, self._node, now) or self.overload_controller.admits(now):
            return False
        tag = self._keys.refusal_tag(request.read_top_via().text, request.first(CALL_ID) or b"")
        headers = (b"Retry-After: %d\r\n" % self._retry_after_s(request.method, now),)
        response = write_response(request, _STATUS, _REASON, headers, to_tag=tag)
        self._transactions.outbox.append(Outgoing(response, response_flow(request.read_top_via(), flow), b""))
        return True

    def _retry_after_s(self, method: bytes, now: float) -> int:
        self._counters[REFUSED_OVERLOAD] += 1
        if method != b"REGISTER":
            return self.overload_controller.retry_after_s()
        self._counters[REGISTRATIONS_DEFERRED] += 1
        return self.overload_controller.appointment_s(now)

    # -- keep-alives ---------------------------------------------------------------------------------

    def receive_keep_alive(self, data: bytes, flow: Flow) -> None:
        """A datagram that is no message; a STUN request is answered (RFC 5626 5.4, 8)."""
        if len(data) > KEEP_ALIVE_LEN_MAX:
            answer = binding_answer(data, *flow.remote)
            if not answer:
                self._counters[DROPPED_MALFORMED] += 1
                return
            self._transactions.outbox.append(Outgoing(answer, flow, b""))
        self._counters[KEEPALIVES_RECEIVED] += 1

    # -- malformed -----------------------------------------------------------------------------------

    def refuse_malformed(self, fault: MalformedMessage, flow: Flow) -> None:
        """Answer what can be answered (RFC 3261 16.3 step 1, 18.3), count and drop the rest."""
        request = fault.message
        if not isinstance(request, Request) or request.method == b"ACK":
            self._counters[DROPPED_MALFORMED] += 1
            return
        self._counters[REFUSED_MALFORMED] += 1
        to_tag = self._keys.fault_tag(request)
        answer_flow = _answer_flow(request, flow)
        response = write_response(request, fault.status, fault.reason.encode(), to_tag=to_tag)
        self._transactions.outbox.append(Outgoing(response, answer_flow, b""))


def _answer_flow(request: Request, flow: Flow) -> Flow:
    """Where the refusal of a malformed request goes: by its Via, which is stamped, if that can be read, else back."""
    try:
        # RFC 3261 18.2.1, RFC 3581 4
        stamp_received(request, flow)
        return response_flow(request.read_top_via(), flow)
    except MalformedMessage:
        return flow
