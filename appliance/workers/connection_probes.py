"""Tells phones that their connection is gone, after this node has taken over their virtual address.

A phone that is idle hears nothing of it, and could not be called before it registers again. A segment of the very
connection, from the address and port that the phone knows, is answered by its kernel; the kernel of this node has no
such connection and resets it (RFC 9293 3.10.7.4). The segment is a SYN: to begin a connection needs no rights.

Phones connect and register again at once, so they are told one after the other: the rate is what this node can take.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from appliance.catalogue.counters import CONNECTIONS_PROBED
from appliance.catalogue.settings import ListenerSettings
from appliance.transport.flow import Flow
from appliance.workers.connection import socket_name

# Of this worker.
PROBES_PER_STEP: Final = 5
STEP_S: Final = 0.05
# The calls of the take-over come first, and the tables of the neighbours.
BEGIN_AFTER_S: Final = 1.0
PROBES_MAX: Final = 65_536

CallLater = Callable[[float, Callable[[], None]], object]


class ConnectionProbes:
    """`call_later(seconds, step)` is that of the loop."""

    def __init__(self, counters: list[int], call_later: CallLater) -> None:
        self._counters = counters
        self._call_later = call_later
        self._waiting: deque[tuple[ListenerSettings, Flow]] = deque(maxlen=PROBES_MAX)
        self._is_running = False

    def begin(self, flows: Sequence[Flow], listeners: Sequence[ListenerSettings]) -> None:
        """The connections of these flows are gone, and the addresses of their listeners are here."""
        self._waiting.extend((listeners[flow.listener], flow) for flow in flows)
        if self._waiting and not self._is_running:
            self._is_running = True
            self._call_later(BEGIN_AFTER_S, self._step)

    def stop(self, address: str) -> None:
        """The address has gone to another node."""
        left = [item for item in self._waiting if item[0].address != address]
        self._waiting.clear()
        self._waiting.extend(left)

    def _step(self) -> None:
        for _ in range(min(PROBES_PER_STEP, len(self._waiting))):
            listener, flow = self._waiting.popleft()
            # What cannot be sent costs this phone only, which finds it out by itself.
            with suppress(OSError):
                _send_segment(listener, flow)
                self._counters[CONNECTIONS_PROBED] += 1
        self._is_running = bool(self._waiting)
        if self._is_running:
            self._call_later(STEP_S, self._step)


def _send_segment(listener: ListenerSettings, flow: Flow) -> None:
    """Begin a connection and forget it at once: nothing is sent by that. Raises OSError."""
    name = socket_name(flow.remote)
    with socket.socket(socket.AF_INET if len(name) == 2 else socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        # The listening sockets have the port as well.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        probe.bind((listener.address, listener.port))
        with suppress(BlockingIOError):
            probe.connect(name)
