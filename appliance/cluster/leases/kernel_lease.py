"""The lease in the kernel: elements of nftables sets that end by themselves. Without one, rules drop all packets from
and to the address (cluster/fence_rules.py).

A renewal is delete + add in one batch: it fails when the lease has ended, so that a late one revives nothing. And a
process can be stopped between reading the clock and speaking to the kernel. Therefore it writes a ticket first, which
ends after some milliseconds; then it reads the clock; then the batch takes the ticket away, and fails as a whole when
the ticket has ended. So a lease outlives its authority by no more than the ticket, which is less than the margin.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable, Sequence
from enum import IntEnum
from ipaddress import ip_interface
from typing import Final

from appliance.cluster.leases.fence_rules import ARP_SET, INET_SETS, TABLE, TICKET_SET
from appliance.cluster.leases.netlink import NLM_F_CREATE, NetlinkRefused, NetlinkSocket, attribute, nested

TICKET_MS: Final = 20
TICKET_TRIES: Final = 3

_NETLINK_NETFILTER: Final = 12
_SUBSYSTEM: Final = 10
_BATCH_BEGIN, _BATCH_END = 16, 17
_NEW_ELEMENT: Final = _SUBSYSTEM << 8 | 12
_DELETE_ELEMENT: Final = _SUBSYSTEM << 8 | 14
_INET, _ARP = 1, 3
_LIST_TABLE, _LIST_SET, _LIST_ELEMENTS = 1, 2, 3
_LIST_ELEMENT: Final = 1
_ELEMENT_KEY, _ELEMENT_TIMEOUT = 1, 4
_DATA_VALUE: Final = 1

Message = tuple[int, int, bytes]
_BEGIN: Final[Message] = (_BATCH_BEGIN, 0, struct.pack("!BBH", 0, 0, _SUBSYSTEM))
_END: Final[Message] = (_BATCH_END, 0, struct.pack("!BBH", 0, 0, _SUBSYSTEM))


class LeaseResult(IntEnum):
    """What came of a batch."""

    OPEN = 0
    # The lease had ended before.
    LAPSED = 1
    # The authority had ended, or this process was held up each time.
    LATE = 2


class KernelLease:
    """The leases of all virtual addresses. `clock`: monotonic seconds. Raises OSError when nftables fails."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.late = 0
        """How often a ticket had ended before its lease was written."""
        self._clock = clock
        self._socket = NetlinkSocket(_NETLINK_NETFILTER)

    def open(self, number: int, addresses: Sequence[str], until: float) -> LeaseResult:
        """Open the lease of an address until then. Fails for a late ticket only."""
        return self._write(number, until, lambda ms: _replaced(addresses, ms))

    def renew(self, number: int, addresses: Sequence[str], until: float) -> LeaseResult:
        """Renew a lease that is open."""
        return self._write(number, until, lambda ms: _renewed(addresses, ms))

    def close(self, addresses: Sequence[str]) -> None:
        """Close the lease, open or not."""
        self._send([*_elements(addresses, _NEW_ELEMENT, 1), *_elements(addresses, _DELETE_ELEMENT)])

    def _write(self, number: int, until: float, batch: Callable[[int], list[Message]]) -> LeaseResult:
        for _ in range(TICKET_TRIES):
            self._send(_ticket_written(number))
            left_ms = int((until - self._clock()) * 1000)
            if left_ms <= 0:
                return LeaseResult.LATE
            try:
                self._send([_ticket(number, _DELETE_ELEMENT), *batch(left_ms)])
            except NetlinkRefused as fault:
                if fault.errno != errno.ENOENT:
                    raise
                # Behind the beginning of the batch stands the ticket.
                if fault.place != 1:
                    return LeaseResult.LAPSED
                self.late += 1
                continue
            return LeaseResult.OPEN
        return LeaseResult.LATE

    def _send(self, messages: list[Message]) -> None:
        self._socket.request([_BEGIN, *messages, _END], acknowledged=len(messages))

    def close_socket(self) -> None:
        """Leave the kernel alone; leases end by themselves."""
        self._socket.close()


def _renewed(addresses: Sequence[str], timeout_ms: int) -> list[Message]:
    return [*_elements(addresses, _DELETE_ELEMENT), *_elements(addresses, _NEW_ELEMENT, timeout_ms)]


def _replaced(addresses: Sequence[str], timeout_ms: int) -> list[Message]:
    """As a renewal, of what may be there or not."""
    return [*_elements(addresses, _NEW_ELEMENT, timeout_ms), *_renewed(addresses, timeout_ms)]


def _ticket_written(number: int) -> list[Message]:
    new, gone = _ticket(number, _NEW_ELEMENT), _ticket(number, _DELETE_ELEMENT)
    return [new, gone, new]


def _ticket(number: int, kind: int) -> Message:
    timeout_ms = TICKET_MS if kind == _NEW_ELEMENT else 0
    return _element(_INET, TICKET_SET, struct.pack("=I", number), kind, timeout_ms)


def _elements(addresses: Sequence[str], kind: int, timeout_ms: int = 0) -> list[Message]:
    messages = []
    for text in addresses:
        address = ip_interface(text).ip
        messages.append(_element(_INET, INET_SETS[address.version], address.packed, kind, timeout_ms))
        if address.version == 4:
            messages.append(_element(_ARP, ARP_SET, address.packed, kind, timeout_ms))
    return messages


def _element(family: int, name: str, key: bytes, kind: int, timeout_ms: int) -> Message:
    element = nested(_ELEMENT_KEY, attribute(_DATA_VALUE, key))
    if timeout_ms:
        element += attribute(_ELEMENT_TIMEOUT, struct.pack("!Q", timeout_ms))
    body = struct.pack("!BBH", family, 0, 0)
    body += attribute(_LIST_TABLE, TABLE.encode() + b"\0") + attribute(_LIST_SET, name.encode() + b"\0")
    body += nested(_LIST_ELEMENTS, nested(_LIST_ELEMENT, element))
    return (kind, NLM_F_CREATE if kind == _NEW_ELEMENT else 0, body)
