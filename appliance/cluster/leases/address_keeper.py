"""An owned address on this machine: the lease, the address on its interface, announcements to the neighbours."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from appliance.cluster.leases.interface_addresses import InterfaceAddresses
from appliance.cluster.leases.kernel_lease import KernelLease, LeaseResult
from appliance.cluster.leases.link import Link
from appliance.messages.membership import VirtualAddress

# A neighbour may miss one announcement, or limit how often it changes its table.
ANNOUNCE_AFTER_S: Final = (0.0, 0.05, 0.2, 0.5)
NEVER: Final = float("inf")

log = logging.getLogger("signalbox.lease")


class AddressKeeper:
    """The virtual addresses of a node in its kernel. Raises OSError when the kernel refuses."""

    def __init__(
        self, addresses: Iterable[VirtualAddress], lifetime_s: int, clock: Callable[[], float]
    ) -> None:
        self._addresses = {address.number: address for address in addresses}
        self._lifetime_s = lifetime_s
        self._clock = clock
        self._lease = KernelLease(clock)
        self._interface = InterfaceAddresses()
        self._links: dict[str, Link] = {}
        self._open_until: dict[int, float] = {}
        self._renew_at: dict[int, float] = {}
        self._announcements: list[tuple[float, int]] = []

    @property
    def late(self) -> int:
        """How often a lease was not written in time after the clock was read."""
        return self._lease.late

    def link(self, interface: str) -> Link:
        """The door to an interface. Raises OSError when there is none of that name."""
        if interface not in self._links:
            self._links[interface] = Link(interface)
        return self._links[interface]

    def open(self, number: int, until: float) -> bool:
        """Take an address; False: it was too late."""
        address = self._addresses[number]
        if self._lease.open(number, address.addresses, until) is not LeaseResult.OPEN:
            self.close(number)
            return False
        if not self._put_on_interface(address):
            self.close(number)
            return False
        self._open_until[number] = until
        now = self._clock()
        self._renew_at[number] = now + self._lifetime_s / 4
        self._announcements = [planned for planned in self._announcements if planned[1] != number]
        for after_s in ANNOUNCE_AFTER_S:
            heapq.heappush(self._announcements, (now + after_s, number))
        self.announce_due(now)
        return True

    def renew(self, number: int, until: float) -> bool:
        """Renew a lease; False: it has ended, and the address is removed."""
        address = self._addresses[number]
        if self._lease.renew(number, address.addresses, until) is not LeaseResult.OPEN:
            self.close(number)
            return False
        self._open_until[number] = until
        now = self._clock()
        if now >= self._renew_at[number]:
            self._renew_at[number] = now + self._lifetime_s / 4
            # An interface that is down may refuse it; the lease decides, and the members that are not heard then.
            self._put_on_interface(address)
        return True

    def _put_on_interface(self, address: VirtualAddress) -> bool:
        try:
            self._interface.add(address.interface, address.addresses, self._lifetime_s)
        except OSError as fault:
            log.error("address %s cannot be put on interface %s: %s", address.name, address.interface, fault)
            return False
        return True

    def suspend(self, number: int) -> None:
        """Close the lease; the address remains."""
        self._open_until.pop(number, None)
        self._lease.close(self._addresses[number].addresses)

    def close(self, number: int) -> None:
        """Give an address away."""
        self.suspend(number)
        address = self._addresses[number]
        self._interface.remove(address.interface, address.addresses)

    def suspend_all(self) -> None:
        """Close all leases, open or not."""
        for number in self._addresses:
            self.suspend(number)

    def close_all(self) -> None:
        """All of them, whether they are here or not."""
        for number in self._addresses:
            self.close(number)

    def announce_due(self, now: float) -> None:
        """Tell neighbours what is due, of addresses whose lease is open: an interface does not check that."""
        while self._announcements and self._announcements[0][0] <= now:
            _, number = heapq.heappop(self._announcements)
            address = self._addresses[number]
            for text in address.addresses:
                if self._clock() < self._open_until.get(number, 0.0):
                    with suppress(OSError):
                        self.link(address.interface).announce(text)

    @property
    def next_announcement(self) -> float:
        """When the next one is due."""
        return self._announcements[0][0] if self._announcements else NEVER
