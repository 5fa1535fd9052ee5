"""Does a machine outside of the cluster have a virtual address? Asked by ARP while this member is silent after its
start, when no member is known to own it (RFC 5227 2.1.1). IPv4 only."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_interface
from typing import Final

from appliance.cluster.leases.address_keeper import AddressKeeper
from appliance.cluster.leases.lease_machine import LeaseMachine
from appliance.messages.membership import VirtualAddress

PROBES: Final = 3
PROBE_EVERY_S: Final = 0.2
# An address that was found elsewhere is asked for again.
AGAIN_AFTER_S: Final = 5.0


class AddressProbes:
    """Probes of the addresses of one member."""

    def __init__(self, addresses: Sequence[VirtualAddress], keeper: AddressKeeper, now: float) -> None:
        self.next_at = now
        self._keeper = keeper
        self._texts = {
            str(ip_interface(text).ip): address
            for address in addresses
            for text in address.addresses
            if ip_interface(text).version == 4
        }
        self._sent = 0
        self._heard: set[str] = set()

    def work(self, machine: LeaseMachine, now: float) -> None:
        """Send what is due, and tell the machine what was heard."""
        if now < self.next_at:
            return
        seen = self._seen()
        if self._sent:
            # What was said before the first probe is old.
            self._note(seen, machine, now)
        if self._sent < PROBES:
            self._send()
            self._sent += 1
            self.next_at = now + PROBE_EVERY_S
            return
        for text, address in self._texts.items():
            machine.set_elsewhere(address.number, text in self._heard)
        self.next_at = now + AGAIN_AFTER_S if self._heard else float("inf")
        self._heard.clear()
        self._sent = 0

    def _note(self, seen: set[str], machine: LeaseMachine, now: float) -> None:
        for text in seen & self._texts.keys():
            record = machine.records[self._texts[text].number]
            # The owner in the cluster answers as well.
            if not record.is_ours and not record.promise.is_bound(now):
                self._heard.add(text)
                machine.set_elsewhere(record.address.number, True)

    def _send(self) -> None:
        for text, address in self._texts.items():
            with suppress(OSError):
                self._keeper.link(address.interface).probe(text)

    def _seen(self) -> set[str]:
        seen: set[str] = set()
        for interface in {address.interface for address in self._texts.values()}:
            with suppress(OSError):
                seen |= self._keeper.link(interface).addresses_seen()
        return seen
