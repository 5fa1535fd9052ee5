"""Output that a worker sends an operator in several replies for a limited time: copies of messages, and events.

One of each at a time: the later request ends the earlier one, and its sender is told so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from appliance import clock
from appliance.catalogue.settings import ListenerSettings
from appliance.messages.bus_messages import BusMessage
from appliance.messages.worker_requests import (
    CapturedMessages,
    StartCapture,
    StopCapture,
    StopEvents,
    WatchedEvents,
    WatchEvents,
)
from appliance.stack import Stack
from appliance.transport.process_id import NO_PROCESS, ProcessId
from appliance.workers.event_watch import EventWatch
from appliance.workers.message_capture import MessageCapture
from appliance.workers.turn import Turn
from appliance.workers.worker_parts import MessageBus

# Last replies that wait for a connection to the process that asked.
UNSENT_MAX: Final = 8


class LiveOutput:
    """`listeners`: asked for those in force, at their places."""

    def __init__(
        self, stack: Stack, turn: Turn, bus: MessageBus, listeners: Callable[[], tuple[ListenerSettings, ...]]
    ) -> None:
        self._stack = stack
        self._turn = turn
        self._bus = bus
        self._listeners = listeners
        # Who is sent it, and the id of the request.
        self._capture_for: tuple[ProcessId, int] = (NO_PROCESS, 0)
        self._events_for: tuple[ProcessId, int] = (NO_PROCESS, 0)
        self._unsent: deque[tuple[ProcessId, BusMessage]] = deque(maxlen=UNSENT_MAX)

    @property
    def is_on(self) -> bool:
        """Is anything to be sent now and then?"""
        return self._turn.mirror is not None or self._turn.event_watch is not None or bool(self._unsent)

    def takes(self, sender: ProcessId, message: BusMessage) -> bool:
        """Begin or end what a message asks for; False where it asks for nothing of the kind."""
        if isinstance(message, StartCapture):
            self._start_capture(sender, message)
        elif isinstance(message, StopCapture):
            if self._capture_for == (sender, message.capture):
                self._turn.mirror = None
        elif isinstance(message, WatchEvents):
            self._start_events(sender, message)
        elif isinstance(message, StopEvents):
            if self._events_for == (sender, message.watch):
                self._drop_events()
        else:
            return False
        return True

    def send(self, now: float) -> None:
        """Send what there is, and end what is over."""
        for _ in range(len(self._unsent)):
            self._send_last(*self._unsent.popleft())
        self._send_captured(now)
        self._send_events(now)

    def _start_capture(self, sender: ProcessId, request: StartCapture) -> None:
        self._end_capture()
        until = clock.monotonic() + request.seconds
        self._turn.mirror = MessageCapture(
            request.address, request.call_id, request.messages_max, until, self._listeners
        )
        self._capture_for = (sender, request.id)

    def _send_captured(self, now: float) -> None:
        capture = self._turn.mirror
        if capture is None:
            return
        if capture.is_over(now):
            self._end_capture()
            return
        messages = capture.take()
        if messages:
            sender, request = self._capture_for
            self._bus.send(sender, [CapturedMessages(messages, capture.missed, False, id=request)])

    def _end_capture(self) -> None:
        capture = self._turn.mirror
        if capture is not None:
            sender, request = self._capture_for
            self._send_last(sender, CapturedMessages(capture.take(), capture.missed, True, id=request))
            self._turn.mirror = None

    def _start_events(self, sender: ProcessId, request: WatchEvents) -> None:
        self._end_events()
        self._turn.event_watch = EventWatch(request.user, clock.monotonic() + request.seconds, self._stack.counters)
        self._stack.make_events(True)
        self._events_for = (sender, request.id)

    def _send_events(self, now: float) -> None:
        watch = self._turn.event_watch
        if watch is None:
            return
        if watch.is_over(now):
            self._end_events()
            return
        events = watch.take()
        if events:
            sender, request = self._events_for
            if not self._bus.send(sender, [WatchedEvents(events, watch.missed, False, id=request)]):
                watch.note_missed(len(events))

    def _end_events(self) -> None:
        watch = self._turn.event_watch
        if watch is not None:
            sender, request = self._events_for
            self._send_last(sender, WatchedEvents(watch.take(), watch.missed, True, id=request))
            self._drop_events()

    def _drop_events(self) -> None:
        self._turn.event_watch = None
        self._stack.make_events(False)

    def _send_last(self, sender: ProcessId, reply: BusMessage) -> None:
        """A reply that nothing follows: the bus has no connection yet to a process that asks for the first time."""
        if not self._bus.send(sender, [reply]):
            self._unsent.append((sender, reply))
