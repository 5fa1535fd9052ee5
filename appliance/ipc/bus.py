"""The door to the other processes of a node: ZeroMQ over ipc sockets in the runtime directory.

Every process has an address (transport/process_id.py), one receiving socket that bears the name of its worker number,
and one sending socket per destination. Nothing here ever waits: a destination that is absent or
has too much unread makes `send` return False, and the caller decides whether that matters.

An address outlives the process that has it, so every batch says which incarnation sent it and which
one it was meant for. What an earlier incarnation left behind, and what was meant for one, is dropped
and counted; the first batch of a new incarnation is announced by a PeerStarted message.

On the wire a batch is one frame: an envelope, then each message with its length before it.
"""

from __future__ import annotations

import os
import struct
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import zmq

from appliance import clock
from appliance.messages.bus_messages import (
    Answered,
    BusMessage,
    BusReply,
    BusRequest,
    PeerStarted,
    Refusal,
    reply_class,
)
from appliance.messages.codec import BusProtocolError, UnknownMessage, decode, encode
from appliance.transport.process_id import (
    CLUSTER,
    LOOKUP_SERVER,
    MANAGEMENT,
    PERSISTER,
    REPLICATOR,
    SNMP_AGENT,
    SUPERVISOR,
    ProcessId,
    worker_of,
)

BATCHES_UNREAD_MAX: Final = 512
# What one `receive` takes at most: a process has other work as well, and has to send its signs of life.
BATCHES_PER_RECEIVE: Final = 256
MESSAGES_PER_RECEIVE: Final = 256
OCTETS_PER_RECEIVE: Final = 1 << 18
RECONNECT_MS: Final = 20
RECONNECT_MAX_MS: Final = 200
LAST_ANSWER_MS: Final = 200

_NAMES: Final = {
    SUPERVISOR: "supervisor",
    MANAGEMENT: "management",
    PERSISTER: "persister",
    SNMP_AGENT: "snmp",
    CLUSTER: "cluster",
    REPLICATOR: "replicator",
    LOOKUP_SERVER: "lookups",
}
# Format, sender, incarnation of the sender, incarnation the batch is meant for (0: the present one).
_ENVELOPE: Final = struct.Struct("!BIQQ")
_LENGTH: Final = struct.Struct("!I")
_ENVELOPE_FORMAT: Final = 2


class BusUnavailable(OSError):
    """The bus cannot do what was asked, in one sentence for the operator."""


