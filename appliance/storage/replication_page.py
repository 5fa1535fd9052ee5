"""What the workers of a node and its replicator tell each other about changes: one page of memory, one event.

A worker that has written changes wakes the replicator by the event, where the page says that it is wanted. The
replicator writes how far another node has come in the change log of the table; a worker keeps answers to REGISTER until
then, as long as the page says that there is a node to wait for.

    page:  generation of the table | acknowledged sequence number | is there a node to wait for | is the event wanted
           | the links that are up, a bit for each number of a node
           | is there a node to wait for with calls | for each worker, how many octets of its call log another node has

The supervisor makes both, and its children inherit them. It clears the page when the replicator has ended: no answer
waits for what is not written any more.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Collection
from contextlib import suppress
from struct import Struct
from typing import Final

from appliance.transport.process_id import NODE_MAX

NO_NODE: Final = -1
"""There is no node to wait for."""
_NUMBER: Final = Struct("<q")
_GENERATION_AT: Final = 0
_ACKNOWLEDGED_AT: Final = 8
_WAITED_AT: Final = 16
_WANTED_AT: Final = 24
_CALLS_WAITED_AT: Final = 32
_LINKS_AT: Final = 64
_CALLS_AT: Final = 1024
_LINKS_LEN: Final = NODE_MAX // 8 + 1


class ReplicationMemory:
    """The supervisor's: makes the page and the event. Raises OSError."""

    def __init__(self) -> None:
        self.page_fd = os.memfd_create("signalbox-replication")
        os.ftruncate(self.page_fd, mmap.PAGESIZE)
        self.event_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._memory = mmap.mmap(self.page_fd, mmap.PAGESIZE)

    def clear(self) -> None:
        """The replicator has ended: there is no node to wait for, and no process to wake."""
        self._memory[:] = bytes(mmap.PAGESIZE)

    def close(self) -> None:
        self._memory.close()
        os.close(self.page_fd)
        os.close(self.event_fd)


class ReplicationPage:
    """The page and the event as a child has them."""

    def __init__(self, page_fd: int, event_fd: int) -> None:
        """Raises OSError and ValueError when the descriptors are none."""
        self._memory = mmap.mmap(page_fd, mmap.PAGESIZE)
        self.event_fd = event_fd

    # -- for workers -----------------------------------------------------------------------------------

    def changed(self) -> None:
        """Changes were written to the table."""
        if self._number(_WANTED_AT):
            # An event that is not read is full in the end, and says so: one is enough.
            with suppress(BlockingIOError):
                os.eventfd_write(self.event_fd, 1)

    def acknowledged(self, generation: int) -> int:
        """Up to which change another node has all that was written to the table of this generation; NO_NODE where there
        is no node to wait for.
        """
        if not self._number(_WAITED_AT) or self._number(_GENERATION_AT) != generation:
            return NO_NODE
        return self._number(_ACKNOWLEDGED_AT)

    def is_linked(self, node: int) -> bool:
        """Is the link to that node up?"""
        return bool(self._memory[_LINKS_AT + node // 8] & 1 << node % 8)

    def calls_acknowledged(self, worker: int) -> int | None:
        """How many octets of the call log of a worker another node has; None where there is no node to wait for."""
        return self._number(_CALLS_AT + 8 * worker) if self._number(_CALLS_WAITED_AT) else None

    # -- for the replicator ----------------------------------------------------------------------------

    def note(self, generation: int, acknowledged: int, is_waited: bool) -> None:
        """Another node has all changes up to here. `is_waited`: are answers to wait for that?"""
        if generation != self._number(_GENERATION_AT):
            self._put(_WAITED_AT, 0)
            self._put(_GENERATION_AT, generation)
        self._put(_ACKNOWLEDGED_AT, acknowledged)
        self._put(_WAITED_AT, int(is_waited))

    def want(self, is_wanted: bool) -> None:
        """Is the replicator to be woken?"""
        self._put(_WANTED_AT, int(is_wanted))

    def note_calls(self, worker: int, octets: int) -> None:
        """Another node has the calls that a worker has written up to here."""
        self._put(_CALLS_AT + 8 * worker, octets)

    def wait_for_calls(self, is_waited: bool) -> None:
        """Is there a node to wait for with calls?"""
        self._put(_CALLS_WAITED_AT, int(is_waited))

    def note_links(self, nodes: Collection[int]) -> None:
        """The nodes to which there are links."""
        links = bytearray(_LINKS_LEN)
        for node in nodes:
            links[node // 8] |= 1 << node % 8
        self._memory[_LINKS_AT : _LINKS_AT + _LINKS_LEN] = bytes(links)

    def take_event(self) -> bool:
        """Did workers write since the last call?"""
        try:
            return os.eventfd_read(self.event_fd) > 0
        except BlockingIOError:
            return False

    def close(self) -> None:
        self._memory.close()

    def _number(self, at: int) -> int:
        return int(_NUMBER.unpack_from(self._memory, at)[0])

    def _put(self, at: int, number: int) -> None:
        # One store of eight octets.
        self._memory[at : at + _NUMBER.size] = _NUMBER.pack(number)
