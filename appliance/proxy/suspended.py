"""A request that waits for an answer of the world at one of its stages.

Knows nothing of what is asked.
"""

from __future__ import annotations

from typing import Protocol

from appliance.catalogue.counters import CALLS_CANCELLED
from appliance.proxy.node import Node
from appliance.proxy.request_context import RequestContext
from appliance.proxy.snapshots import FORWARDED, packed_request, write_snapshot
from appliance.routing.questions import Answer, SubscriberAnswer
from appliance.sip.message import Request
from appliance.transaction.machines import State
from appliance.transaction.transaction import ServerTransaction


class Decider(Protocol):
    """Who goes on with a request: the proxy."""

    def decide(self, context: RequestContext, now: float) -> None:
        """Run the stages from the context's position on, and act on the answer."""

    def refuse(self, context: RequestContext, status: int, now: float) -> None:
        """Answer the request with a final status."""


class Suspended:
    """The transaction user of a request's server transaction while it waits, and of one that was refused after that.

    Of an INVITE a snapshot is kept: its caller has the 100 and will not send it again. Whoever adopts it asks again.
    """

    __slots__ = ("_context", "_decider", "_is_over", "_node", "_server")

    def __init__(self, context: RequestContext, server: ServerTransaction, decider: Decider, node: Node) -> None:
        self._context = context
        self._decider = decider
        self._server = server
        self._node = node
        self._is_over = False
        self._changed()

    def _changed(self) -> None:
        if self._server.is_invite:
            self._node.changed_calls[self._server.key] = self

    @property
    def call_id(self) -> bytes:
        """What names the call, and the worker that owns it."""
        return self._context.request.call_id

    def snapshot(self) -> bytes:
        """The request and the stage that asked, or what it was answered; b"" when nothing may matter any more."""
        position, answer = FORWARDED, b""
        if self._server.state == State.PROCEEDING:
            position = self._context.position
        elif self._server.state == State.COMPLETED:
            answer = self._server.last_response
        else:
            return b""
        packer = self._node.packer
        return write_snapshot(packer, packed_request(packer, self._context), position, answer, False, False, [], [])

    def relinquish(self, now: float) -> None:
        """Another worker goes on: end without a word."""
        self._is_over = True
        self._node.transactions.abandon(self._server, now)

    def answer_arrived(self, answer: Answer, now: float) -> None:
        """Decide again at the stage that asked, unless the request is over."""
        assert isinstance(answer, SubscriberAnswer)
        if not self._is_over:
            self._is_over = True
            self._context.found = answer
            self._decider.decide(self._context, now)
            self._note_refusal()

    def cancel(self, now: float) -> None:
        """RFC 3261 9.2: nothing has been sent yet, so the request ends here."""
        if not self._is_over:
            self._is_over = True
            self._node.counters[CALLS_CANCELLED] += 1
            self._decider.refuse(self._context, 487, now)
            self._note_refusal()

    def _note_refusal(self) -> None:
        """Unless somebody else has it now, the request was answered: nobody may ask for it again."""
        if self._server.user is self:
            self._changed()

    def ack_arrived(self, server: ServerTransaction, request: Request, now: float) -> None:
        """Nothing has been answered yet that an ACK could mean."""

    def server_ended(self, server: ServerTransaction, now: float) -> None:
        """The answer comes too late, or was given and acknowledged."""
        self._is_over = True
        self._changed()