class Bus:
    """The end of the bus in this process. Not for several threads.

    For an event loop: wait until `fileno()` is readable, call `receive()`, and again while `pending()`.
    """

    def __init__(self, runtime_dir: Path, process: ProcessId) -> None:
        """Raises BusUnavailable when the socket cannot be made."""
        self.process = process
        self.incarnation = clock.monotonic_ns()
        self.refused = 0
        """Messages that were not sent, because the destination was too far behind."""
        self.absent = 0
        """Messages that were not sent, because the destination has not started yet, or has ended."""
        self.stale = 0
        """Messages dropped that came from, or were meant for, an incarnation that is gone."""
        self.damaged = 0
        """Batches or messages dropped that could not be understood."""
        self.skipped = 0
        """Messages of another version of Signalbox, which were skipped."""
        self._runtime_dir = runtime_dir
        self._context = zmq.Context(io_threads=1)
        self._receiver = _bound_socket(self._context, zmq.PULL, _socket_path(runtime_dir, process))
        self._senders: dict[ProcessId, zmq.Socket[bytes]] = {}
        self._incarnations: dict[ProcessId, int] = {}
        self._forgotten: set[ProcessId] = set()
        self._reached: set[ProcessId] = set()
        """Destinations that have taken a batch."""
        self._stopped_early = False
        self._left: list[tuple[ProcessId, BusMessage]] = []
        self._end = weakref.finalize(self, _close_all, self._context, self._receiver, self._senders)

    def fileno(self) -> int:
        """A descriptor that becomes readable when something arrived; it reports changes, not a level."""
        return self._receiver.FD

    def connect(self, destinations: Sequence[ProcessId]) -> None:
        """Begin to connect, so that the first send finds a connection. A forgotten destination has a new process."""
        for destination in destinations:
            if destination in self._forgotten:
                # It may have started before the end of its predecessor was noticed.
                self._forgotten.remove(destination)
                del self._incarnations[destination]
            self._sender(destination)

    def send(self, destination: ProcessId, messages: Sequence[BusMessage]) -> bool:
        """Send a batch; False when it was refused: the destination is absent or too far behind. Never waits."""
        if not messages:
            return True
        if self._send_batch(destination, [encode(message) for message in messages]):
            self._reached.add(destination)
            return True
        if destination in self._reached:
            self.refused += len(messages)
        else:
            self.absent += len(messages)
        return False

    def has_reached(self, destination: ProcessId) -> bool:
        """Has the present process of that address taken a batch?"""
        return destination in self._reached

    def receive(self, batches_max: int = BATCHES_PER_RECEIVE) -> list[tuple[ProcessId, BusMessage]]:
        """(sender, message) of what has arrived, in order per sender; at most `batches_max` batches, and no more than
        MESSAGES_PER_RECEIVE. The rest is `pending`."""
        arrived, self._left = self._left, []
        octets = 0
        self._stopped_early = True
        for _ in range(batches_max):
            if len(arrived) >= MESSAGES_PER_RECEIVE or octets >= OCTETS_PER_RECEIVE:
                break
            try:
                frame: bytes = self._receiver.recv(zmq.NOBLOCK)
            except zmq.Again:
                self._stopped_early = False
                break
            octets += len(frame)
            self._open_batch(frame, arrived)
        if len(arrived) > MESSAGES_PER_RECEIVE:
            self._left = arrived[MESSAGES_PER_RECEIVE:]
            del arrived[MESSAGES_PER_RECEIVE:]
        return arrived

    def pending(self) -> bool:
        """Is there more to receive now? The descriptor does not report what a bounded `receive` left."""
        return bool(self._left) or (self._stopped_early and self._receiver.poll(0) != 0)

    def forget(self, process: ProcessId) -> None:
        """That process has ended: drop what waits for it, and what it sent that is not read yet.

        Messages with its address are accepted again from a process that started later, or after `connect`.
        """
        self._incarnations[process] = clock.monotonic_ns()
        self._forgotten.add(process)
        self._reached.discard(process)
        self._left = [item for item in self._left if item[0] != process]
        sender = self._senders.pop(process, None)
        if sender is not None:
            sender.close(linger=0)

    def close(self, linger_ms: int = 0) -> None:
        """Close all; what was sent last gets `linger_ms` to leave."""
        self._end.detach()
        _close_all(self._context, self._receiver, self._senders, linger_ms)
        _socket_path(self._runtime_dir, self.process).unlink(missing_ok=True)

    def _send_batch(self, destination: ProcessId, encoded: list[bytes]) -> bool:
        meant_for = self._incarnations.get(destination, 0)
        parts = [_ENVELOPE.pack(_ENVELOPE_FORMAT, self.process, self.incarnation, meant_for)]
        for octets in encoded:
            parts.append(_LENGTH.pack(len(octets)))
            parts.append(octets)
        try:
            self._sender(destination).send(b"".join(parts), zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def _sender(self, destination: ProcessId) -> zmq.Socket[bytes]:
        sender = self._senders.get(destination)
        if sender is None:
            sender = self._context.socket(zmq.PUSH)
            sender.setsockopt(zmq.LINGER, 0)
            sender.setsockopt(zmq.SNDHWM, BATCHES_UNREAD_MAX)
            # Only to a process that is there: nothing is kept for one that may come, and which would be another.
            sender.setsockopt(zmq.IMMEDIATE, 1)
            sender.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
            sender.setsockopt(zmq.RECONNECT_IVL_MAX, RECONNECT_MAX_MS)
            sender.connect(f"ipc://{_socket_path(self._runtime_dir, destination)}")
            self._senders[destination] = sender
        return sender

    def _open_batch(self, frame: bytes, arrived: list[tuple[ProcessId, BusMessage]]) -> None:
        try:
            version, number, incarnation, meant_for = _ENVELOPE.unpack_from(frame)
        except struct.error:
            self.damaged += 1
            return
        if version != _ENVELOPE_FORMAT:
            self.damaged += 1
            return
        sender = ProcessId(number)
        known = self._incarnations.get(sender, 0)
        if incarnation < known:
            self.stale += _count(frame)
            return
        if incarnation > known:
            self._incarnations[sender] = incarnation
            self._forgotten.discard(sender)
            arrived.append((sender, PeerStarted()))
            # It will need an answer, and then the connection should exist: one that still tries is made anew.
            if sender not in self._reached and sender in self._senders:
                self._senders.pop(sender).close(linger=0)
            self._sender(sender)
        if meant_for not in (0, self.incarnation) and meant_for < self.incarnation:
            self.stale += _count(frame)
            # It addresses the predecessor of this process; an empty batch carries the present incarnation.
            self._send_batch(sender, [])
            return
        self._read_messages(sender, frame, arrived)

    def _read_messages(self, sender: ProcessId, frame: bytes, arrived: list[tuple[ProcessId, BusMessage]]) -> None:
        try:
            for octets in _messages_in(frame):
                try:
                    arrived.append((sender, decode(octets)))
                except UnknownMessage:
                    self.skipped += 1
                except BusProtocolError:
                    self.damaged += 1
        except struct.error:
            self.damaged += 1


class ControlEndpoint:
    """Where the supervisor takes requests: from `signalbox status`, the management process, and subscriber commands."""

    def __init__(self, runtime_dir: Path) -> None:
        """Raises BusUnavailable when the socket cannot be made."""
        self._path = runtime_dir / "questions.sock"
        self._context = zmq.Context(io_threads=1)
        self._socket = _bound_socket(self._context, zmq.ROUTER, self._path)
        self.damaged = 0
        """Questions that could not be understood."""
        self.skipped = 0
        """Questions of another version of Signalbox, which are refused."""
        self._end = weakref.finalize(self, _close_all, self._context, self._socket)

    def fileno(self) -> int:
        """As with Bus: readable after a change."""
        return self._socket.FD

    def receive(self) -> list[tuple[bytes, BusMessage]]:
        """(asker, question) of all that has arrived; what is no message is dropped."""
        asked: list[tuple[bytes, BusMessage]] = []
        while True:
            try:
                asker, *frames = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return asked
            try:
                asked.append((asker, decode(frames[-1] if frames else b"")))
            except UnknownMessage:
                self.skipped += 1
                self.reply(asker, Refusal("The running appliance has another version.", "restart it"))
            except BusProtocolError:
                self.damaged += 1

    def reply(self, asker: bytes, reply: BusReply) -> None:
        """Answer; an asker that has gone away is no fault."""
        try:
            self._socket.send_multipart([asker, encode(reply)], zmq.NOBLOCK)
        except zmq.ZMQError:
            return

    def close(self) -> None:
        """Close it; what was answered last gets a moment to leave."""
        self._end.detach()
        self._socket.close(linger=LAST_ANSWER_MS)
        self._context.term()
        self._path.unlink(missing_ok=True)


def ask_supervisor(runtime_dir: Path, request: BusRequest[Answered], timeout_s: float) -> Answered | Refusal:
    """What the supervisor answers.

    Raises BusUnavailable when no appliance runs on this state folder, or it does not answer in time.
    """
    path = runtime_dir / "questions.sock"
    if not path.exists():
        raise BusUnavailable(f"No appliance is running: {path} does not exist.")
    with zmq.Context(io_threads=1) as context, context.socket(zmq.DEALER) as asker:
        asker.setsockopt(zmq.LINGER, 0)
        asker.setsockopt(zmq.IMMEDIATE, 1)
        asker.connect(f"ipc://{path}")
        wait_ms = int(timeout_s * 1000)
        if not asker.poll(wait_ms, zmq.POLLOUT):
            raise BusUnavailable(f"No appliance is running: no process listens on {path}.")
        asker.send(encode(request))
        if not asker.poll(wait_ms, zmq.POLLIN):
            raise BusUnavailable(f"The supervisor did not answer within {timeout_s:g} s.")
        return _reply_in(asker.recv(), reply_class(request))


def _reply_in(octets: bytes, expected: type[Answered]) -> Answered | Refusal:
    try:
        reply = decode(octets)
    except BusProtocolError as fault:
        raise BusUnavailable(f"The supervisor has an incompatible version: {fault}.") from fault
    if not isinstance(reply, (expected, Refusal)):
        raise BusUnavailable(f"The supervisor answered with {type(reply).__name__}.")
    return reply


def _close_all(
    context: zmq.Context[zmq.Socket[bytes]],
    bound: zmq.Socket[bytes],
    senders: Mapping[ProcessId, zmq.Socket[bytes]] | None = None,
    linger_ms: int = 0,
) -> None:
    """Close the sockets, then their context.

    This is also done when an owner is collected that did not close. The context alone would then wait for ever: it
    knows its sockets by weak references, which are cleared before a context and sockets of one cycle are finalized.
    """
    for sender in (senders or {}).values():
        sender.close(linger=linger_ms)
    bound.close(linger=0)
    context.term()


def _socket_path(runtime_dir: Path, process: ProcessId) -> Path:
    number = worker_of(process)
    return runtime_dir / f"{_NAMES.get(number) or f'worker-{number}'}.sock"


def _bound_socket(context: zmq.Context[zmq.Socket[bytes]], kind: int, path: Path) -> zmq.Socket[bytes]:
    octets = len(os.fsencode(path))
    if octets > zmq.IPC_PATH_MAX_LEN:
        raise BusUnavailable(
            f"The path {path} has {octets} characters; the maximum for a local socket is {zmq.IPC_PATH_MAX_LEN}. "
            "Choose a state folder with a shorter path."
        )
    bound = context.socket(kind)
    try:
        # A socket that is not closed must not keep the process from ending.
        bound.setsockopt(zmq.LINGER, 0)
        bound.setsockopt(zmq.RCVHWM, BATCHES_UNREAD_MAX)
        # In addition to the permissions of the folder: the kernel reports the user (SO_PEERCRED), and lets no other in.
        for uid in {0, os.geteuid()}:
            bound.setsockopt(zmq.IPC_FILTER_UID, uid)
        # What a killed predecessor left under this name is replaced.
        bound.bind(f"ipc://{path}")
        path.chmod(0o600)
    except (zmq.ZMQError, OSError) as fault:
        bound.close(linger=0)
        context.term()
        raise BusUnavailable(f"Cannot make the local socket {path}: {fault.strerror}.") from fault
    return bound


def _count(frame: bytes) -> int:
    """How many messages there are in a batch, 0 in one that is damaged."""
    try:
        return sum(1 for _ in _messages_in(frame))
    except struct.error:
        return 0


def _messages_in(frame: bytes) -> Iterator[bytes]:
    """The octets of each message after the envelope. Raises struct.error when the frame ends too early."""
    place = _ENVELOPE.size
    while place < len(frame):
        (length,) = _LENGTH.unpack_from(frame, place)
        place += _LENGTH.size
        if place + length > len(frame):
            raise struct.error("the frame ends within a message")
        yield frame[place : place + length]
        place += length
