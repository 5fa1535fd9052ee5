"""The links between the nodes of a cluster: ZeroMQ over TCP with CURVE, one connection in each direction of a pair.

Each node has a pair of keys; the public ones are in the membership. A node connects only to the holder of the
member's key, and takes a connection only from a key of a member: strangers and nodes of another cluster fail in the
handshake. ZeroMQ says CONNECTED also of a process that is frozen, for the kernel accepts; so a link counts from the
handshake on, and silence ends it (link_session.py). ZeroMQ's own heartbeats are not used: libzmq 4.3.5 aborts the
process when one is due on a connection that broke while its messages were not read.

Nothing here ever waits. `send` is False where the link is not up or its queue is full; what a queue holds is lost with
the connection. A frozen or slow node costs the queue and the buffers of the kernel, and no other node anything.

On the wire a batch is one frame: an envelope (link_session.py), then each message with its length before it.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Sequence
from typing import Final, NoReturn

import zmq
from zmq.utils import z85
from zmq.utils.monitor import parse_monitor_message

from appliance import clock
from appliance.ipc.link_session import ENVELOPE_LEN, KEEPALIVE_S, Envelope, EnvelopeError, LinkSession, Verdict
from appliance.messages.bus_messages import BusMessage
from appliance.messages.codec import BusProtocolError, UnknownMessage, decode_of_node, encode
from appliance.messages.link_messages import LinkLost, LinkUp
from appliance.messages.membership import Member, Membership

# The kernel closes a connection whose other end has acknowledged nothing for so long (RFC 5482), or does not answer.
UNACKNOWLEDGED_MS: Final = 1000
PROBES_S: Final = 1
PROBES: Final = 3
CONNECT_TIMEOUT_MS: Final = 300
HANDSHAKE_MS: Final = 1000
RECONNECT_MS: Final = 50
RECONNECT_MAX_MS: Final = 200
BATCHES_UNSENT_MAX: Final = 64
BATCHES_UNREAD_MAX: Final = 64
SOCKET_BUFFER: Final = 1 << 18
FRAME_MAX: Final = 1 << 24
# What one `receive` takes at most.
BATCHES_PER_RECEIVE: Final = 64
OCTETS_PER_RECEIVE: Final = 1 << 20
EVENTS_PER_RECEIVE: Final = 64

_LENGTH: Final = struct.Struct("!I")
_DOMAIN: Final = b"signalbox"
# RFC 6666: an address that leads nowhere.
_DISCARD_ADDRESS: Final = "100::1"
_ZAP: Final = "inproc://zeromq.zap.01"
_EVENT: Final = zmq.Event
_FAULT_EVENTS: Final = (
    _EVENT.HANDSHAKE_FAILED_AUTH | _EVENT.HANDSHAKE_FAILED_PROTOCOL | _EVENT.HANDSHAKE_FAILED_NO_DETAIL
)
_FAULTS: Final = {
    _EVENT.HANDSHAKE_FAILED_AUTH: "it does not know the key of this node",
    _EVENT.HANDSHAKE_FAILED_PROTOCOL: "it does not speak the protocol of links",
    _EVENT.HANDSHAKE_FAILED_NO_DETAIL: "its key is not the one of the membership",
}

_EVENTS: Final = _EVENT.HANDSHAKE_SUCCEEDED | _EVENT.DISCONNECTED | _FAULT_EVENTS

Arrived = tuple[int, BusMessage]


class LinksUnavailable(OSError):
    """The address for links cannot be opened, in one sentence for the operator."""


class NodeLinks:
    """This node's links to all other members that have an address for links. Not for several threads.

    For an event loop: wait until one of `fds()` is readable or for `due_s()`, call `receive(now)`, and again while
    `pending()`.
    """

    def __init__(self, membership: Membership, me: int, secret_key: str) -> None:
        """Raises LinksUnavailable."""
        self.stale = 0
        """Batches dropped that belonged to a session which is over."""
        self.damaged = 0
        """Batches or messages dropped that could not be understood."""
        self.skipped = 0
        """Messages of another version of Signalbox, which were skipped."""
        self.refused = 0
        """Connections whose key belongs to no member."""
        self.lost = 0
        """Links that were lost."""
        self._me = membership.member(me)
        self._secret_key = secret_key.encode()
        self._last_session = clock.monotonic_ns()
        self._peers: dict[int, _Peer] = {}
        self._by_key: dict[str, int] = {}
        self._arrived: list[Arrived] = []
        self._stopped_early = False
        self._context = zmq.Context(io_threads=1)
        # Before there is a server socket: without it ZeroMQ would let in any key.
        self._keys_asked = self._context.socket(zmq.REP)
        self._keys_asked.bind(_ZAP)
        self._hosts: tuple[str, ...] = ()
        self._bind_fault = ""
        self._is_bound = False
        self._open_receiver()
        # To ask for one takes as long as to receive.
        self._keys_fd = self._keys_asked.FD
        self.go_by(membership)
        self._listen()
        if not self._is_bound:
            self._close_early()

    # -- the members -----------------------------------------------------------------------------------

    def go_by(self, membership: Membership) -> None:
        """Have links to the members of this version: those who left are cut off."""
        others = membership.others(self._me.number)
        nodes = [member for member in others if not member.is_witness]
        wanted = {member.number: member for member in nodes if member.link_port and member.public_key}
        self._by_key = {member.public_key: member.number for member in wanted.values()}
        for number, peer in list(self._peers.items()):
            if wanted.get(number) != peer.member:
                self._lost(number, peer.session.disconnected())
                peer.close()
                del self._peers[number]
        for number, member in wanted.items():
            if number not in self._peers:
                self._peers[number] = _Peer(self._context, member, self._me, self._secret_key)
        hosts = tuple(sorted({member.host for member in wanted.values()}))
        if hosts != self._hosts:
            # A socket keeps its filter for ever.
            self._receiver.close(linger=0)
            self._hosts, self._is_bound = hosts, False
            self._open_receiver()

    @property
    def members(self) -> tuple[int, ...]:
        """The numbers of the members that there are links to, up or not."""
        return tuple(self._peers)

    def is_up(self, member: int) -> bool:
        """Is the link to that member up?"""
        peer = self._peers.get(member)
        return peer is not None and peer.session.is_up

    def fault_of(self, member: int) -> str:
        """Why there is no connection to that member, as far as it is known; "" for none."""
        peer = self._peers.get(member)
        return "" if peer is None else peer.fault

    def octets(self, member: int) -> tuple[int, int]:
        """How many octets were sent to that member, and came from it."""
        peer = self._peers.get(member)
        return (0, 0) if peer is None else (peer.octets_sent, peer.octets_received)

    # -- sending ---------------------------------------------------------------------------------------

    def send(self, member: int, messages: Sequence[BusMessage]) -> bool:
        """Send a batch; False where the link is not up or its queue is full: then nothing was sent. Never waits."""
        peer = self._peers.get(member)
        if peer is None or not peer.session.is_up:
            return False
        return not messages or self._send(peer, [encode(message) for message in messages], clock.monotonic())

    def _send(self, peer: _Peer, encoded: Sequence[bytes], now: float) -> bool:
        parts = [peer.session.envelope(now).octets()]
        for octets in encoded:
            parts.append(_LENGTH.pack(len(octets)))
            parts.append(octets)
        frame = b"".join(parts)
        try:
            peer.sender.send(frame, zmq.NOBLOCK)
        except zmq.Again:
            peer.session.not_sent()
            return False
        peer.octets_sent += len(frame)
        return True

    # -- receiving -------------------------------------------------------------------------------------

    def fds(self) -> list[int]:
        """Descriptors that become readable when something arrived; they report changes, not a level. Others after
        `go_by`.
        """
        return [self._receiver_fd, self._keys_fd, *(peer.events_fd for peer in self._peers.values())]

    def receive(self, now: float, readable: Collection[int] | None = None) -> list[Arrived]:
        """(member, message) of what has arrived, in order per member, with LinkUp and LinkLost between. A portion:
        the rest is `pending`. `readable`: those of `fds()` that are, where only they are to be looked at.
        """
        if not self._is_bound:
            self._listen()
        if readable is None or self._keys_fd in readable:
            self._admit()
        for number, peer in self._peers.items():
            self._see_to(number, peer, now, readable is None or peer.events_fd in readable)
        if readable is None or self._stopped_early or self._receiver_fd in readable:
            self._read(now)
        # After a long turn of this process it is read first what the others said meanwhile.
        self._give_up_silent(now)
        arrived, self._arrived = self._arrived, []
        return arrived

    def due_s(self) -> float:
        """How soon to call `receive`, though nothing arrived."""
        return KEEPALIVE_S / 2

    def pending(self) -> bool:
        """Is there more to receive now?"""
        return self._stopped_early and self._receiver.poll(0) != 0

    def _admit(self) -> None:
        """Say of each key that was shown whether it is one of a member (ZeroMQ RFC 27)."""
        for _ in range(EVENTS_PER_RECEIVE):
            try:
                asked = self._keys_asked.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            version, request = asked[:2]
            key = asked[6] if len(asked) == 7 and asked[5] == b"CURVE" else b""
            public_key = z85.encode(key).decode() if len(key) == 32 else ""
            is_member = public_key in self._by_key
            self.refused += not is_member
            status = (b"200", b"", public_key.encode()) if is_member else (b"400", b"no member", b"")
            self._keys_asked.send_multipart([version, request, *status, b""])

    def _see_to(self, number: int, peer: _Peer, now: float, is_readable: bool) -> None:
        """What has happened to the connection to a member, and what is due."""
        session = peer.session
        for event in peer.events_arrived() if is_readable else ():
            if event == _EVENT.HANDSHAKE_SUCCEEDED:
                peer.fault = ""
                self._lost(number, session.connected(self._new_session(), now))
            elif event == _EVENT.DISCONNECTED:
                self._lost(number, session.disconnected())
            else:
                peer.fault = _FAULTS.get(event, peer.fault)
        if session.is_word_due(now):
            self._send(peer, (), now)

    def _give_up_silent(self, now: float) -> None:
        for number, peer in self._peers.items():
            if peer.session.is_overdue(now):
                self._lost(number, peer.session.begin_again(self._new_session(), now))
                self._send(peer, (), now)

    def _read(self, now: float) -> None:
        octets = 0
        self._stopped_early = True
        for _ in range(BATCHES_PER_RECEIVE):
            if octets >= OCTETS_PER_RECEIVE:
                return
            try:
                frame = self._receiver.recv(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                self._stopped_early = False
                return
            octets += len(frame)
            self._open_batch(str(frame.get("User-Id")), frame.bytes, now)

    def _open_batch(self, public_key: str, frame: bytes, now: float) -> None:
        number = self._by_key.get(public_key, 0)
        peer = self._peers.get(number)
        if peer is None:
            # A member that was removed while it was connected.
            self.stale += 1
            return
        peer.octets_received += len(frame)
        try:
            envelope = Envelope.read(frame)
        except EnvelopeError:
            self.skipped += 1
            return
        verdict = peer.session.arrived(envelope, now)
        self._lost(number, Verdict.LOST in verdict)
        if Verdict.AGAIN in verdict:
            peer.session.begin_again(self._new_session(), now)
        if Verdict.UP in verdict:
            self._arrived.append((number, LinkUp()))
        if Verdict.TAKE in verdict:
            self._read_messages(number, frame)
        elif len(frame) > ENVELOPE_LEN:
            self.stale += 1
        if peer.session.is_word_due(now):
            self._send(peer, (), now)

    def _read_messages(self, number: int, frame: bytes) -> None:
        try:
            for octets in _messages_in(frame):
                self._read_message(number, octets)
        except struct.error:
            self.damaged += 1

    def _read_message(self, number: int, octets: bytes) -> None:
        """One that cannot be understood costs itself only."""
        try:
            message = decode_of_node(octets)
        except UnknownMessage:
            self.skipped += 1
            return
        except BusProtocolError:
            self.damaged += 1
            return
        if isinstance(message, (LinkUp, LinkLost)):
            # Made here only.
            self.damaged += 1
            return
        self._arrived.append((number, message))

    def _lost(self, number: int, was_up: bool) -> None:
        if was_up:
            self.lost += 1
            self._arrived.append((number, LinkLost()))

    def _new_session(self) -> int:
        self._last_session = max(self._last_session + 1, clock.monotonic_ns())
        return self._last_session

    def _open_receiver(self) -> None:
        self._receiver = receiver = self._context.socket(zmq.PULL)
        receiver.setsockopt(zmq.CURVE_SERVER, 1)
        receiver.setsockopt(zmq.CURVE_SECRETKEY, self._secret_key)
        receiver.setsockopt(zmq.ZAP_DOMAIN, _DOMAIN)
        receiver.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
        receiver.setsockopt(zmq.RCVHWM, BATCHES_UNREAD_MAX)
        receiver.setsockopt(zmq.MAXMSGSIZE, FRAME_MAX)
        _set_common(receiver)
        # Connections from other addresses are closed at once: they cost no handshake. Without a member there are none.
        for host in self._hosts or (_DISCARD_ADDRESS,):
            receiver.setsockopt(zmq.TCP_ACCEPT_FILTER, host.encode())
        self._receiver_fd = receiver.FD

    def _listen(self) -> None:
        """Take connections. Where the port is not free yet, as after a change of the members, it is tried again."""
        try:
            self._receiver.bind(_endpoint(self._me))
        except zmq.ZMQError as fault:
            self._bind_fault = f"{fault.strerror}"
            return
        self._is_bound = True

    def _close_early(self) -> NoReturn:
        self.close()
        me = self._me
        raise LinksUnavailable(
            f"Links of other nodes cannot be taken on {me.host} port {me.link_port}: {self._bind_fault}."
        )

    def close(self) -> None:
        """Close all; what is not sent yet is lost."""
        for peer in self._peers.values():
            peer.close()
        self._receiver.close(linger=0)
        self._keys_asked.close(linger=0)
        self._context.term()


class _Peer:
    """Another member: the connection to it, and the session."""

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], member: Member, me: Member, secret_key: bytes
    ) -> None:
        self.member = member
        self.session = LinkSession()
        self.fault = "it does not answer"
        self.octets_sent = 0
        self.octets_received = 0
        self.sender = sender = context.socket(zmq.PUSH)
        sender.setsockopt(zmq.CURVE_SERVERKEY, member.public_key.encode())
        sender.setsockopt(zmq.CURVE_PUBLICKEY, me.public_key.encode())
        sender.setsockopt(zmq.CURVE_SECRETKEY, secret_key)
        # Nothing is kept for a connection that may come: it would be of another session.
        sender.setsockopt(zmq.IMMEDIATE, 1)
        sender.setsockopt(zmq.SNDHWM, BATCHES_UNSENT_MAX)
        sender.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
        sender.setsockopt(zmq.RECONNECT_IVL_MAX, RECONNECT_MAX_MS)
        sender.setsockopt(zmq.CONNECT_TIMEOUT, CONNECT_TIMEOUT_MS)
        _set_common(sender)
        self.events = sender.get_monitor_socket(_EVENTS)
        self.events_fd = self.events.FD
        sender.connect(_way(me, member))

    def events_arrived(self) -> Iterator[zmq.Event]:
        """What has happened to the connection since."""
        for _ in range(EVENTS_PER_RECEIVE):
            try:
                yield zmq.Event(parse_monitor_message(self.events.recv_multipart(zmq.NOBLOCK))["event"])
            except zmq.Again:
                return

    def close(self) -> None:
        self.sender.disable_monitor()
        self.events.close(linger=0)
        self.sender.close(linger=0)


def _set_common(opened: zmq.Socket[bytes]) -> None:
    opened.setsockopt(zmq.LINGER, 0)
    opened.setsockopt(zmq.IPV6, 1)
    opened.setsockopt(zmq.SNDBUF, SOCKET_BUFFER)
    opened.setsockopt(zmq.RCVBUF, SOCKET_BUFFER)
    opened.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
    opened.setsockopt(zmq.TCP_MAXRT, UNACKNOWLEDGED_MS)
    opened.setsockopt(zmq.TCP_KEEPALIVE, 1)
    opened.setsockopt(zmq.TCP_KEEPALIVE_IDLE, PROBES_S)
    opened.setsockopt(zmq.TCP_KEEPALIVE_INTVL, PROBES_S)
    opened.setsockopt(zmq.TCP_KEEPALIVE_CNT, PROBES)


def _endpoint(member: Member) -> str:
    return f"tcp://{_host(member)}:{member.link_port}"


def _way(me: Member, member: Member) -> str:
    """From the address of this node, which the other one lets in."""
    return f"tcp://{_host(me)}:0;{_host(member)}:{member.link_port}"


def _host(member: Member) -> str:
    return f"[{member.host}]" if ":" in member.host else member.host


def _messages_in(frame: bytes) -> Iterator[bytes]:
    """The octets of each message of a batch. Raises struct.error where they are cut."""
    at, end = ENVELOPE_LEN, len(frame)
    while at < end:
        (size,) = _LENGTH.unpack_from(frame, at)
        at += _LENGTH.size
        if at + size > end:
            raise struct.error("a message that is cut")
        yield frame[at : at + size]
        at += size
