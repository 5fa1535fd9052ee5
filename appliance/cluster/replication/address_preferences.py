"""Which nodes may own the virtual addresses of a configuration."""

from __future__ import annotations

from appliance.catalogue.cluster_values import number_of
from appliance.catalogue.settings import Settings
from appliance.messages.membership import Membership


def preferences(settings: Settings, membership: Membership) -> dict[int, tuple[int, ...]]:
    """By number of a virtual address, the numbers of the nodes that may own it, the most preferred first."""
    nodes = {member.name: member.number for member in membership.members if not member.is_witness}
    all_nodes = tuple(sorted(nodes.values()))
    return {
        number_of(section.name): tuple(nodes[name] for name in section.nodes if name in nodes) or all_nodes
        for section in settings.virtual_addresses
    }
