"""Which worker of another node holds which stream connection, and what that node is told of ours.

A phone that registered over a connection is called over it (RFC 3261 18.1.1), whichever node the call comes to. What is
known here is a hint, as between siblings: the holder knows. A registration may be here before the news of its
connection, so one that is not known is no reason not to ask the holder. Connections of a node without a link are not
used.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

from appliance.messages.flow_messages import NamedFlow, WorkerConnections
from appliance.messages.membership import NO_MEMBER
from appliance.transport.flow import NO_CONNECTION, Flow, Way
from appliance.transport.process_id import NO_PROCESS, ProcessId, node_of
from appliance.transport.transport_table import is_stream
from appliance.worker_group.lost_connections import LostConnections

# Connections in one message, and those of all other nodes that one worker remembers.
BATCH_MAX: Final = 500
CONNECTIONS_MAX: Final = 262_144
NEVER: Final = float("inf")


class NodeConnections:
    """The connections of other nodes, as worker `process` knows them. Until `use_links` there are no other nodes."""

    __slots__ = (
        "_by_way",
        "_changes",
        "_count",
        "_held",
        "_is_linked",
        "_list_at",
        "_lost",
        "_names",
        "_process",
    )

    def __init__(self, process: ProcessId) -> None:
        self._process = process
        self._names: tuple[str, ...] = ()
        self._is_linked: Callable[[int], bool] | None = None
        self._held: dict[ProcessId, dict[int, Flow]] = {}
        self._by_way: dict[Way, Flow] = {}
        self._count = 0
        self._changes: dict[int, Flow | None] = {}
        self._list_at = NEVER
        self._lost = LostConnections()

    def __len__(self) -> int:
        return self._count

    @property
    def is_used(self) -> bool:
        """Are there other nodes?"""
        return self._is_linked is not None

    def use_links(self, is_linked: Callable[[int], bool]) -> None:
        """There are other nodes; `is_linked`: is the link to one of them up?"""
        self._is_linked = is_linked
        self.list_anew()

    def use_names(self, names: Sequence[str]) -> None:
        """The names of the listeners at their places."""
        self._names = tuple(names)

    # -- of other nodes ------------------------------------------------------------------------------

    def receive(self, message: WorkerConnections, now: float) -> int:
        """What the worker of another node has opened and closed. Returns how many there was no room for."""
        process = message.process
        held = self._held.setdefault(process, {})
        before = list(held.values()) if message.is_anew else [held[n] for n in message.closed if n in held]
        self._forget(held, [flow.connection for flow in before])
        refused = sum(not self._note_opened(held, process, named) for named in message.opened)
        if not held:
            del self._held[process]
        self._lost.add((flow for flow in before if flow.connection not in held), now)
        return refused

    def lost_by(self, node: int, places: Collection[int], now: float) -> list[Flow]:
        """The connections at listeners at these places that a node, NO_MEMBER for any, had lately, and those that it
        has as far as it is known: a virtual address that has left it has left them.
        """
        held = [flows for process, flows in self._held.items() if node in (NO_MEMBER, node_of(process))]
        still = [flow for flows in held for flow in flows.values() if flow.listener in places]
        return [*self._lost.of_node(node, places, now), *still]

    def _note_opened(self, held: dict[int, Flow], process: ProcessId, named: NamedFlow) -> bool:
        if not named.listener or named.listener not in self._names:
            return True
        if self._count >= CONNECTIONS_MAX:
            return False
        flow = self._flow(named, process)
        self._forget(held, [named.connection])
        held[named.connection] = self._by_way[flow.way()] = flow
        self._count += 1
        return True

    def _forget(self, held: dict[int, Flow], numbers: Sequence[int]) -> None:
        for number in numbers:
            flow = held.pop(number, None)
            if flow is None:
                continue
            self._count -= 1
            if self._by_way.get(flow.way()) is flow:
                del self._by_way[flow.way()]

    def is_of_other_node(self, process: ProcessId) -> bool:
        """Is it a process of another node?"""
        return process != NO_PROCESS and node_of(process) != node_of(self._process)

    def can_reach(self, process: ProcessId) -> bool:
        """Can something be sent by a process of another node now?"""
        return self._is_linked is not None and self.is_of_other_node(process) and self._is_linked(node_of(process))

    def open_flow(self, flow: Flow) -> Flow | None:
        """The connection that a registration of another node names, where it might take a message; None where its node
        cannot be reached. The holder says if it is gone.

        The listener has its place here. Of a connection that is not known yet it has the place at the holder, which
        differs only where one of both nodes has been started since a listener was removed.
        """
        if not flow.connection or not self.can_reach(flow.process):
            return None
        return self._held.get(flow.process, {}).get(flow.connection, flow)

    def way_by(self, way: Way) -> Flow | None:
        """The flow to a remote address that a node has a connection to; None where there is none."""
        flow = self._by_way.get(way)
        if flow is None or not self.can_reach(flow.process):
            return None
        return Flow(flow.transport, flow.listener, flow.remote, flow.process, NO_CONNECTION, flow.name)

    # -- flows with the name of their listener -------------------------------------------------------

    def named(self, flow: Flow) -> NamedFlow:
        """A flow as other nodes understand it."""
        host, port = flow.remote
        name = self._names[flow.listener] if flow.listener < len(self._names) else ""
        return NamedFlow(flow.transport, name, host, port, flow.connection, flow.name)

    def own_flow(self, named: NamedFlow) -> Flow | None:
        """A flow of this worker that another node has named; None where there is no listener of that name."""
        if not named.listener or named.listener not in self._names:
            return None
        return self._flow(named, self._process if is_stream(named.transport) else NO_PROCESS)

    def _flow(self, named: NamedFlow, process: ProcessId) -> Flow:
        place = self._names.index(named.listener)
        return Flow(named.transport, place, (named.host, named.port), process, named.connection, named.name)

    # -- of ours -------------------------------------------------------------------------------------

    def opened(self, flow: Flow) -> None:
        """A connection of this worker may be used."""
        if self._is_linked is not None:
            self._changes[flow.connection] = flow

    def closed(self, flow: Flow) -> None:
        """It may be used no longer."""
        if self._is_linked is not None:
            self._changes[flow.connection] = None

    def list_anew(self, at: float = 0.0) -> None:
        """Who passes our news on knows nothing, or has missed some: tell all there is, not before a monotonic moment.
        """
        if self._is_linked is not None:
            self._list_at = at

    def news(self, own: Collection[Flow], now: float) -> list[WorkerConnections]:
        """What other nodes are to be told since the last call; `own`: all connections that there are."""
        is_anew = now >= self._list_at
        if not self._changes and not is_anew:
            return []
        if is_anew:
            self._list_at = NEVER
        changes, self._changes = self._changes, {}
        opened = own if is_anew else [flow for flow in changes.values() if flow is not None]
        closed = [] if is_anew else [number for number, flow in changes.items() if flow is None]
        named = [self.named(flow) for flow in opened]
        portions = [named[at : at + BATCH_MAX] for at in range(0, len(named), BATCH_MAX)] or [[]]
        news = [WorkerConnections(self._process, portion) for portion in portions]
        news[0].is_anew, news[0].closed = is_anew, closed
        return news
