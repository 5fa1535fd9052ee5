"""Values of the sections for a cluster that have several parts: addresses with their prefix, and a listener's own."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from appliance.catalogue.errors import ValueFault
from appliance.catalogue.value_types import Name, without_brackets

# As many as one heartbeat has room for.
VIRTUAL_ADDRESSES_MAX: Final = 28
NUMBER_MAX: Final = 0xFFFF
# IFNAMSIZ of Linux, less the octet at the end.
INTERFACE_LEN_MAX: Final = 15
_INTERFACE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.:@-]{{0,{INTERFACE_LEN_MAX - 1}}}")


@dataclass(frozen=True, slots=True)
class AddressWithPrefix:
    """An address and the length of its network's prefix."""

    placeholder: str = "ADDRESS/LENGTH"
    range_text: str = "an IPv4 or IPv6 address with the length of its prefix, such as 192.0.2.50/24 or 2001:db8::50/64"

    def read(self, words: Sequence[str]) -> str:
        word = words[0] if len(words) == 1 else ""
        address, _, length = word.partition("/")
        try:
            # Without a length, or with a mask, it is none.
            found = ipaddress.ip_interface(f"{without_brackets(address)}/{int(length)}")
        except ValueError:
            raise ValueFault(f'"{" ".join(words)}" is not an address with a prefix length', self._remedy) from None
        if found.ip.is_unspecified or found.ip.is_multicast or found.ip.is_loopback or found.ip.is_link_local:
            raise ValueFault(f"{found.ip} cannot move between machines", self._remedy)
        return found.with_prefixlen

    def write(self, value: str) -> list[str]:
        return [value]

    @property
    def _remedy(self) -> str:
        return f"type {self.range_text}"


@dataclass(frozen=True, slots=True)
class Interface:
    """The name of a network interface; "" for the one that has an address of the same network."""

    placeholder: str = "INTERFACE"
    range_text: str = f"the name of a network interface, up to {INTERFACE_LEN_MAX} characters"

    def read(self, words: Sequence[str]) -> str:
        word = words[0] if len(words) == 1 else " "
        if word and not _INTERFACE.fullmatch(word):
            raise ValueFault(f'"{" ".join(words)}" is not the name of an interface', f"type {self.range_text}")
        return word

    def write(self, value: str) -> list[str]:
        return [value]


@dataclass(frozen=True, slots=True)
class ListenerAddress:
    """A listener and the address that it has on one node."""

    placeholder: str = "NAME ADDRESS"
    range_text: str = "the name of a listener and an IP address"

    def read(self, words: Sequence[str]) -> str:
        if len(words) != 2:
            raise ValueFault("a listener and an address are expected", "type `listener NAME ADDRESS`")
        name = Name().read(words[:1])
        try:
            return f"{name} {ipaddress.ip_address(without_brackets(words[1])).compressed}"
        except ValueError:
            raise ValueFault(f'"{words[1]}" is not an IP address', "type an address such as 192.0.2.1", 1) from None

    def write(self, value: str) -> list[str]:
        return value.split()


def listener_address_of(value: str) -> tuple[str, str]:
    """(listener, address) of a value of ListenerAddress."""
    name, _, address = value.partition(" ")
    return name, address


def number_of(name: str) -> int:
    """The number of a virtual address, 1..NUMBER_MAX: by its name, so it is the same on all members, for ever."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) % NUMBER_MAX + 1
