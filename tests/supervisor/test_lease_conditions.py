"""The alarms about virtual addresses, by what the lease process reports."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_interface

from appliance.catalogue.alarms import (
    ADDRESS_ELSEWHERE,
    ADDRESS_WITHOUT_INTERFACE,
    ADDRESS_WITHOUT_OWNER,
    LEASE_NOT_REAL_TIME,
    LEASE_PROCESS_DOWN,
    SPLIT_OBSERVED,
)
from appliance.catalogue.cluster_settings import VirtualAddressSettings
from appliance.catalogue.settings import Settings
from appliance.messages.membership import Member, Membership
from appliance.supervisor.known_addresses import KnownAddress, KnownAddresses
from appliance.supervisor.lease_conditions import (
    SPLIT_S,
    UNOWNED_S,
    address_conditions,
    conditions_without_cluster,
    interface_conditions,
    process_conditions,
)
from appliance.supervisor.lease_terms import missing_interfaces

MEMBERS = Membership(1, (Member(1, "a"), Member(2, "b"), Member(3, "c")))
ADDRESS = KnownAddress(5, "sip", 1, 9, "following", 0.0, 0, False)


def found(known: KnownAddresses, now: float) -> list[tuple[str, str]]:
    return [(condition.name, condition.text) for condition in address_conditions(known, MEMBERS, now)]


def known(address: KnownAddress = ADDRESS) -> KnownAddresses:
    return KnownAddresses(2, {5: address}, {1: 20, 3: 40})


def test_nothing_is_wrong() -> None:
    assert found(known(), 100.0) == []


def test_an_address_is_without_an_owner_for_longer_than_a_take_over() -> None:
    unowned = known(replace(ADDRESS, owner=0))
    unowned.unowned_since = {5: 100.0}
    assert found(unowned, 100.0 + UNOWNED_S - 0.1) == []
    assert found(unowned, 100.0 + UNOWNED_S) == [(ADDRESS_WITHOUT_OWNER, "No node owns virtual-address sip.")]


def test_two_owners_are_seen_for_longer_than_a_handover() -> None:
    split = known(replace(ADDRESS, claimed_by=(1, 3)))
    split.split_since = {5: 100.0}
    assert found(split, 100.0 + SPLIT_S / 2) == []
    assert found(split, 100.0 + SPLIT_S) == [(SPLIT_OBSERVED, "Nodes a and c say that they own virtual-address sip.")]


def test_this_node_is_cut_off() -> None:
    cut = known()
    cut.heard_ms_ago = {1: 5000, 3: None}
    text = "This node hears 0 of 2 other members; it can own no virtual address."
    assert found(cut, 100.0) == [(SPLIT_OBSERVED, text)]
    cut.heard_ms_ago = {1: 5000, 3: 40}
    assert found(cut, 100.0) == []


def test_what_the_lease_process_says_of_itself_and_of_others() -> None:
    said = known(replace(ADDRESS, is_elsewhere=True))
    said.is_real_time = False
    assert [name for name, _ in found(said, 100.0)] == [ADDRESS_ELSEWHERE, LEASE_NOT_REAL_TIME]


def test_the_lease_process_fails() -> None:
    assert not list(process_conditions(True, 0, "exited with status 0"))
    (condition,) = process_conditions(True, 1, "exited with status 2")
    assert condition.name == LEASE_PROCESS_DOWN and "status 2" in condition.text


def test_this_node_has_no_interface_for_an_address() -> None:
    section = VirtualAddressSettings(name="sip", addresses=("192.0.2.50/24",))
    settings = Settings(virtual_addresses=(section,))
    elsewhere, there = ({"eth0": (ip_interface(text),)} for text in ("198.51.100.1/24", "192.0.2.11/24"))
    (condition,) = interface_conditions(list(missing_interfaces(settings, elsewhere)))
    assert (condition.name, condition.subject) == (ADDRESS_WITHOUT_INTERFACE, "virtual-address sip")
    assert condition.text == (
        "This node cannot own virtual-address sip: no interface has an address in 192.0.2.0/24."
    )
    assert not list(missing_interfaces(settings, there))


def test_a_node_in_no_cluster_owns_nothing() -> None:
    settings = Settings(virtual_addresses=(VirtualAddressSettings("sip", addresses=("10.0.0.50/24",)),))
    (condition,) = conditions_without_cluster(settings)
    assert condition.name == ADDRESS_WITHOUT_OWNER
    assert condition.text.startswith("This node is in no cluster, so no node owns virtual-address sip.")
    assert not list(conditions_without_cluster(Settings()))
