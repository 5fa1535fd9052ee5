"""What the lease process is started with, made from what the node knows of its cluster and from the configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from typing import Final

from appliance.catalogue.cluster_settings import ClusterSettings, VirtualAddressSettings
from appliance.catalogue.cluster_values import number_of
from appliance.catalogue.errors import Fault, alternatives, nearest
from appliance.catalogue.settings import Settings
from appliance.ipc.lease_launch import LeaseLaunch
from appliance.messages.lease_settings import KEY_LEN, LeaseSettings
from appliance.messages.membership import Membership, VirtualAddress
from appliance.storage.cluster_file import ClusterFile

# The addresses of each network interface of this machine.
Interfaces = Mapping[str, Sequence[IPv4Interface | IPv6Interface]]

_PERSON: Final = b"sbx heartbeats"
# In heartbeats: how long a claim waits for a majority, how long a member is present after it was heard, the slot of a
# candidate.
_CLAIM, _PRESENT, _SLOT = 2, 4, 1.6


def lease_launch(known: ClusterFile, settings: Settings, interfaces: Interfaces, control_path: str) -> LeaseLaunch:
    """The start of the lease process of this node. It owns nothing before it is told that the node is ready."""
    return LeaseLaunch(
        known.me,
        known.membership,
        tuple(_virtual_address(each, known, interfaces) for each in settings.virtual_addresses if each.addresses),
        heartbeat_key(known.key, settings.cluster).hex(),
        control_path,
        lease_settings(settings.cluster),
        known.epochs,
        is_ready=False,
    )


def heartbeat_key(cluster_key: bytes, times: ClusterSettings) -> bytes:
    """The key by which heartbeats are authenticated. A promise is only as good as lease and margin are the same at both
    ends: so members with other ones do not understand each other."""
    terms = f"{times.lease_ms} {times.margin_ms}".encode()
    return blake2b(terms, key=cluster_key, digest_size=KEY_LEN, person=_PERSON).digest()


def lease_settings(times: ClusterSettings) -> LeaseSettings:
    """The times of the lease process; those that are not configured follow the heartbeat."""
    return LeaseSettings(
        heartbeat_ms=times.heartbeat_ms,
        lease_ms=times.lease_ms,
        margin_ms=times.margin_ms,
        rank_slot_ms=round(_SLOT * times.heartbeat_ms),
        claim_ms=_CLAIM * times.heartbeat_ms,
        heard_ms=_PRESENT * times.heartbeat_ms,
        preempt_ms=1000 * times.preempt_delay_s,
    )


def _virtual_address(section: VirtualAddressSettings, known: ClusterFile, interfaces: Interfaces) -> VirtualAddress:
    interface = interface_of(section, interfaces)
    # Without an interface for it this node is no candidate.
    preference = tuple(
        number for number in _preference(section, known.membership) if number != known.me or interface in interfaces
    )
    return VirtualAddress(
        number_of(section.name), section.name, preference, section.addresses, interface, section.preempt
    )


def _preference(section: VirtualAddressSettings, membership: Membership) -> list[int]:
    nodes = {member.name: member.number for member in membership.members if not member.is_witness}
    if not section.nodes:
        return sorted(nodes.values())
    return [nodes[name] for name in section.nodes if name in nodes]


def interface_of(section: VirtualAddressSettings, interfaces: Interfaces) -> str:
    """The interface that gets the addresses; "" when there is none with an address of the same network."""
    if section.interface:
        return section.interface
    networks = [ip_interface(text).network for text in section.addresses]
    virtual = [ip_interface(text).ip for text in section.addresses]
    for name, addresses in interfaces.items():
        for address in addresses:
            if address.ip not in virtual and any(
                address.version == network.version and address.ip in network for network in networks
            ):
                return name
    return ""


def node_faults(settings: Settings, membership: Membership) -> Iterator[Fault]:
    """Names of nodes that the cluster has not, for the operator who commits them."""
    known = [member.name for member in membership.members if not member.is_witness]
    for section in settings.virtual_addresses:
        for name in section.nodes:
            if name not in known:
                yield _unknown(f"virtual-address {section.name}: the cluster has no node {name}", name, known)
    for node in settings.nodes:
        if node.name not in known:
            yield _unknown(f"node {node.name}: the cluster has no node of that name", node.name, known)


def _unknown(problem: str, name: str, known: Sequence[str]) -> Fault:
    near = nearest(name, known)
    hint = f'did you mean "{near}"? ' if near else ""
    return Fault(0, 0, problem, f"{hint}type {alternatives(known)}")


def missing_interfaces(settings: Settings, interfaces: Interfaces) -> Iterator[tuple[str, str]]:
    """(name, sentence) of each virtual address that this node has no interface for."""
    for section in settings.virtual_addresses:
        interface = interface_of(section, interfaces)
        if interface in interfaces or not section.addresses:
            continue
        if section.interface:
            reason = f"there is no interface {interface}"
        else:
            networks = " or ".join(str(ip_interface(text).network) for text in section.addresses)
            reason = f"no interface has an address in {networks}"
        yield section.name, f"This node cannot own virtual-address {section.name}: {reason}."
