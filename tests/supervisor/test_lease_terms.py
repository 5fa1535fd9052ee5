"""The launch document of the lease process, made from the cluster file, the configuration and the interfaces."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_interface

from appliance.catalogue.cluster_settings import ClusterSettings, NodeSettings, VirtualAddressSettings
from appliance.catalogue.cluster_values import number_of
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.messages.lease_settings import LeaseSettings
from appliance.messages.membership import Member, Membership
from appliance.storage.cluster_file import ClusterFile, EtcdAccess
from appliance.supervisor.lease_terms import heartbeat_key, lease_launch, missing_interfaces, node_faults

MEMBERSHIP = Membership(
    3, (Member(1, "a", "10.0.0.1", 7677), Member(2, "b", "10.0.0.2", 7677), Member(7, "w", "10.0.0.7", 7677, True))
)
KNOWN = ClusterFile("test", 2, "ab" * 32, "", MEMBERSHIP, EtcdAccess(()), epochs=((number_of("sip"), 17),))
SIP = VirtualAddressSettings("sip", addresses=("10.0.0.50/24", "2001:db8::50/64"), preempt=True)
SETTINGS = Settings(virtual_addresses=(SIP,))
INTERFACES = {"lo": [ip_interface("127.0.0.1/8")], "ens3": [ip_interface("10.0.0.2/24")]}


def test_addresses_and_members_are_those_of_the_cluster() -> None:
    launch = lease_launch(KNOWN, SETTINGS, INTERFACES, "/run/lease.sock")
    launch.check()
    (address,) = launch.addresses
    assert (launch.me, launch.membership, launch.epochs) == (2, MEMBERSHIP, KNOWN.epochs)
    assert (address.number, address.name, address.addresses) == (number_of("sip"), "sip", SIP.addresses)
    # All nodes by their numbers; a witness owns nothing.
    assert (address.preference, address.interface, address.preempt) == ((1, 2), "ens3", True)
    assert not launch.is_ready


def test_nodes_are_preferred_in_the_order_of_the_lines() -> None:
    ordered = replace(SETTINGS, virtual_addresses=(replace(SIP, nodes=("b", "gone", "a")),))
    assert lease_launch(KNOWN, ordered, INTERFACES, "").addresses[0].preference == (2, 1)


def test_a_node_without_an_interface_for_the_address_does_not_own_it() -> None:
    for section, reason in (
        (replace(SIP, interface="eth7"), "there is no interface eth7"),
        (replace(SIP, addresses=("192.0.2.50/28",)), "no interface has an address in 192.0.2.48/28"),
    ):
        settings = replace(SETTINGS, virtual_addresses=(section,))
        assert lease_launch(KNOWN, settings, INTERFACES, "").addresses[0].preference == (1,)
        sentence = f"This node cannot own virtual-address sip: {reason}."
        assert list(missing_interfaces(settings, INTERFACES)) == [("sip", sentence)]
    assert list(missing_interfaces(SETTINGS, INTERFACES)) == []


def test_the_interface_is_not_found_by_the_virtual_address_itself() -> None:
    there = {"br0": [ip_interface("10.0.0.50/24")]}
    assert lease_launch(KNOWN, SETTINGS, there, "").addresses[0].interface == ""


def test_the_default_times_are_those_that_were_measured() -> None:
    assert lease_launch(KNOWN, SETTINGS, INTERFACES, "").settings == LeaseSettings()


def test_members_whose_promises_differ_do_not_understand_each_other() -> None:
    keys = {
        heartbeat_key(KNOWN.key, times)
        for times in (ClusterSettings(), ClusterSettings(lease_ms=450), ClusterSettings(margin_ms=60))
    }
    assert len(keys) == 3 and KNOWN.key not in keys
    # How often heartbeats are sent is no promise.
    assert heartbeat_key(KNOWN.key, ClusterSettings(heartbeat_ms=100)) in keys


def test_an_unknown_node_is_named_with_what_to_type() -> None:
    settings = Settings(
        listeners=(ListenerSettings("phones"),),
        virtual_addresses=(replace(SIP, nodes=("a", "w")),),
        nodes=(NodeSettings("bb", listeners=("phones 10.0.0.2",)),),
    )
    assert [str(fault) for fault in node_faults(settings, MEMBERSHIP)] == [
        "virtual-address sip: the cluster has no node w; type a or b",
        "node bb: the cluster has no node of that name; did you mean \"b\"? type a or b",
    ]
