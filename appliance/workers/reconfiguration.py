"""A worker's part in a change of the configuration: prepare, then put it in force or discard it.

What is prepared has been read, checked and wrapped, so that taking effect can only fail by a fault of ours. Until
then nothing is different. Sockets that come with a document are closed again when nothing comes of it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

from appliance import clock
from appliance.catalogue.errors import ConfigError
from appliance.catalogue.listener_ids import let_go, placed_by_names, with_places
from appliance.catalogue.settings import OPEN, ListenerSettings, Settings
from appliance.catalogue.transports import TRANSPORT_NUMBERS
from appliance.configuration.text import parse_configuration
from appliance.ipc.launch_document import LaunchError, receive_document
from appliance.messages.bus_messages import (
    Abandon,
    Abandoned,
    CloseListeners,
    Prepared,
    RolloutReport,
    TakeEffect,
    TookEffect,
)
from appliance.sip.parser import syntax_limits
from appliance.stack import Stack
from appliance.tls_contexts import TlsContexts
from appliance.transport.transport_table import is_stream
from appliance.workers.accepting_sockets import Endpoint
from appliance.workers.datagram_sockets import DatagramSockets
from appliance.workers.datagrams import DatagramSocket
from appliance.workers.lookups import Questions
from appliance.workers.streams import Streams

# Sources and destinations that each datagram socket remembers, about 300 bytes each.
FLOWS_CACHED_MAX: Final = 32768

log = logging.getLogger("signalbox.worker")


@dataclass(slots=True)
class _Prepared:
    revision: int
    settings: Settings | None = None
    contexts: TlsContexts | None = None
    datagram_fds: dict[int, int] = field(default_factory=dict)
    listening: dict[Endpoint, socket.socket] = field(default_factory=dict)

    def take(self, sockets: list[list[int]], fds: list[int]) -> None:
        for (listener, transport), fd in zip(sockets, fds, strict=True):
            if is_stream(transport):
                self.listening[listener, transport] = socket.socket(fileno=fd)
            else:
                self.datagram_fds[listener] = fd

    def close(self) -> None:
        for fd in self.datagram_fds.values():
            os.close(fd)
        for opened in self.listening.values():
            opened.close()


class WorkerReconfiguration:
    """`send` passes a report on to the supervisor; False when the bus does not take it.

    `in_force` is called with settings that took effect.
    """

    def __init__(
        self,
        settings: Settings,
        stack: Stack,
        doors: DatagramSockets,
        streams: Streams,
        questions: Questions,
        send: Callable[[RolloutReport], bool],
        in_force: Callable[[Settings], None],
    ) -> None:
        self._settings = settings
        self._stack = stack
        self._doors = doors
        self._streams = streams
        self._questions = questions
        self._send = send
        self._untold: RolloutReport | None = None
        """The last report, as long as the bus does not take it: a worker that starts is not connected yet."""
        self._in_force = in_force
        self._prepared: _Prepared | None = None
        self._abandoned = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def listeners(self) -> tuple[ListenerSettings, ...]:
        """The listeners in force, at their places."""
        return self._settings.listeners

    def read_door(self, door: socket.socket) -> None:
        """Prepare what came by the door. Raises EOFError when the supervisor has closed it."""
        try:
            document, fds = receive_document(door)
        except LaunchError as wrong:
            log.error("%s", wrong)
            return
        prepared = _Prepared(int(document["revision"]))
        prepared.take(document["sockets"], fds)
        self._forget()
        if prepared.revision <= self._abandoned:
            prepared.close()
            return
        self._prepared, fault = prepared, ""
        try:
            prepared.settings = self._read(document)
            prepared.contexts = self._contexts_of(prepared.settings)
        except (ConfigError, KeyError, ValueError, OSError) as found:
            self._forget()
            fault = str(found)
        self._tell(Prepared(prepared.revision, fault))

    def _read(self, document: dict[str, Any]) -> Settings:
        wanted = parse_configuration(document["config_text"])
        return with_places(wanted, placed_by_names(wanted.listeners, document["places"], self._settings.listeners))

    def _contexts_of(self, settings: Settings) -> TlsContexts:
        """Those of TLS; a certificate that cannot be used is a fault of the configuration. Raises ConfigError."""
        contexts = TlsContexts(settings, self._streams.handshakes.contexts)
        if contexts.faults:
            raise ConfigError(contexts.faults)
        return contexts

    def take_effect(self, order: TakeEffect) -> None:
        """Go by what was prepared. A worker that has prepared nothing for it cannot follow: it has to start anew."""
        prepared = self._prepared
        if prepared is None or prepared.settings is None or prepared.revision != order.revision:
            self._forget()
            raise RuntimeError(f"revision {order.revision} was not prepared here")
        self._prepared = None
        settings = self._settings = prepared.settings
        for listener, fd in prepared.datagram_fds.items():
            self._doors.add(listener, DatagramSocket(fd, listener, FLOWS_CACHED_MAX))
        assert prepared.contexts is not None
        self._streams.handshakes.reconfigure(prepared.contexts, settings.tls)
        self._apply(settings)
        endpoints = product(range(len(settings.listeners)), TRANSPORT_NUMBERS)
        self._streams.stop_listening([endpoint for endpoint in endpoints if not self.is_listening(*endpoint)])
        for endpoint, listening in prepared.listening.items():
            self._start(endpoint, listening)
        self._tell(TookEffect(order.revision))

    def _apply(self, settings: Settings) -> None:
        limits = settings.limits
        self._stack.reconfigure(settings, clock.monotonic())
        self._streams.reconfigure(settings.listeners, limits, syntax_limits(settings.syntax))
        self._questions.reconfigure(limits)
        self._in_force(settings)

    def _start(self, endpoint: Endpoint, listening: socket.socket) -> None:
        task = asyncio.ensure_future(self._streams.listen(*endpoint, listening))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def is_listening(self, place: int, transport: int) -> bool:
        """Shall connections by this transport be accepted at that place?"""
        listener = self._settings.listeners[place]
        return listener.standing == OPEN and transport in listener.transports

    def close_listeners(self, order: CloseListeners) -> None:
        """Listeners that were going away have finished: close what they have."""
        for ended in order.sockets:
            if not is_stream(ended.transport):
                self._doors.remove(ended.listener)
        self._streams.let_go(order.listeners, clock.monotonic())
        self._settings = with_places(self._settings, let_go(self._settings.listeners, order.listeners))
        self._stack.reconfigure(self._settings, clock.monotonic())

    def abandon(self, order: Abandon) -> None:
        """Nothing comes of what was prepared, or is still to be read at the door."""
        self._abandoned = order.revision
        if self._prepared is not None and self._prepared.revision == order.revision:
            self._forget()
        self._tell(Abandoned(order.revision))

    def _tell(self, report: RolloutReport) -> None:
        # One that was not told yet is of no use beside a later one.
        self._untold = report
        self.tell_again()

    def tell_again(self) -> None:
        """Send the report that the bus has not taken, where there is one."""
        if self._untold is not None and self._send(self._untold):
            self._untold = None

    def _forget(self) -> None:
        if self._prepared is not None:
            self._prepared.close()
            self._prepared = None

    def close(self) -> None:
        """Leave nothing open."""
        self._forget()
        for task in self._tasks:
            task.cancel()
