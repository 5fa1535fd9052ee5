"""The listening sockets of a node: for each listener and transport one SO_REUSEPORT socket per worker.

The supervisor makes them, keeps the index of each in its group, and keeps them open when a worker ends:
datagrams wait there for its successor. A group without steering (streams; datagrams where the kernel takes
no program, or shall have none) loses the socket of a dead worker instead, so that the kernel's hash does not
choose it, and gets a new one for its successor.

Two appliances of one user could share a port by SO_REUSEPORT without a word, so the port is first bound
without it, as a trial.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from appliance.catalogue.settings import OPEN, ListenerSettings
from appliance.catalogue.transports import TRANSPORTS
from appliance.messages.slots import SlotTable
from appliance.supervisor import steering

BACKLOG: Final = 1024
WILDCARDS: Final = frozenset({"0.0.0.0", "::"})
SO_RCVBUFFORCE: Final = 33
# The kernel refuses a program longer than net.core.optmem_max (20480 before Linux 6.7); ours has 83,000 octets there.
OPTMEM_NEEDED: Final = 131072
# IP_FREEBIND of ip(7), and IPV6_FREEBIND: an address is bound that is on another machine now.
_FREEBIND: Final = {socket.AF_INET: (socket.IPPROTO_IP, 15), socket.AF_INET6: (socket.IPPROTO_IPV6, 78)}


class ListenFailed(OSError):
    """Some listeners cannot be opened; `sentences` has one for each."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A local address of a listener by one transport. `listener` is the listener's place. `is_virtual`: the address may
    be on another node now."""

    listener: int
    name: str
    transport: int
    address: str
    port: int
    is_virtual: bool = False

    def __str__(self) -> str:
        return f"{TRANSPORTS[self.transport].name.upper()} port {self.port} of {self.address}"

    @property
    def is_stream(self) -> bool:
        """Are there connections? Else the socket takes the datagrams themselves."""
        return TRANSPORTS[self.transport].is_stream

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET

    @property
    def kind(self) -> socket.SocketKind:
        return socket.SOCK_STREAM if self.is_stream else socket.SOCK_DGRAM


class FormerSockets(Protocol):
    """Those of the start before this one (kept_sockets.py)."""

    def has_port_of(self, endpoint: Endpoint) -> bool:
        """Is the port ours already? No foreign program has it then."""

    def take(self, endpoint: Endpoint, workers: int) -> list[socket.socket]:
        """The sockets of the first workers; at most so many, fewer where one is missing."""


class Group:
    """The sockets of one endpoint, by worker number; None while a worker has none."""

    def __init__(
        self, endpoint: Endpoint, workers: int, receive_buffer_len: int, former: Sequence[socket.socket] = ()
    ) -> None:
        """`former`: the sockets that the first workers have already. Raises OSError; nothing stays open then."""
        self.endpoint = endpoint
        self.is_steered = False
        """Does the kernel choose by slot?"""
        self.is_refused = False
        """Has the kernel ever refused to? Then it is not asked again."""
        self.refusal = ""
        """That in words."""
        self._receive_buffer_len = receive_buffer_len
        self._sockets: list[socket.socket | None] = list(former)
        self._order = list(range(len(former)))
        """The workers by the indexes of their sockets in the kernel's group."""
        try:
            for worker in range(workers):
                self.restore(worker)
        except OSError:
            self.close()
            raise
        if former:
            self._set_receive_buffers()

    @property
    def sockets(self) -> list[tuple[int, socket.socket]]:
        """The sockets there are, with the worker of each."""
        return [(worker, member) for worker, member in enumerate(self._sockets) if member is not None]

    def fd_of(self, worker: int) -> int:
        """The descriptor of the worker's socket, or -1."""
        member = self._sockets[worker]
        return -1 if member is None else member.fileno()

    def steer(self, table: SlotTable, seed: int) -> None:
        """Let the kernel choose by slot from now on, if there are sockets. Raises OSError when the kernel refuses."""
        member = next((member for member in self._sockets if member is not None), None)
        if member is None:
            return
        try:
            steering.attach(member, steering.call_id_program(table, seed, self._order))
        except OSError:
            self._leave_to_the_hash(member)
            raise
        self.is_steered = True

    def _leave_to_the_hash(self, member: socket.socket) -> None:
        self.is_refused = True
        if self.is_steered:
            self.is_steered = False
            steering.detach(member)

    def withdraw(self, worker: int) -> None:
        """Close the socket of a worker that has ended, so that the kernel's hash gives it nothing any more."""
        member = self._sockets[worker]
        if member is not None:
            member.close()
            self._sockets[worker] = None
            # The kernel fills the gap with the last socket of its group.
            self._order[self._order.index(worker)] = self._order[-1]
            self._order.pop()

    def restore(self, worker: int) -> None:
        """Make sure that the worker has a socket. Raises OSError."""
        while worker >= len(self._sockets):
            self._sockets.append(None)
        if self._sockets[worker] is None:
            self._sockets[worker] = _open_socket(self.endpoint, self._receive_buffer_len)
            self._order.append(worker)

    def trim(self, workers: int) -> None:
        """Keep the sockets of so many workers, from the first; those of the last go first, which moves no index."""
        while len(self._sockets) > workers:
            self.withdraw(len(self._sockets) - 1)
            self._sockets.pop()

    def set_receive_buffer(self, octets: int) -> None:
        """For the sockets there are, and those to come. Without a change they keep a buffer beyond the system's limit,
        which this process may no longer ask for."""
        if octets != self._receive_buffer_len:
            self._receive_buffer_len = octets
            self._set_receive_buffers()

    def _set_receive_buffers(self) -> None:
        for member in self._sockets:
            if member is not None and not self.endpoint.is_stream:
                _set_receive_buffer(member, self._receive_buffer_len)

    def let_the_kernel_choose(self) -> None:
        """Steer no more."""
        member = next((member for member in self._sockets if member is not None), None)
        if self.is_steered and member is not None:
            self.is_steered = False
            steering.detach(member)

    def close(self) -> None:
        for _, member in reversed(self.sockets):
            member.close()
        self._sockets, self._order = [], []


