"""The settings of one node, of those that hold for all nodes of a cluster."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_interface

from appliance.catalogue.cluster_settings import NodeSettings
from appliance.catalogue.cluster_values import number_of
from appliance.catalogue.settings import Settings


def settings_of_node(settings: Settings, name: str) -> Settings:
    """The settings as the node of this name has them: its listeners and interfaces have their addresses on it.

    What its section says of a listener changes places with the listener's address, which other nodes have: so all
    addresses of a listener are still there.
    """
    section = next((node for node in settings.nodes if node.name == name), NodeSettings(name))
    own = section.own_addresses
    listeners = tuple(
        replace(listener, address=own.get(listener.name, listener.address)) for listener in settings.listeners
    )
    addresses = {listener.name: listener.address for listener in settings.listeners}
    elsewhere = tuple(f"{listener} {addresses[listener]}" for listener in own if listener in addresses)
    nodes = tuple(replace(node, listeners=elsewhere) if node is section else node for node in settings.nodes)
    interfaces = section.interfaces or settings.interfaces
    return replace(settings, listeners=listeners, nodes=nodes, interfaces=interfaces)


def virtual_ip_addresses(settings: Settings) -> frozenset[str]:
    """The virtual addresses, without the lengths of their prefixes."""
    return frozenset(
        str(ip_interface(text).ip) for section in settings.virtual_addresses for text in section.addresses
    )


def addresses_at_places(settings: Settings) -> tuple[int, ...]:
    """By place of a listener, the number of the virtual address that it is at; 0 for none."""
    numbers = {
        str(ip_interface(text).ip): number_of(section.name)
        for section in settings.virtual_addresses
        for text in section.addresses
    }
    return tuple(numbers.get(listener.address, 0) for listener in settings.listeners)
