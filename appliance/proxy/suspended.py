"""A request that waits for an answer of the world at one of its stages.

Knows nothing of what is asked.
"""

from __future__ import annotations

from typing import Protocol

from appliance.proxy.request_context import RequestContext
from appliance.routing.questions import Answer, SubscriberAnswer
from appliance.sip.message import Request
from appliance.transaction.transaction import ServerTransaction


class Decider(Protocol):
    """Who goes on with a request: the proxy."""

    def decide(self, context: RequestContext, now: float) -> None:
        """Run the stages from the context's position on, and act on the answer."""

    def refuse(self, context: RequestContext, status: int, now: float) -> None:
        """Answer the request with a final status."""


class Suspended:
    """The transaction user of a request's server transaction while it waits."""

    __slots__ = ("_context", "_decider", "_is_over")

    def __init__(self, context: RequestContext, decider: Decider) -> None:
        self._context = context
        self._decider = decider
        self._is_over = False

    def answer_arrived(self, answer: Answer, now: float) -> None:
        """Decide again at the stage that asked, unless the request is over."""
        assert isinstance(answer, SubscriberAnswer)
        if not self._is_over:
            self._is_over = True
            self._context.found = answer
            self._decider.decide(self._context, now)

    def cancel(self, now: float) -> None:
        """RFC 3261 9.2: nothing has been sent yet, so the request ends here."""
        if not self._is_over:
            self._is_over = True
            self._decider.refuse(self._context, 487, now)

    def ack_arrived(self, server: ServerTransaction, request: Request, now: float) -> None:
        """Nothing has been answered yet that an ACK could mean."""

    def server_ended(self, server: ServerTransaction, now: float) -> None:
        """The answer comes too late."""
        self._is_over = True
