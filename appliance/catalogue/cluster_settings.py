"""The sections of a cluster: virtual addresses, what is one node's own, and the times of the lease.

One configuration holds for all nodes. A virtual address is the same everywhere; a listener on it is bound on every
node, and answers on the one that owns the address. Any other listener has on each node the address that the section of
the node says, else its own: a node that is added takes one section, and nothing else changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.catalogue.checked_settings import CheckedSettings
from appliance.catalogue.cluster_values import AddressWithPrefix, Interface, ListenerAddress, listener_address_of
from appliance.catalogue.machine_values import InterfaceLine
from appliance.catalogue.setting_declaration import DRAIN, LIVE, START, name_of_section, setting
from appliance.catalogue.value_types import Choice, Integer, Name, Remark, Switch

CALLS: Final = Choice(
    ("behind", "wait"),
    (
        "They do not wait; a call of the last 20 milliseconds is lost with its node.",
        "They wait, for `replication-wait` at most; each call takes longer and costs more.",
    ),
)


# fmt: off
@dataclass(frozen=True, slots=True)
class VirtualAddressSettings(CheckedSettings):
    """Addresses that move together, and the nodes that may own them."""

    name: str = name_of_section("virtual", Name())
    description: str = setting("", "description", Remark(80), LIVE, "A description for operators.")
    addresses: tuple[str, ...] = setting(
        (), "address", AddressWithPrefix(), LIVE,
        "An address with the length of its prefix, IPv4 or IPv6. All addresses of the section have the same owner.",
        is_many=True)
    interface: str = setting(
        "", "interface", Interface(), LIVE,
        "The network interface that gets the addresses; by default, the one with an address of the same network.")
    nodes: tuple[str, ...] = setting(
        (), "node", Name(), LIVE,
        "A node that may own the addresses, the most preferred one first; by default, all nodes by their numbers.",
        is_many=True)
    preempt: bool = setting(
        False, "preempt", Switch(), LIVE,
        "Give the addresses back to a more preferred node that has been present for `cluster preempt-delay`.")


@dataclass(frozen=True, slots=True)
class NodeSettings(CheckedSettings):
    """What is one node's own."""

    name: str = name_of_section("node", Name())
    description: str = setting("", "description", Remark(80), LIVE, "A description for operators.")
    listeners: tuple[str, ...] = setting(
        (), "listener", ListenerAddress(), DRAIN,
        "The address of a listener on this node, in place of the one in its own section.", is_many=True)
    interfaces: tuple[str, ...] = setting(
        (), "interface", InterfaceLine(), LIVE,
        "An address or default gateway of a network interface of this node, in place of those for all nodes.",
        is_many=True)

    @property
    def own_addresses(self) -> dict[str, str]:
        """The addresses of listeners on this node, by their names."""
        return dict(map(listener_address_of, self.listeners))


@dataclass(frozen=True, slots=True)
class ClusterSettings(CheckedSettings):
    """The times of the lease; the defaults were measured (docs/high-availability.md)."""

    heartbeat_ms: int = setting(
        50, "heartbeat", Integer(10, 1000, "milliseconds"), LIVE,
        "Interval of the heartbeats between the members.")
    lease_ms: int = setting(
        600, "lease", Integer(100, 60000, "milliseconds"), LIVE,
        "How long a node may own a virtual address after the heartbeat that a majority has acknowledged: most of the "
        "time for which an address is without an owner after a crash. A change interrupts all virtual addresses for "
        "about that time.")
    margin_ms: int = setting(
        50, "margin", Integer(30, 10000, "milliseconds"), LIVE,
        "How much longer than `lease` a member supports no other owner, for clocks of different speed.")
    preempt_delay_s: int = setting(
        10, "preempt-delay", Integer(1, 86400, "seconds"), LIVE,
        "How long a preferred node must be present before a virtual address with `preempt` returns to it.")
    call_memory_mib: int = setting(
        64, "call-memory", Integer(1, 4096, "MiB"), START,
        "Shared memory for the calls in setup of each other node, so that this node can complete them; 1 to 4 KiB per "
        "call.")
    replication_wait_ms: int = setting(
        100, "replication-wait", Integer(0, 5000, "milliseconds"), LIVE,
        "How long the response to a REGISTER waits until another node has the registration, while there is a link to "
        "one. Then it is sent anyway (counter `registrations-unreplicated`).")
    copies: int = setting(
        1, "copies", Integer(1, 6), LIVE,
        "How many other nodes must have a registration before the response to the REGISTER is sent; no more than there "
        "are links to. All nodes get all registrations, whatever this says.")
    calls: str = setting(
        "behind", "calls", CALLS, LIVE,
        "Whether the messages of a call in setup wait until the node that would take it over has the call.")
    changes_kept: int = setting(
        100000, "changes-kept", Integer(0, 900000), LIVE,
        "Changes of registrations that are kept for nodes that are away. A node that misses more of them compares all "
        "registrations when it is back.")
# fmt: on
