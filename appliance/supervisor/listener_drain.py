"""Listeners that are going away: what they have is finished first, then their sockets are closed everywhere.

A socket for connections is closed at once, so that new connections reach the new listener; connections that
are open, and datagrams, are served for as long as a drain may take. Then all workers and the supervisor close it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from appliance.catalogue.listener_ids import let_go, with_places
from appliance.catalogue.settings import ENDING, OPEN, Settings
from appliance.messages.bus_messages import BusMessage, CloseListeners, ListeningSocket
from appliance.supervisor.listening_sockets import Group, ListeningSockets


class Node(Protocol):
    """The supervisor, as far as a listener that ends needs it."""

    settings: Settings

    def processes_to_prepare(self) -> list[int]: ...
    def send(self, number: int, messages: Sequence[BusMessage]) -> bool: ...
    def log(self, sentence: str) -> None: ...


@dataclass(slots=True)
class _Ending:
    group: Group
    due_at: float


class ListenerDrain:
    """Call `note` when settings are in force, and `tend` in every cycle."""

    def __init__(self, node: Node, sockets: ListeningSockets) -> None:
        self._node = node
        self._sockets = sockets
        self._listener_drain: list[_Ending] = []

    def note(self, settings: Settings, now: float) -> None:
        """Note the sockets that no listener needs any more, and those that are needed again."""
        self._listener_drain = [ending for ending in self._listener_drain if not _is_wanted(ending.group, settings)]
        known = [ending.group for ending in self._listener_drain]
        for group in [group for group in self._sockets.groups if not _is_wanted(group, settings)]:
            if group.endpoint.is_stream:
                self._sockets.close_some([group])
            elif group not in known:
                self._listener_drain.append(_Ending(group, now + settings.supervision.drain_s))

    def tend(self, now: float) -> None:
        """Let go of what is over."""
        over = [ending.group for ending in self._listener_drain if now >= ending.due_at]
        settings = self._node.settings
        idle = self._idle_places(settings) if not self._listener_drain else []
        if over:
            self._listener_drain = [ending for ending in self._listener_drain if ending.group not in over]
            idle = self._idle_places(settings)
        if not over and not idle:
            return
        sockets = [ListeningSocket(group.endpoint.listener, group.endpoint.transport) for group in over]
        for number in self._node.processes_to_prepare():
            self._node.send(number, [CloseListeners(idle, sockets)])
        self._sockets.close_some(over)
        self._node.settings = with_places(settings, let_go(settings.listeners, idle))
        for group in over:
            self._node.log(f"Listener {group.endpoint.name} closed {group.endpoint}.")

    def _idle_places(self, settings: Settings) -> list[int]:
        """Places that end and have no sockets any more."""
        busy = {ending.group.endpoint.listener for ending in self._listener_drain}
        return [
            number
            for number, listener in enumerate(settings.listeners)
            if listener.standing == ENDING and number not in busy
        ]


def _is_wanted(group: Group, settings: Settings) -> bool:
    listener = settings.listeners[group.endpoint.listener]
    return listener.standing == OPEN and group.endpoint.transport in listener.transports