class ListeningSockets:
    """All groups of a node."""

    def __init__(
        self,
        listeners: Sequence[ListenerSettings],
        workers: int,
        receive_buffer_len: int,
        virtual: Container[str] = (),
        former: FormerSockets | None = None,
    ) -> None:
        """Open everything, or raise ListenFailed with a sentence for every endpoint that cannot be opened.

        `virtual`: addresses that need not be on this machine. `former`: sockets that are open already.
        """
        self.workers = workers
        """For so many there are sockets."""
        self._receive_buffer_len = receive_buffer_len
        self.groups: list[Group] = []
        self.open_more(listeners, virtual, former)

    def open_more(
        self,
        listeners: Sequence[ListenerSettings],
        virtual: Container[str] = (),
        former: FormerSockets | None = None,
    ) -> list[Group]:
        """Open what these listeners need and is not open yet, and return it; all of it, or raise ListenFailed."""
        there = {(group.endpoint.listener, group.endpoint.transport) for group in self.groups}
        wanted = _endpoints(listeners, virtual)
        endpoints = [found for found in wanted if (found.listener, found.transport) not in there]
        ours = [found for found in endpoints if self._has_port_of(found) or (former and former.has_port_of(found))]
        faults = [fault for endpoint in endpoints if endpoint not in ours and (fault := _trial_fault(endpoint))]
        opened: list[Group] = []
        for endpoint in endpoints if not faults else []:
            there_before = former.take(endpoint, self.workers) if former else []
            try:
                opened.append(Group(endpoint, self.workers, self._receive_buffer_len, there_before))
            except OSError as fault:
                faults.append(_sentence(endpoint, fault))
        if faults:
            for group in opened:
                group.close()
            raise ListenFailed(faults)
        self.groups += opened
        return opened

    def _has_port_of(self, endpoint: Endpoint) -> bool:
        """Is the port ours already, on all addresses instead of one, or the reverse? No foreign program has it then."""
        return any(
            (group.endpoint.transport, group.endpoint.port, group.endpoint.family)
            == (endpoint.transport, endpoint.port, endpoint.family)
            and {group.endpoint.address, endpoint.address} & WILDCARDS
            for group in self.groups
        )

    def close_some(self, groups: Sequence[Group]) -> None:
        """These are no longer wanted."""
        self.groups = [group for group in self.groups if group not in groups]
        for group in groups:
            group.close()

    def grow(self, workers: int) -> None:
        """Have sockets for so many workers. Raises ListenFailed, and has as many as before then."""
        former = self.workers
        self.workers = max(workers, former)
        try:
            for worker in range(former, workers):
                self.restore(worker)
        except ListenFailed:
            self.trim(former)
            raise

    def trim(self, workers: int) -> None:
        """Have sockets for no more than so many workers."""
        self.workers = workers
        for group in self.groups:
            group.trim(workers)

    def set_receive_buffer(self, octets: int) -> None:
        """How much the kernel keeps for each socket."""
        self._receive_buffer_len = octets
        for group in self.groups:
            group.set_receive_buffer(octets)

    def let_the_kernel_choose(self) -> None:
        """Steer no group any more."""
        for group in self.groups:
            group.let_the_kernel_choose()

    def sockets_of(self, worker: int) -> tuple[tuple[int, int, int], ...]:
        """(place of the listener, transport, descriptor) of each socket that the worker has."""
        return tuple(
            (group.endpoint.listener, group.endpoint.transport, fd)
            for group in self.groups
            if (fd := group.fd_of(worker)) >= 0
        )

    def steer(self, table: SlotTable, seed: int) -> list[str]:
        """Give every group of datagram sockets the program; a sentence for each that the kernel did not take."""
        refusals = []
        for group in self.groups:
            if group.endpoint.is_stream or group.is_refused:
                continue
            try:
                group.steer(table, seed)
            except OSError as fault:
                group.refusal = (
                    f"The kernel does not steer {group.endpoint} by Call-ID ({fault.strerror}). "
                    f"Workers forward more datagrams to each other.{_remedy(fault)}"
                )
                refusals.append(group.refusal)
        return refusals

    def refusals(self) -> list[str]:
        """A sentence for each group of datagram sockets that the kernel does not steer although it was asked to."""
        return [group.refusal for group in self.groups if group.refusal]

    def withdraw(self, worker: int) -> None:
        """The worker has ended: groups without steering lose its socket."""
        for group in self.groups:
            if not group.is_steered:
                group.withdraw(worker)

    def restore(self, worker: int) -> None:
        """The worker will be started: it gets the sockets it lost. Raises ListenFailed."""
        for group in self.groups:
            try:
                group.restore(worker)
            except OSError as fault:
                raise ListenFailed([_sentence(group.endpoint, fault)]) from fault

    def close(self) -> None:
        for group in self.groups:
            group.close()


