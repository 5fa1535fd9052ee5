"""The members of a cluster, and the virtual addresses that its nodes may own. Values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NO_MEMBER: Final = 0
"""Members have numbers from 1."""


@dataclass(frozen=True, slots=True)
class Member:
    """A machine with a vote. A witness votes and never owns an address.

    `number`      from 1; the number of the node in ProcessId and in versions of records. Never used for another member.
    `host`        its own address, which the other members reach it by.
    `port`        where it takes heartbeats, UDP.
    `link_port`   where it takes links of other nodes, TCP.
    `public_key`  of its links, 40 characters (Z85, as ZeroMQ writes keys).
    """

    number: int
    name: str
    host: str = ""
    port: int = 0
    is_witness: bool = False
    link_port: int = 0
    public_key: str = ""


@dataclass(frozen=True, slots=True)
class VirtualAddress:
    """Addresses that move together.

    `number`      the same on all members, from 1.
    `addresses`   with prefix lengths, "10.77.0.50/24"; IPv4 and IPv6.
    `interface`   where this node puts them.
    `preference`  the members that may own it, the most preferred first.
    `preempt`     does it return to a preferred member that is present again?
    """

    number: int
    name: str
    preference: tuple[int, ...]
    addresses: tuple[str, ...] = ()
    interface: str = ""
    preempt: bool = False


@dataclass(frozen=True, slots=True)
class Membership:
    """The members of one version of the cluster. Those of the version before and of the next are understood as well."""

    version: int
    members: tuple[Member, ...]

    @property
    def majority(self) -> int:
        """So many members are more than half."""
        return len(self.members) // 2 + 1

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of all members."""
        return tuple(member.number for member in self.members)

    def follows(self, before: Membership) -> bool:
        """Is it the next version, with one member more or one less, and all others as they were?

        Then any majority of the one and any majority of the other have a member in common.
        """
        return self.version == before.version + 1 and len({*self.members} ^ {*before.members}) == 1

    def member(self, number: int) -> Member:
        """The member of this number. Raises KeyError."""
        for member in self.members:
            if member.number == number:
                return member
        raise KeyError(number)

    def others(self, number: int) -> tuple[Member, ...]:
        """All members but that one."""
        return tuple(member for member in self.members if member.number != number)
