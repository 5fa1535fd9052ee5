"""What the transactions of one worker share, and what clients and servers have in common.

The layer is the way out (`outbox`), the timers and the counters; the table is its one kind.
"""

from __future__ import annotations

from typing import Final

from appliance.catalogue.counters import COUNTERS, RETRANSMISSIONS_RECEIVED, RETRANSMISSIONS_SENT
from appliance.sip.traffic_counts import TrafficCounts
from appliance.transaction.machines import IGNORED, INPUT_COUNT, Do, Input, State
from appliance.transaction.timers import Timer, Timers, TimerSettings
from appliance.transport.flow import Flow, Outgoing

# The tables' numbers as plain integers, which compiled code keeps in C (see the .pxd).
_INPUTS: Final = INPUT_COUNT
_IGNORED: Final = IGNORED
_INITIAL: Final = int(State.INITIAL)
_ACCEPTED: Final = int(State.ACCEPTED)
_TERMINATED: Final = int(State.TERMINATED)
_STARTS: Final = int(Do.START_A | Do.START_E | Do.START_G)
_ENDLESS: Final = int(Do.START_A | Do.RESET_A)
_OF_G: Final = int(Do.START_G | Do.RESET_G)
_RESET_E_TO_T2: Final = int(Do.RESET_E_TO_T2)
_TIMER_A: Final = int(Input.TIMER_A)
_TIMER_E: Final = int(Input.TIMER_E)
_TIMER_G: Final = int(Input.TIMER_G)
_SENT_AGAIN: Final = RETRANSMISSIONS_SENT
_RECEIVED_AGAIN: Final = RETRANSMISSIONS_RECEIVED


class TransactionLayer:
    """The surroundings of a transaction.

    `outbox` holds what is to be sent, in order; the code that drains it may put a new list in its place.
    `ignored_count` is how many inputs no row of a machine's table named; `pending` how many transactions have no final
    response yet (RFC 4780 sipCommonTransCurrentactions).
    """

    __slots__ = ("counters", "durations", "ignored_count", "outbox", "pending", "timers", "traffic")

    def __init__(self, durations: TimerSettings, counters: list[int] | None) -> None:
        self.durations = durations
        self.timers = Timers()
        self.outbox: list[Outgoing] = []
        self.counters: list[int] = [0] * len(COUNTERS) if counters is None else counters
        self.traffic = TrafficCounts()
        self.ignored_count = 0
        self.pending = 0

    def send(self, data: bytes, flow: Flow, key: bytes) -> None:
        """Put a message into the outbox; `key` is that of the transaction to which a failure is reported."""
        self.outbox.append(Outgoing(data, flow, key))

    def count_sent_again(self, data: bytes) -> None:
        """A message is a retransmission."""
        self.counters[_SENT_AGAIN] += 1
        self.traffic.sent_again(data)

    def count_received_again(self, method: bytes) -> None:
        """A request that has arrived is a retransmission."""
        self.counters[_RECEIVED_AGAIN] += 1
        self.traffic.request_received_again(method)

    def ended(self, transaction: Transaction) -> None:
        """A machine has reached TERMINATED (RFC 3261 17: destroy the transaction at once)."""
        raise NotImplementedError


class Transaction:
    """A key, a state, and two timers: one that repeats, one that is waited for."""

    __slots__ = ("_interval", "_layer", "_repeating", "_steps", "_waiting", "is_invite", "is_reliable", "key", "state")

    def _begin(
        self, layer: TransactionLayer, steps: tuple[int, ...], key: bytes, is_invite: bool, is_reliable: bool
    ) -> None:
        """What the kinds of transactions begin with."""
        self.key = key
        self.state: int = _INITIAL
        self.is_invite = is_invite
        self.is_reliable = is_reliable
        self._layer = layer
        self._steps = steps
        self._interval = 0.0
        self._repeating: Timer | None = None
        self._waiting: Timer | None = None
        layer.pending += 1

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.key!r}, {State(self.state).name})"

    def timer_fired(self, token: int, now: float) -> None:
        """A timer whose token is the input."""
        raise NotImplementedError

    def _find(self, what: int) -> int:
        """The step that the table has for an input; counted when there is none."""
        step = self._steps[self.state * _INPUTS + what]
        if step == _IGNORED:
            self._layer.ignored_count += 1
        return step

    def _repeat(self, do: int, now: float) -> None:
        """Set timer A, E or G; none of them on a reliable transport (RFC 3261 17.1.1.2, 17.1.2.2, 17.2.1)."""
        t2 = self._layer.durations.t2
        if do & _STARTS:
            if self.is_reliable:
                return
            self._interval = self._layer.durations.t1
        elif do & _RESET_E_TO_T2:
            self._interval = t2
        else:
            self._interval *= 2
            # RFC 3261 17.1.1.2: timer A has no cap but timer B.
            if self._interval > t2 and not do & _ENDLESS:
                self._interval = t2
        token = _TIMER_A if do & _ENDLESS else _TIMER_G if do & _OF_G else _TIMER_E
        self._repeating = self._layer.timers.start(self._interval, now, self, token)

    def _wait(self, token: int, duration_s: float, now: float) -> None:
        """Set the timer that is waited for, in the place of another."""
        if self._waiting is not None:
            self._layer.timers.cancel(self._waiting)
        self._waiting = self._layer.timers.start(duration_s, now, self, token)

    def discard(self) -> None:
        """A fault has left it half done: from now on it ignores all inputs."""
        self._stop_timers()
        if self.state < _ACCEPTED:
            self._layer.pending -= 1
        self.state = _TERMINATED

    def _stop_timers(self) -> None:
        if self._repeating is not None:
            self._layer.timers.cancel(self._repeating)
            self._repeating = None
        if self._waiting is not None:
            self._layer.timers.cancel(self._waiting)
            self._waiting = None
