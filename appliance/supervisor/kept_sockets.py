"""Datagram sockets that outlive a restart of the service: systemd keeps them, and what arrives waits in them.

Without them a phone gets ICMP port unreachable, and may look for another server. They are kept where the
kernel steers: there the socket of worker n has index n in its group, which the next start counts upon. A virtual
address may be on another node by then, and connections have no request that is sent again: their sockets are not kept.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from typing import Final

from appliance.catalogue.transports import TRANSPORTS
from appliance.service_manager import ServiceManager
from appliance.supervisor.listening_sockets import Endpoint, Group, ListeningSockets

PREFIX: Final = "socket-"


class FormerSockets:
    """Those of the start before this one, by name; the descriptors become ours."""

    def __init__(self, descriptors: Mapping[str, int]) -> None:
        self.names = tuple(descriptors)
        self._sockets = {name: socket.socket(fileno=fd) for name, fd in descriptors.items()}

    def has_port_of(self, endpoint: Endpoint) -> bool:
        """Is the port ours already? No foreign program has it then."""
        return any(
            (opened.family, opened.type, opened.getsockname()[1]) == (endpoint.family, endpoint.kind, endpoint.port)
            for opened in self._sockets.values()
        )

    def take(self, endpoint: Endpoint, workers: int) -> list[socket.socket]:
        """The sockets of the first workers; at most so many, fewer where one is missing."""
        taken: list[socket.socket] = []
        while len(taken) < workers and (found := self._sockets.pop(_name(endpoint, len(taken)), None)):
            taken.append(found)
        return taken

    def close(self) -> None:
        """Close the others: no listener uses them."""
        for opened in self._sockets.values():
            opened.close()
        self._sockets.clear()


class SocketKeeping:
    """Has the service manager keep the datagram sockets of a node. Call `tend` in each cycle."""

    def __init__(self, manager: ServiceManager, sockets: ListeningSockets, former: FormerSockets) -> None:
        """`former`: what it keeps already."""
        self._manager = manager
        self._sockets = sockets
        self._told: dict[str, socket.socket | None] = dict.fromkeys(former.names)

    def tend(self) -> None:
        """Tell it what has changed."""
        wanted: dict[str, socket.socket | None] = {}
        for group in self._sockets.groups:
            wanted.update(_kept_of(group))
        if wanted == self._told:
            return
        self._manager.let_go(name for name in self._told if name not in wanted)
        changed = {name: opened for name, opened in wanted.items() if self._told.get(name) is not opened}
        self._manager.keep({name: opened.fileno() for name, opened in changed.items() if opened is not None})
        self._told = wanted


def _kept_of(group: Group) -> Iterator[tuple[str, socket.socket]]:
    endpoint = group.endpoint
    if group.is_steered and not endpoint.is_virtual:
        for worker, opened in group.sockets:
            yield _name(endpoint, worker), opened


def _name(endpoint: Endpoint, worker: int) -> str:
    """sd_pid_notify_with_fds(3): no colons."""
    address = endpoint.address.replace(":", "_")
    return f"{PREFIX}{TRANSPORTS[endpoint.transport].name}-{address}-{endpoint.port}-{worker}"