def _remedy(refused: OSError) -> str:
    """What makes the kernel take the program, in words, where that is known."""
    if refused.errno != errno.ENOMEM:
        return ""
    return f" Set the sysctl net.core.optmem_max to {OPTMEM_NEEDED} or more and restart the appliance."


def _endpoints(listeners: Sequence[ListenerSettings], virtual: Container[str]) -> list[Endpoint]:
    """The endpoints of the open listeners, each at its place."""
    return [
        Endpoint(number, listener.name, transport, listener.address, listener.port, listener.address in virtual)
        for number, listener in enumerate(listeners)
        if listener.standing == OPEN
        for transport in listener.transports
    ]


def _trial_fault(endpoint: Endpoint) -> str:
    """Why the endpoint cannot be bound, or nothing; binds it without SO_REUSEPORT and closes it again."""
    try:
        with _bare_socket(endpoint) as trial:
            if endpoint.is_stream:
                # Connections that a predecessor closed a moment ago are no reason to refuse; a listening socket is.
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(_socket_address(endpoint))
    except OSError as fault:
        return _sentence(endpoint, fault)
    return ""


def _open_socket(endpoint: Endpoint, receive_buffer_len: int) -> socket.socket:
    opened = _bare_socket(endpoint)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if endpoint.is_stream:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            _set_receive_buffer(opened, receive_buffer_len)
        opened.bind(_socket_address(endpoint))
        if endpoint.is_stream:
            opened.listen(BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened


def _bare_socket(endpoint: Endpoint) -> socket.socket:
    bare = socket.socket(endpoint.family, endpoint.kind | socket.SOCK_NONBLOCK)
    if endpoint.family == socket.AF_INET6:
        bare.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if endpoint.is_virtual:
        bind_freely(bare)
    return bare


def bind_freely(bare: socket.socket) -> None:
    """Let a socket be bound to an address that is not on this machine."""
    level, option = _FREEBIND[bare.family]
    bare.setsockopt(level, option, 1)


def _set_receive_buffer(opened: socket.socket, octets: int) -> None:
    try:
        # Beyond the system's limit where we may; else the kernel gives what its limit allows.
        opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, octets)
    except PermissionError:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, octets)


def _socket_address(endpoint: Endpoint) -> tuple[str, int] | tuple[str, int, int, int]:
    if endpoint.family == socket.AF_INET:
        return endpoint.address, endpoint.port
    found = socket.getaddrinfo(
        endpoint.address, endpoint.port, socket.AF_INET6, socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
    )
    address, port, flow_info, scope = found[0][4]  # type: ignore[misc]
    return str(address), int(port), int(flow_info), int(scope)


def _sentence(endpoint: Endpoint, fault: OSError) -> str:
    """One sentence for the operator."""
    reasons = {
        errno.EADDRINUSE: f"{endpoint} is in use by another program",
        errno.EADDRNOTAVAIL: f"this machine has no address {endpoint.address}",
        errno.EACCES: f"{endpoint} requires root or CAP_NET_BIND_SERVICE",
        errno.EPERM: f"{endpoint}: permission denied",
        errno.EAFNOSUPPORT: f"{endpoint} cannot be opened because IPv6 is not available on this machine",
    }
    reason = reasons.get(fault.errno or 0, f"{endpoint} cannot be opened ({fault.strerror or fault})")
    return f"Listener {endpoint.name}: {reason}."
