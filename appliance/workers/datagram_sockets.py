"""The datagram sockets of all listeners, behind one descriptor for the event loop.

They are watched by an epoll instance of their own: an event loop that sees an error on a socket may
stop watching it, and an ICMP error is no reason to be deaf.
"""

from __future__ import annotations

import os
import select
from collections.abc import Mapping
from itertools import repeat, takewhile
from typing import Final

from appliance.transaction.keys import client_key
from appliance.transport.flow import Flow, Outgoing
from appliance.transport.via import quoted_request
from appliance.workers.datagrams import DatagramSocket
from appliance.workers.fenced_addresses import FencedAddresses

# More than the receive buffer of a socket holds.
DISCARDED_BATCHES_MAX: Final = 1024


class DatagramSockets:
    """Reads and writes by batches. `sockets`: the reader and writer of each listener that has one."""

    def __init__(self, sockets: Mapping[int, DatagramSocket]) -> None:
        self._sockets = dict(sockets)
        self._by_fd = {door.fd: door for door in self._sockets.values()}
        self._note_only()
        self._wants_write: set[int] = set()
        self._past = (0, 0, 0, 0)
        self._poll = select.epoll()
        self.fenced = FencedAddresses()
        self.delay_s = 0.0
        """How long the oldest datagram of the last `read` had waited."""
        for door in self._sockets.values():
            self._poll.register(door.fd, select.EPOLLIN)

    def add(self, listener: int, door: DatagramSocket) -> None:
        """Read and write by one more socket; it becomes ours."""
        self._sockets[listener] = door
        self._by_fd[door.fd] = door
        self._note_only()
        self._poll.register(door.fd, select.EPOLLIN)

    def _note_only(self) -> None:
        """Where there is one socket alone, it need not be looked for."""
        self._only = next(iter(self._sockets.values())) if len(self._sockets) == 1 else None

    def remove(self, listener: int) -> None:
        """Close the socket of a listener, if it has one; what was counted stays counted."""
        door = self._sockets.pop(listener, None)
        if door is None:
            return
        self._poll.unregister(door.fd)
        self._wants_write.discard(door.fd)
        del self._by_fd[door.fd]
        self._note_only()
        self._past = _sums([self._past, _totals_of(door)])
        os.close(door.fd)

    def fileno(self) -> int:
        """Readable while there is something to read, or to write again, or an error to be told."""
        return self._poll.fileno()

    def read(self) -> tuple[list[tuple[bytes, Flow]], list[Outgoing]]:
        """One batch of each socket that is ready, and what ICMP reports of requests sent before."""
        messages: list[tuple[bytes, Flow]] = []
        failures: list[Outgoing] = []
        self.delay_s = 0.0
        only = self._only
        if only is not None and not self._wants_write:
            messages = only.read_batch()
            self.delay_s = only.delay_s
            if messages and not only.has_errors:
                return messages, failures
        for fd, happened in self._poll.poll(0):
            door = self._by_fd[fd]
            messages += door.read_batch()
            self.delay_s = max(self.delay_s, door.delay_s)
            if door.has_errors or happened & select.EPOLLERR:
                failures += failed_requests(door.read_errors())
            if happened & select.EPOLLOUT:
                failures += self._write(door, [])
        return messages, failures

    def discard(self, listener: int) -> int:
        """Drop what has come in by the socket of a listener and was not read yet; returns how many datagrams."""
        dropped = 0
        if listener in self._sockets:
            batches = map(DatagramSocket.read_batch, repeat(self._sockets[listener], DISCARDED_BATCHES_MAX))
            for batch in takewhile(len, batches):
                dropped += len(batch)
        return dropped

    def write(self, outgoings: list[Outgoing]) -> list[Outgoing]:
        """Send each by the socket of its listener; returns what cannot be sent."""
        if self._only is not None and self._is_all_by(self._only.listener, outgoings):
            return self._write(self._only, outgoings)
        failures: list[Outgoing] = []
        shares: dict[int, list[Outgoing]] = {}
        for outgoing in outgoings:
            shares.setdefault(outgoing.flow.listener, []).append(outgoing)
        for listener, share in shares.items():
            found = self._sockets.get(listener)
            failures += share if found is None else self._write(found, share)
        return failures

    def _is_all_by(self, listener: int, outgoings: list[Outgoing]) -> bool:
        for outgoing in outgoings:  # noqa: SIM110 - see is_all
            if outgoing.flow.listener != listener:
                return False
        return True

    def _write(self, door: DatagramSocket, outgoings: list[Outgoing]) -> list[Outgoing]:
        parcels = []
        for outgoing in outgoings:
            parcels.append((outgoing, outgoing.data, outgoing.flow.remote))
        failures = [outgoing for outgoing, _, _ in door.write_batch(parcels)]
        if failures:
            failures = self.fenced.failures(door.listener, failures, door.denied)
        if not (door.waiting_count or self._wants_write):
            return failures
        waits = door.waiting_count > 0
        if waits != (door.fd in self._wants_write):
            self._poll.modify(door.fd, select.EPOLLIN | select.EPOLLOUT if waits else select.EPOLLIN)
            if waits:
                self._wants_write.add(door.fd)
            else:
                self._wants_write.discard(door.fd)
        return failures

    def totals(self) -> tuple[int, int, int, int]:
        """Datagrams received, sent, truncated, and refused by a full queue, since the beginning."""
        return _sums([self._past, *(_totals_of(door) for door in self._sockets.values())])

    def close(self) -> None:
        """Watch no more; the sockets are the caller's."""
        self._poll.close()


def _totals_of(door: DatagramSocket) -> tuple[int, int, int, int]:
    return door.received, door.sent, door.truncated, door.overflowed


def _sums(totals: list[tuple[int, int, int, int]]) -> tuple[int, int, int, int]:
    received, sent, truncated, overflowed = zip(*totals, strict=True)
    return sum(received), sum(sent), sum(truncated), sum(overflowed)


def failed_requests(errors: list[tuple[bytes, Flow]]) -> list[Outgoing]:
    """RFC 3261 18.4: what ICMP reports, under the key of the client transaction where it quotes a request."""
    failures = []
    for quote, flow in errors:
        branch, method = quoted_request(quote)
        # There is no answer to an ACK, and its branch may be that of an INVITE that goes well.
        key = client_key(branch, method) if branch and method != b"ACK" else b""
        failures.append(Outgoing(quote, flow, key))
    return failures
