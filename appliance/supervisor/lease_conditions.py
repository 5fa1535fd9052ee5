"""The alarms about virtual addresses and the lease process. A pure look at what is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from appliance.catalogue.alarms import (
    ADDRESS_ELSEWHERE,
    ADDRESS_WITHOUT_INTERFACE,
    ADDRESS_WITHOUT_OWNER,
    LEASE_NOT_REAL_TIME,
    LEASE_PROCESS_DOWN,
    SPLIT_OBSERVED,
    Condition,
)
from appliance.catalogue.settings import Settings
from appliance.messages.membership import Membership
from appliance.supervisor.known_addresses import KnownAddresses

# Longer than a take-over, and than members that have all just started need.
UNOWNED_S: Final = 3.0
# Longer than a handover, in which one says it still and the other one says it already.
SPLIT_S: Final = 1.0
# A member that was not heard for longer is not there.
UNHEARD_MS: Final = 1500
SUBJECT: Final = "lease"


def address_conditions(known: KnownAddresses, membership: Membership, now: float) -> Iterator[Condition]:
    """What is wrong with addresses, by the last report of the lease process."""
    for address in known.addresses.values():
        subject = f"virtual-address {address.name}"
        if now - known.unowned_since.get(address.number, now) >= UNOWNED_S:
            yield Condition(ADDRESS_WITHOUT_OWNER, subject, f"No node owns {subject}.")
        if address.is_elsewhere:
            text = f"A machine outside of the cluster answers for an address of {subject}; this node does not take it."
            yield Condition(ADDRESS_ELSEWHERE, subject, text)
        if now - known.split_since.get(address.number, now) >= SPLIT_S:
            names = " and ".join(membership.member(number).name for number in address.claimed_by)
            yield Condition(SPLIT_OBSERVED, subject, f"Nodes {names} say that they own {subject}.")
    heard = sum(age is not None and age <= UNHEARD_MS for age in known.heard_ms_ago.values())
    if known.heard_ms_ago and heard + 1 < membership.majority:
        text = f"This node hears {heard} of {len(known.heard_ms_ago)} other members; it can own no virtual address."
        yield Condition(SPLIT_OBSERVED, "members", text)
    if known.addresses and not known.is_real_time:
        yield Condition(LEASE_NOT_REAL_TIME, SUBJECT, "The lease process has no real time priority.")


def process_conditions(is_down: bool, deaths: int, last_ending: str) -> Iterator[Condition]:
    """Does the lease process run?"""
    if is_down and deaths:
        yield Condition(LEASE_PROCESS_DOWN, SUBJECT, f"The lease process is being restarted: {last_ending}.")


def interface_conditions(missing: list[tuple[str, str]]) -> Iterator[Condition]:
    """`missing`: (name, sentence) of virtual addresses that this node has no interface for."""
    for name, sentence in missing:
        yield Condition(ADDRESS_WITHOUT_INTERFACE, f"virtual-address {name}", sentence)


def conditions_without_cluster(settings: Settings) -> Iterator[Condition]:
    """Virtual addresses of a node that is in no cluster: no node owns them."""
    for section in settings.virtual_addresses:
        text = (
            f"This node is in no cluster, so no node owns virtual-address {section.name}. Type `signalbox cluster "
            "create` or `signalbox cluster join`, or delete the section."
        )
        yield Condition(ADDRESS_WITHOUT_OWNER, f"virtual-address {section.name}", text)
