"""Which node owns the virtual address of a listener: datagrams leave from there by that node (design 4).

A NAT lets in only what comes from the address that its phone has sent to, and the kernel of a node lets nothing out
from an address that another node owns. So a request to a phone that registered by UDP at such an address is given to
the owner. The owner is looked up whenever something is sent: an address may go to another node at any time.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.messages.membership import NO_MEMBER
from appliance.transport.flow import Flow
from appliance.transport.process_id import NO_PROCESS, ProcessId, node_of, process_id, worker_of
from appliance.worker_group.node_connections import NodeConnections


class AddressOwners:
    """As worker `process` knows them. Until it is told of owners, all addresses are its node's."""

    __slots__ = ("_is_told", "_node", "_nodes", "_numbers", "_owners", "_worker")

    def __init__(self, process: ProcessId, nodes: NodeConnections) -> None:
        self._node = node_of(process)
        self._worker = worker_of(process)
        self._nodes = nodes
        self._numbers: tuple[int, ...] = ()
        self._owners: dict[int, int] = {}
        self._is_told = False

    def use(self, numbers: Sequence[int]) -> None:
        """Which listener is at which address: by place, the number of a virtual address or 0."""
        self._numbers = tuple(numbers) if any(numbers) else ()

    def told(self, addresses: Sequence[int], owners: Sequence[int]) -> None:
        """The owner of each virtual address, NO_MEMBER for none that is known."""
        self._owners = dict(zip(addresses, owners, strict=True))
        self._is_told = True

    def gained(self, address: int) -> None:
        """This node owns it from now on."""
        self._owners[address] = self._node

    def lost(self, address: int) -> None:
        """This node owns it no more; who does is not known yet."""
        if self._owners.get(address) == self._node:
            del self._owners[address]

    def way(self, flow: Flow) -> Flow | None:
        """The way of a datagram now: from here, or by the node that owns the address of its listener.

        None where no owner is known, or where the owner cannot be reached.
        """
        number = self._numbers[flow.listener] if flow.listener < len(self._numbers) else 0
        if not number or not self._is_told:
            return _by(flow, NO_PROCESS)
        owner = self._owners.get(number, NO_MEMBER)
        if owner == self._node:
            return _by(flow, NO_PROCESS)
        if owner == NO_MEMBER:
            return None
        # Any worker of the owner can send it; those of this node take different ones.
        process = process_id(owner, self._worker)
        return _by(flow, process) if self._nodes.can_reach(process) else None


def _by(flow: Flow, process: ProcessId) -> Flow:
    return flow if flow.process == process else Flow(flow.transport, flow.listener, flow.remote, process)
