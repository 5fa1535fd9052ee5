"""A simulated phone: registers with digest, calls, is called, repeats what is lost (RFC 3261 8, 10, 13, 15, 17, 22)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.flows.peers import credentials
from tests.flows.wire import Message, address, parameter, read
from tests.simulation.schedule import Schedule

T1_S, T2_S = 0.5, 4.0
GIVE_UP_S = 64 * T1_S
# A caller's own patience: longer than timer C of any proxy.
PATIENCE_S = 300.0
CHALLENGES_MAX = 6
DOMAIN = "example.com"

Answered = Callable[[Message | None], None]


@dataclass
class Call:
    """What became of one call, written down by both ends."""

    call_id: str
    plan: str
    outcome: str = ""
    answered_at: float = 0.0
    is_answered_by_callee: bool = False
    has_caller_the_answer: bool = False


@dataclass
class Sending:
    """A request under way."""

    request: Message
    answered: Answered
    is_heard: bool = False
    final: Message | None = None
    ack: bytes = b""


class Phone:
    """One user agent at one address."""

    def __init__(
        self,
        name: str,
        at: str,
        schedule: Schedule,
        random: Random,
        send: Callable[[bytes], None],
        calls: dict[str, Call],
    ) -> None:
        self.name = name
        self.at = at
        self.registered = 0
        self.refused: list[int] = []
        self._schedule = schedule
        self._random = random
        self._send = send
        self._calls = calls
        self._sendings: dict[tuple[str, str], Sending] = {}
        self._answers: dict[tuple[str, str], bytes] = {}
        self._ringing: dict[tuple[str, str], Message] = {}
        self._unacknowledged: set[str] = set()
        self._count = 0
        self._nonces: dict[str, int] = {}

    # -- requests ------------------------------------------------------------------------------------

    def register(self, expires_s: int = 3600) -> None:
        """Bind this phone's address to its user."""
        request = self._request("REGISTER", f"sip:{DOMAIN}", f"reg-{self.name}", f"<sip:{self.name}@{DOMAIN}>")
        request.add("Contact", f"<sip:{self.name}@{self.at}>")
        request.add("Expires", str(expires_s))
        self._transact(request, self._registered)

    def _registered(self, final: Message | None) -> None:
        if final is not None and final.status == 200:
            self.registered += 1
        else:
            self.refused.append(final.status if final is not None else 0)

    def call(self, other: str, plan: str) -> Call:
        """Call another phone. `plan`: `talk`, or `cancel` to give up while it rings."""
        self._count += 1
        call = Call(f"{self.name}-{self._count}@{self._random.random()}", plan)
        self._calls[call.call_id] = call
        request = self._request("INVITE", f"sip:{other}@{DOMAIN}", call.call_id, f"<sip:{other}@{DOMAIN}>")
        request.add("Contact", f"<sip:{self.name}@{self.at}>")
        self._transact(request, lambda final: self._call_ended(call, final))
        self._schedule.after(PATIENCE_S, lambda: self._lose_patience(call))
        if plan == "cancel":
            self._schedule.after(self._random.uniform(0.01, 3.0), lambda: self._cancel(call))
        return call

    def _call_ended(self, call: Call, final: Message | None) -> None:
        """The INVITE has its final response, None when no answer came."""
        if final is None:
            call.outcome = call.outcome or "no response"
        elif final.status >= 300:
            call.outcome = call.outcome or f"refused {final.status}"
        elif not call.has_caller_the_answer:
            call.has_caller_the_answer = True
            call.answered_at = self._schedule.now
            self._schedule.after(self._random.uniform(0.5, 60.0), lambda: self._hang_up(call, final))

    def _lose_patience(self, call: Call) -> None:
        if not call.outcome and not call.has_caller_the_answer:
            call.outcome = "abandoned"

    def _hang_up(self, call: Call, answer: Message) -> None:
        bye = self._in_dialog("BYE", answer, answer.cseq + 1)
        self._transact(bye, lambda final: self._hung_up(call, final))

    @staticmethod
    def _hung_up(call: Call, final: Message | None) -> None:
        call.outcome = f"ended {final.status if final is not None else 'without an answer'}"

    def _cancel(self, call: Call) -> None:
        for sending in list(self._sendings.values()):
            request = sending.request
            if request.method == "INVITE" and request.first("Call-ID") == call.call_id and sending.final is None:
                if not sending.is_heard:
                    # RFC 3261 9.1: not before a provisional response.
                    self._schedule.after(0.5, lambda: self._cancel(call))
                    return
                cancel = Message(f"CANCEL {request.uri} SIP/2.0")
                for name in ("Via", "Max-Forwards", "From", "To", "Call-ID"):
                    cancel.add(name, request.first(name))
                cancel.add("CSeq", f"{request.cseq} CANCEL")
                self._transact(cancel, lambda final: None)

    def _request(self, method: str, uri: str, call_id: str, to: str) -> Message:
        self._count += 1
        request = Message(f"{method} {uri} SIP/2.0")
        request.add("Via", self._via())
        request.add("Max-Forwards", "70")
        request.add("From", f"<sip:{self.name}@{DOMAIN}>;tag=f{self._count}{self.name}")
        request.add("To", to)
        request.add("Call-ID", call_id)
        request.add("CSeq", f"{self._count} {method}")
        return request

    def _via(self) -> str:
        self._count += 1
        return f"SIP/2.0/UDP {self.at};branch=z9hG4bK{self.name}-{self._count}"

    def _in_dialog(self, method: str, answer: Message, number: int) -> Message:
        """RFC 3261 12.2.1.1, 13.2.2.4: a request of the caller."""
        request = Message(f"{method} {address(answer.first('Contact'))} SIP/2.0")
        request.add("Via", self._via())
        for route in reversed(answer.values("Record-Route")):
            request.add("Route", route)
        request.add("Max-Forwards", "70")
        for name in ("From", "To", "Call-ID"):
            request.add(name, answer.first(name))
        request.add("CSeq", f"{number} {method}")
        return request

    # -- client transactions -------------------------------------------------------------------------

    def _transact(self, request: Message, answered: Answered, challenges: int = 0) -> None:
        request.put("Content-Length", "0")
        sending = Sending(request, lambda final: self._answered(request, final, answered, challenges))
        self._sendings[request.transaction] = sending
        self._repeat(sending, T1_S, self._schedule.now + GIVE_UP_S)

    def _repeat(self, sending: Sending, interval_s: float, until: float) -> None:
        """Timers A and E, B and F (RFC 3261 17.1)."""
        is_invite = sending.request.method == "INVITE"
        if sending.final is not None or (is_invite and sending.is_heard):
            return
        if self._schedule.now >= until:
            sending.final = sending.request
            sending.answered(None)
            return
        self._send(sending.request.write())
        longer = interval_s * 2 if is_invite else min(interval_s * 2, T2_S)
        self._schedule.after(interval_s, lambda: self._repeat(sending, longer, until))

    def _answered(self, request: Message, final: Message | None, answered: Answered, challenges: int) -> None:
        """Try again with credentials where that is asked for (RFC 3261 22.2, 22.3)."""
        if final is None or final.status not in (401, 407) or challenges >= CHALLENGES_MAX:
            answered(final)
            return
        again = Message(request.start, [(name, value) for name, value in request.headers if name != "Via"])
        again.headers.insert(0, ("Via", self._via()))
        again.put("CSeq", f"{request.cseq + 1} {request.method}")
        self._count = max(self._count, request.cseq + 1)
        self._authorize(again, final)
        self._transact(again, answered, challenges + 1)

    def _authorize(self, request: Message, challenge: Message) -> None:
        name = "WWW-Authenticate" if challenge.status == 401 else "Proxy-Authenticate"
        offered = dict(re.findall(r'(\w+)="?([^",]*)', challenge.first(name)))
        count = self._nonces[offered["nonce"]] = self._nonces.get(offered["nonce"], 0) + 1
        algorithm, uri = offered["algorithm"], request.uri
        value = credentials(request, self.name, "secret", offered, algorithm, "auth", f"{count:08x}", uri)
        request.put("Authorization" if challenge.status == 401 else "Proxy-Authorization", value)

    # -- what arrives --------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """A datagram."""
        message = read(data)
        if message.status:
            self._receive_response(message)
        elif message.method == "ACK":
            self._unacknowledged.discard(_leg(message))
        else:
            self._receive_request(message)

    def _receive_response(self, response: Message) -> None:
        sending = self._sendings.get(response.transaction)
        if sending is None:
            return
        sending.is_heard = True
        if response.status < 200:
            return
        if response.method == "INVITE":
            self._acknowledge(sending, response)
        if sending.final is None:
            sending.final = response
            sending.answered(response)

    def _acknowledge(self, sending: Sending, final: Message) -> None:
        """RFC 3261 13.2.2.4 for a 2xx, 17.1.1.3 for the rest; the same octets for each repetition."""
        if not sending.ack:
            sending.ack = self._ack(sending.request, final).write()
        self._send(sending.ack)

    def _ack(self, invite: Message, final: Message) -> Message:
        if final.status < 300:
            ack = self._in_dialog("ACK", final, invite.cseq)
        else:
            ack = Message(f"ACK {invite.uri} SIP/2.0")
            for name, source in (
                ("Via", invite),
                ("Max-Forwards", invite),
                ("From", invite),
                ("To", final),
                ("Call-ID", invite),
            ):
                ack.add(name, source.first(name))
            ack.add("CSeq", f"{invite.cseq} ACK")
        ack.add("Content-Length", "0")
        return ack

    def _receive_request(self, request: Message) -> None:
        if request.transaction in self._answers:
            self._send(self._answers[request.transaction])
        elif request.method == "INVITE":
            self._ring(request)
        elif request.method == "CANCEL":
            self._receive_cancel(request)
        else:
            self._answer(request, 200)

    def _answer(self, request: Message, status: int) -> None:
        response = Message(f"SIP/2.0 {status} Simulated")
        for name, value in request.headers:
            if name in ("Via", "From", "Call-ID", "CSeq") or (name == "Record-Route" and status < 300):
                response.add(name, value)
            elif name == "To":
                response.add(name, value if parameter(value, "tag") or status == 100 else f"{value};tag={self.name}")
        if request.method == "INVITE" and status < 300:
            response.add("Contact", f"<sip:{self.name}@{self.at}>")
        response.add("Content-Length", "0")
        self._answers[request.transaction] = response.write()
        self._send(response.write())

    # -- being called --------------------------------------------------------------------------------

    def _ring(self, invite: Message) -> None:
        self._ringing[invite.transaction] = invite
        if self._random.random() < 0.9:
            self._answer(invite, 180)
        else:
            self._answer(invite, 100)
        picks_up = self._random.random() < 0.8
        self._schedule.after(self._random.uniform(0.0, 5.0), lambda: self._decide(invite, 200 if picks_up else 486))

    def _decide(self, invite: Message, status: int) -> None:
        """The one final response of an INVITE: who comes first, the user or a CANCEL, decides."""
        if self._ringing.pop(invite.transaction, None) is None:
            return
        call = self._calls[invite.first("Call-ID")]
        call.is_answered_by_callee = call.is_answered_by_callee or status == 200
        self._unacknowledged.add(_leg(invite))
        self._answer_until_ack(invite, status, _leg(invite), T1_S, self._schedule.now + GIVE_UP_S)

    def _answer_until_ack(self, invite: Message, status: int, leg: str, interval_s: float, until: float) -> None:
        """Timer G (RFC 3261 17.2.1), and 13.3.1.4 for the 2xx."""
        if leg in self._unacknowledged and self._schedule.now < until:
            self._answer(invite, status)
            longer = min(interval_s * 2, T2_S)
            self._schedule.after(interval_s, lambda: self._answer_until_ack(invite, status, leg, longer, until))

    def _receive_cancel(self, cancel: Message) -> None:
        """RFC 3261 9.2."""
        invite = (cancel.transaction[0], cancel.first("CSeq").replace("CANCEL", "INVITE"))
        self._answer(cancel, 200 if invite in self._answers else 481)
        if invite in self._ringing:
            self._decide(self._ringing[invite], 487)


def _leg(message: Message) -> str:
    """What an ACK and its INVITE have in common at this end."""
    return f"{message.first('Call-ID')} {message.cseq}"
