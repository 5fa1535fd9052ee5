"""Datagrams that the kernel does not send from a virtual address, because another node owns it (design 4).

The kernel knows that before this worker is told. Such a datagram is lost, as one that is lost on the way: the call goes
on at the other node, and a failure here would end it (RFC 3261 18.4).
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING

from appliance.transport.flow import Outgoing

if TYPE_CHECKING:
    from appliance.workers.datagrams import Parcel


class FencedAddresses:
    """`addresses`: by place, those of the listeners that are at virtual addresses."""

    def __init__(self) -> None:
        self.addresses: Mapping[int, str] = {}

    def failures(self, listener: int, failed: list[Outgoing], denied: list[Parcel] | None) -> list[Outgoing]:
        """What to tell of datagrams that could not be sent: those that are lost have no branch any more, so that they
        are counted and end no transaction. `denied`: those that the firewall of this machine has dropped.
        """
        address = self.addresses.get(listener)
        if address is None:
            return failed
        # The fence comes first, then the address goes.
        dropped = {id(outgoing) for outgoing, _, _ in denied or ()}
        if len(dropped) < len(failed) and not is_here(address):
            dropped = set(map(id, failed))
        return [Outgoing(each.data, each.flow, b"") if id(each) in dropped else each for each in failed]


def is_here(address: str) -> bool:
    """Has this machine the address?"""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as trial:
        try:
            trial.bind((address, 0))
        except OSError:
            return False
        return True
