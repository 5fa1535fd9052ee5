"""Rules between the settings of a cluster: virtual addresses, nodes, the times of the lease."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_interface
from typing import Any, Final

from appliance.catalogue.cluster_values import VIRTUAL_ADDRESSES_MAX, listener_address_of, number_of
from appliance.catalogue.contradiction import Contradiction

# So many heartbeats are under way in one lease: fewer would lose addresses by a few lost datagrams.
HEARTBEATS_PER_LEASE_MIN: Final = 4
# The clocks of two machines differ by less than that share within a lease, and the kernel writes in such steps.
LEASE_PER_MARGIN_MAX: Final = 20
KERNEL_STEP_MS: Final = 30


def lease_contradictions(settings: Any) -> Iterator[Contradiction]:
    """Those of the section `cluster`."""
    least_ms = HEARTBEATS_PER_LEASE_MIN * settings.heartbeat_ms
    if settings.lease_ms < least_ms:
        problem = f"`lease` {settings.lease_ms} is too short for a heartbeat every {settings.heartbeat_ms} milliseconds"
        yield Contradiction(("lease_ms", "heartbeat_ms"), problem, f"type `lease {least_ms}` or more")
    margin_ms = max(settings.lease_ms // LEASE_PER_MARGIN_MAX, KERNEL_STEP_MS)
    if settings.margin_ms < margin_ms:
        problem = f"`margin` {settings.margin_ms} is too short for a lease of {settings.lease_ms} milliseconds"
        yield Contradiction(("margin_ms", "lease_ms"), problem, f"type `margin {margin_ms}` or more")


def address_contradictions(settings: Any) -> Iterator[Contradiction]:
    """Those of one section `virtual-address`."""
    for place, name in enumerate(settings.nodes):
        if name in settings.nodes[:place]:
            yield Contradiction(("nodes",), f"`node {name}` is present twice", "delete one of them", place)


def node_contradictions(settings: Any) -> Iterator[Contradiction]:
    """Those of one section `node`."""
    names = [listener_address_of(value)[0] for value in settings.listeners]
    for place, name in enumerate(names):
        if name in names[:place]:
            yield Contradiction(("listeners",), f"`listener {name}` is present twice", "delete one of them", place)


def cluster_contradictions(settings: Any) -> Iterator[Contradiction]:
    """Those between sections."""
    yield from _too_many(settings.virtual_addresses)
    yield from _same_virtual_addresses(settings.virtual_addresses)
    yield from _same_numbers(settings.virtual_addresses)
    yield from _unknown_listeners(settings)


def _too_many(virtual_addresses: tuple[Any, ...]) -> Iterator[Contradiction]:
    if len(virtual_addresses) > VIRTUAL_ADDRESSES_MAX:
        problem = f"there are more than {VIRTUAL_ADDRESSES_MAX} sections `virtual-address`"
        yield Contradiction(
            ("virtual_addresses",), problem, "put several addresses into one section", VIRTUAL_ADDRESSES_MAX
        )


def _same_virtual_addresses(virtual_addresses: tuple[Any, ...]) -> Iterator[Contradiction]:
    owners: dict[str, str] = {}
    for place, section in enumerate(virtual_addresses):
        for text in section.addresses:
            address = str(ip_interface(text).ip)
            if address in owners:
                problem = f"{address} is already an address of virtual-address {owners[address]}"
                yield Contradiction(("virtual_addresses",), problem, "delete one of them", place, "addresses")
            owners[address] = section.name


def _same_numbers(virtual_addresses: tuple[Any, ...]) -> Iterator[Contradiction]:
    owners: dict[int, str] = {}
    for place, section in enumerate(virtual_addresses):
        owner = owners.setdefault(number_of(section.name), section.name)
        if owner != section.name:
            problem = f"the names {owner} and {section.name} give the same number on the wire"
            yield Contradiction(("virtual_addresses",), problem, "rename one of the two", place)


def _unknown_listeners(settings: Any) -> Iterator[Contradiction]:
    known = {listener.name for listener in settings.listeners}
    for place, node in enumerate(settings.nodes):
        for name, _ in map(listener_address_of, node.listeners):
            if name not in known:
                problem = f"node {node.name}: there is no listener {name}"
                yield Contradiction(("nodes",), problem, f"add a section `listener {name}`", place, "listeners")
