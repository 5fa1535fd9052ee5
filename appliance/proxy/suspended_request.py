"""A request that waits, without a transaction, for an answer of the world at one of its stages.

Until the answer has come nothing is proved, so nothing but the request is kept, in a bounded table (`node.waiting`),
and nothing is sent: a refusal keeps no state at all (RFC 3261 8.2.7, 26.3.2.4), and an INVITE gets its 100 once it is
accepted. Retransmissions are absorbed. Of the request no snapshot is recorded: its sender has had no answer and repeats
it by UDP. When slots move between workers that live, it moves with them.
"""

from __future__ import annotations

from typing import Protocol

from appliance.catalogue.counters import DROPPED_EXPIRED
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.request_context import RequestContext
from appliance.proxy.snapshots import packed_request, write_snapshot
from appliance.routing.lookup_questions import Answer


class Decider(Protocol):
    """What goes on with a request: the proxy."""

    def go_on(self, context: RequestContext, stage: str, now: float) -> None:
        """Run the stages from the one of this name on, and do what they say."""


class SuspendedRequest:
    """One request that waits."""

    __slots__ = ("_context", "_decider", "_node", "_sent_until", "_stage", "key")

    def __init__(
        self, context: RequestContext, stage: str, key: bytes, decider: Decider, node: ProxyEnvironment, now: float
    ) -> None:
        """`stage`: the name of the one that asks; `key`: that of the transaction which it may get."""
        self._stage = stage
        self._context = context
        self.key = key
        self._decider = decider
        self._node = node
        # RFC 3261 17.1.1.2, 17.1.2.2: timers B and F are one.
        self._sent_until = now + node.transactions.durations.b
        node.waiting[key] = self

    @property
    def call_id(self) -> bytes:
        """What names the call, and the worker that owns it."""
        return self._context.request.read_call_id()

    @property
    def way_in(self) -> int:
        """The place of the listener that the request came in by."""
        return self._context.flow.listener

    def snapshot(self) -> bytes:
        """The request and the stage that asked; b"" for one that was cancelled, which is not worth moving."""
        if self._context.is_cancelled:
            return b""
        node = self._node
        request = packed_request(node, self._context)
        targets = list(self._context.targets)
        names = node.names.listener_names
        return write_snapshot(node.packer, names, request, self._stage, b"", False, False, 0.0, [], [], targets, [])

    def relinquish(self, now: float) -> None:
        """Another worker goes on, or the request is refused: wait no more."""
        del self._node.waiting[self.key]

    def answer_arrived(self, answer: Answer, now: float) -> None:
        """Decide again at the stage that asked, unless the request is over."""
        if self._node.waiting.get(self.key) is not self:
            return
        self.relinquish(now)
        if now >= self._sent_until:
            # RFC 3261 17.1.1.2: the sender has given up, and a call would ring with no caller.
            self._node.counters[DROPPED_EXPIRED] += 1
            return
        self._context.answer = answer
        self._decider.go_on(self._context, self._stage, now)

    def cancel(self) -> None:
        """RFC 3261 9.2: answered 487 when it would be forwarded, for then its sender is proved."""
        self._context.is_cancelled = True

    @property
    def context(self) -> RequestContext:
        """The request, and what has become of it."""
        return self._context
