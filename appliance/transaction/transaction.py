"""One transaction: a machine's state, and its deeds done on the messages (RFC 3261 17, RFC 6026).

`step` looks an input up in the machine's table and does what the row says, in this order: change state,
stop timers, send, start timers, let go of what the new state needs no more, tell the transaction user.
What waits out its last timer keeps the bytes to repeat and little else, for there are many of them.

A transaction has at most two timers at a time: one that repeats (A, E, G) and one that it waits for.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from appliance.sip.message import Message, Request, Response
from appliance.sip.names import CALL_ID, CONTENT_LENGTH, CSEQ, FROM, MAX_FORWARDS, ROUTE, TO, VIA
from appliance.sip.writer import write, write_response
from appliance.transaction.layer import Transaction, TransactionLayer
from appliance.transaction.machines import (
    IGNORED,
    INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    STATE_BITS,
    STATE_MASK,
    Do,
    Input,
    State,
    flatten,
)
from appliance.transport.flow import Flow

_INVITE_CLIENT: Final = flatten(INVITE_CLIENT)
_NON_INVITE_CLIENT: Final = flatten(NON_INVITE_CLIENT)
_INVITE_SERVER: Final = flatten(INVITE_SERVER)
_NON_INVITE_SERVER: Final = flatten(NON_INVITE_SERVER)

# The tables' numbers as plain integers, which compiled code keeps in C (see the .pxd).
_BITS: Final = STATE_BITS
_MASK: Final = STATE_MASK
_IGNORED: Final = IGNORED
_TRYING: Final = int(State.TRYING)
_CALLING: Final = int(State.CALLING)
_PROCEEDING: Final = int(State.PROCEEDING)
_ACCEPTED: Final = int(State.ACCEPTED)
_COMPLETED: Final = int(State.COMPLETED)
_TERMINATED: Final = int(State.TERMINATED)

_STOP_TIMERS: Final = int(Do.STOP_TIMERS)
_SEND_REQUEST: Final = int(Do.SEND_REQUEST)
_SEND_ACK: Final = int(Do.SEND_ACK)
_SEND_RESPONSE: Final = int(Do.SEND_RESPONSE)
_SEND_TRYING: Final = int(Do.SEND_TRYING)
_SEND_AGAIN: Final = int(Do.SEND_AGAIN)
_KEEP_SILENT: Final = int(Do.KEEP_SILENT)
_START_A: Final = int(Do.START_A)
_START_B: Final = int(Do.START_B)
_START_D: Final = int(Do.START_D)
_START_F: Final = int(Do.START_F)
_START_H: Final = int(Do.START_H)
_START_I: Final = int(Do.START_I)
_START_J: Final = int(Do.START_J)
_START_K: Final = int(Do.START_K)
_START_L: Final = int(Do.START_L)
_START_TRYING: Final = int(Do.START_TRYING)
_PASS_RESPONSE: Final = int(Do.PASS_RESPONSE)
_PASS_ACK: Final = int(Do.PASS_ACK)
_TELL_TIMEOUT: Final = int(Do.TELL_TIMEOUT)
_TELL_TRANSPORT_ERROR: Final = int(Do.TELL_TRANSPORT_ERROR)

_SENDS: Final = _SEND_REQUEST | _SEND_ACK | _SEND_RESPONSE | _SEND_TRYING | _SEND_AGAIN | _KEEP_SILENT
_REPEATS: Final = int(Do.START_A | Do.START_E | Do.START_G | Do.RESET_A | Do.RESET_E | Do.RESET_E_TO_T2 | Do.RESET_G)
_WAITS: Final = int(
    (Do.START_B | Do.START_D | Do.START_F | Do.START_H | Do.START_I | Do.START_J | Do.START_K | Do.START_L)
    | (Do.START_M | Do.START_TRYING | Do.START_EXPIRY)
)
_TELLS: Final = _PASS_RESPONSE | _PASS_ACK | _TELL_TIMEOUT | _TELL_TRANSPORT_ERROR

_REQUEST: Final = int(Input.REQUEST)
_TIMER_B: Final = int(Input.TIMER_B)
_TIMER_D: Final = int(Input.TIMER_D)
_TIMER_F: Final = int(Input.TIMER_F)
_TIMER_H: Final = int(Input.TIMER_H)
_TIMER_I: Final = int(Input.TIMER_I)
_TIMER_J: Final = int(Input.TIMER_J)
_TIMER_K: Final = int(Input.TIMER_K)
_TIMER_L: Final = int(Input.TIMER_L)
_TIMER_M: Final = int(Input.TIMER_M)
_TIMER_TRYING: Final = int(Input.TIMER_TRYING)
_TIMER_EXPIRY: Final = int(Input.TIMER_EXPIRY)


class ClientUser:
    """The transaction user of a client transaction. It may make and answer transactions in these calls."""

    __slots__ = ()

    def response_arrived(self, client: ClientTransaction, response: Response, now: float) -> None:
        """Provisional responses, and the final one; for INVITE every 2xx, as long as the transaction lasts."""
        raise NotImplementedError

    def timed_out(self, client: ClientTransaction, now: float) -> None:
        """Timer B or F: no response came. The transaction is gone."""
        raise NotImplementedError

    def transport_failed(self, client: ClientTransaction, now: float) -> None:
        """RFC 3261 17.1.4: the request, or the ACK to its failure, could not be sent. The transaction is gone."""
        raise NotImplementedError


class ServerUser(Protocol):
    """The transaction user of a server transaction."""

    def ack_arrived(self, server: ServerTransaction, request: Request, now: float) -> None:
        """RFC 6026 7.1: an ACK to the 2xx that looks like one of the INVITE's own; it is the user's to pass on."""

    def server_ended(self, server: ServerTransaction, now: float) -> None:
        """The transaction is gone. Not called once a request other than INVITE has its final response.

        `server.is_unacknowledged`: timer H, no ACK came. `server.is_undelivered`: a response could not be sent.
        """


class ClientTransaction(Transaction):
    """RFC 3261 17.1: a request sent, and what comes back.

    `request` is None, and `data` the ACK to repeat or empty, once a final response has come. `user` is
    None once there is nothing more to report. `branch` is `key`: what an Outgoing names to report failures.
    """

    __slots__ = ("data", "flow", "method", "repeats_left", "request", "user")

    def __init__(
        self, layer: TransactionLayer, key: bytes, request: Request, data: bytes, flow: Flow, user: ClientUser | None
    ) -> None:
        self.request: Request | None = request
        self.method = self.request.method
        self.data = data
        self.flow = flow
        self.user = user
        # How often it may be sent again to a peer that has not answered; -1: as often as timers A and E have it.
        self.repeats_left = -1
        is_invite = self.method == b"INVITE"
        steps = _INVITE_CLIENT if is_invite else _NON_INVITE_CLIENT
        self._begin(layer, steps, key, is_invite, self.flow.is_stream)

    def resume(self, is_proceeding: bool, now: float) -> None:
        """An INVITE that another worker sent; it is sent again only if nothing comes within T1 (timer A).

        `is_proceeding`: it has had a provisional response, so no timer runs (17.1.1.2).
        """
        if is_proceeding:
            self.state = _PROCEEDING
            return
        self.state = _CALLING
        self._repeat(_START_A, now)
        self._start_waiting(_START_B, now)

    def timer_fired(self, token: int, now: float) -> None:
        """One of timers A, B, D, E, F, K and M."""
        self.step(token, None, now)

    def step(self, what: int, response: Response | None, now: float) -> None:
        """Do what the machine says for an input; `response` belongs to PROVISIONAL, SUCCESS and FAILURE."""
        step = self._find(what)
        if step == _IGNORED:
            return
        before, do = self.state, step >> _BITS
        self.state = step & _MASK
        if before < _ACCEPTED <= self.state:
            self._layer.pending -= 1
        user = self.user
        if do & _STOP_TIMERS:
            self._stop_timers()
        if do & _SENDS:
            self._send(do, response)
        if do & _REPEATS:
            self._repeat(do, now)
        if do & _WAITS:
            self._start_waiting(do, now)
        if self.state != before and self.state >= _ACCEPTED:
            self._let_go()
        if do & _TELLS and user is not None:
            try:
                self._tell(do, user, response, now)
            except Exception:
                # After a fault it has to be found what this transaction was for.
                self.user = user
                raise

    def _send(self, do: int, response: Response | None) -> None:
        if do & _SEND_ACK:
            assert self.request is not None and response is not None
            self.data = write(ack_request(self.request, response))
        elif do & _SEND_AGAIN:
            if self.state <= _TRYING:
                if self.repeats_left == 0:
                    return
                self.repeats_left -= self.repeats_left > 0
            self._layer.count_sent_again(self.data)
        self._layer.send(self.data, self.flow, self.key)

    def _start_waiting(self, do: int, now: float) -> None:
        durations = self._layer.durations
        if do & _START_B:
            self._wait(_TIMER_B, durations.b, now)
        elif do & _START_F:
            self._wait(_TIMER_F, durations.f, now)
        elif do & _START_K:
            self._wait(_TIMER_K, 0.0 if self.is_reliable else durations.k_unreliable, now)
        elif do & _START_D:
            self._wait(_TIMER_D, 0.0 if self.is_reliable else durations.d_unreliable, now)
        else:
            self._wait(_TIMER_M, durations.m, now)

    def _let_go(self) -> None:
        """What a finished transaction needs no more; in COMPLETED an INVITE keeps its ACK and its user."""
        self.request = None
        if self.state == _TERMINATED:
            self._stop_timers()
            self._layer.ended(self)
        if self.state != _COMPLETED or not self.is_invite:
            self.data = b""
        if self.state == _TERMINATED or (self.state == _COMPLETED and not self.is_invite):
            self.user = None

    def _tell(self, do: int, user: ClientUser, response: Response | None, now: float) -> None:
        if do & _PASS_RESPONSE:
            assert response is not None
            user.response_arrived(self, response, now)
        elif do & _TELL_TIMEOUT:
            user.timed_out(self, now)
        else:
            user.transport_failed(self, now)


class ServerTransaction(Transaction):
    """RFC 3261 17.2: a request received, and what was answered.

    `request` is None once the final response is out. `last_response` is what a repeated request gets
    again, b"" when that is nothing. `response_flow` is where responses go. `user` may be set at any
    time, and is None when no user is left. `answers` is what the user keeps of the 2xx to an INVITE.
    """

    __slots__ = (
        "answers",
        "extension_key",
        "is_rfc2543",
        "is_unacknowledged",
        "is_undelivered",
        "last_response",
        "merged_key",
        "request",
        "response_flow",
        "response_to_tag",
        "user",
    )

    def __init__(
        self,
        layer: TransactionLayer,
        key: bytes,
        merged_key: bytes,
        request: Request,
        flow: Flow,
        user: ServerUser | None,
    ) -> None:
        self.request: Request | None = request
        self.response_flow = flow
        is_invite = self.request.method == b"INVITE"
        steps = _INVITE_SERVER if is_invite else _NON_INVITE_SERVER
        self._begin(layer, steps, key, is_invite, self.response_flow.is_stream)
        self.last_response = b""
        self.user = user
        self.merged_key = merged_key
        # See Transactions.extensions.
        self.extension_key = b""
        self.answers: tuple[Any, ...] = ()
        # RFC 3261 17.2.3: without the cookie an ACK is recognized by the To tag of the final response.
        self.is_rfc2543 = False
        self.response_to_tag = b""
        self.is_unacknowledged = False
        self.is_undelivered = False

    def timer_fired(self, token: int, now: float) -> None:
        """One of timers G, H, I, J and L, or of RFC 4320's two."""
        self.step(token, b"", None, now)

    def start(self, now: float | None) -> None:
        """The request that made it. Without `now` no timer of RFC 4320 runs."""
        if now is not None or self.is_invite:
            self.step(_REQUEST, b"", None, 0.0 if now is None else now)
        else:
            self.state = _TRYING

    @property
    def is_trying_due(self) -> bool:
        """May a 100 to a request other than INVITE be sent (RFC 4320 4.1)?"""
        return self.is_reliable or self.state != _TRYING

    def step(self, what: int, data: bytes, ack: Request | None, now: float) -> None:
        """Do what the machine says for an input; `data` is the user's response, `ack` the ACK of Input.ACK."""
        step = self._find(what)
        if step == _IGNORED:
            return
        before, do = self.state, step >> _BITS
        self.state = step & _MASK
        if before < _ACCEPTED <= self.state:
            self._layer.pending -= 1
        if do & _STOP_TIMERS:
            self._stop_timers()
        if do & _SENDS:
            self._send(do, data)
        if do & _REPEATS:
            self._repeat(do, now)
        if do & _WAITS:
            self._start_waiting(do, now)
        if do & _TELLS:
            self._tell(do, ack, now)
        if self.state != before and self.state >= _ACCEPTED:
            self._let_go(now)

    def _send(self, do: int, data: bytes) -> None:
        if do & _SEND_RESPONSE:
            self.last_response = data
        elif do & _SEND_TRYING:
            assert self.request is not None
            self.last_response = write_response(self.request, 100, b"Trying")
        elif do & _KEEP_SILENT:
            self.last_response = b""
        elif self.last_response:
            self._layer.count_sent_again(self.last_response)
        if self.last_response:
            self._layer.send(self.last_response, self.response_flow, self.key)
        # RFC 6026 7.1: the INVITE of a 2xx is absorbed; its user repeats the 2xx.
        if self.state == _ACCEPTED:
            self.last_response = b""

    def _start_waiting(self, do: int, now: float) -> None:
        durations = self._layer.durations
        if do & _START_J:
            self._wait(_TIMER_J, 0.0 if self.is_reliable else durations.j_unreliable, now)
        elif do & _START_L:
            self._wait(_TIMER_L, durations.l, now)
        elif do & _START_H:
            self._wait(_TIMER_H, durations.h, now)
        elif do & _START_I:
            self._wait(_TIMER_I, 0.0 if self.is_reliable else durations.i_unreliable, now)
        elif do & _START_TRYING:
            self._wait(_TIMER_TRYING, durations.trying, now)
        else:
            self._wait(_TIMER_EXPIRY, durations.f, now)

    def _tell(self, do: int, ack: Request | None, now: float) -> None:
        if do & _TELL_TIMEOUT:
            self.is_unacknowledged = True
        elif do & _TELL_TRANSPORT_ERROR:
            self.is_undelivered = True
        elif self.user is not None:
            assert ack is not None
            self.user.ack_arrived(self, ack, now)

    def _let_go(self, now: float) -> None:
        """What a finished transaction needs no more; its merged requests are found until it ends."""
        self.request = None
        if self.state == _TERMINATED:
            self._end(now)
        elif self.state == _COMPLETED:
            if not self.is_invite:
                self.user = None
        elif self.state != _ACCEPTED:
            self.last_response = b""

    def _end(self, now: float) -> None:
        self._stop_timers()
        self._layer.ended(self)
        self.last_response = b""
        user, self.user = self.user, None
        if user is not None:
            user.server_ended(self, now)


def ack_request(request: Request, response: Response) -> Request:
    """RFC 3261 17.1.1.3: the ACK to a final response other than 2xx of an INVITE."""
    return _hop_request(b"ACK", request, response)


def cancel_request(client: ClientTransaction) -> Request:
    """RFC 3261 9.1: the CANCEL of an INVITE that has had no final response yet."""
    request = client.request
    assert request is not None, "a CANCEL for a request that has its final response"
    return _hop_request(b"CANCEL", request, request)


def _hop_request(method: bytes, request: Request, answered: Message) -> Request:
    """What ACK and CANCEL of a request have in common: only its top Via, and its whole route set; To is as answered."""
    made = Request(method, request.uri_text)
    # RFC 3261 9.1, 17.1.1.3: so that it takes the same way and matches on arrival.
    made.append(VIA, request.read_top_via().text)
    made.append_from(request, ROUTE)
    made.append(MAX_FORWARDS, b"70")
    made.append_from(request, FROM)
    made.append_from(answered, TO)
    made.append_from(request, CALL_ID)
    made.append(CSEQ, b"%d %b" % (request.read_cseq_number(), method))
    made.append(CONTENT_LENGTH, b"0")
    return made
