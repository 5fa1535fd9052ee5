"""The cluster in SIGNALBOX-MIB: what one node knows of it; nothing where there is none."""

from __future__ import annotations

from appliance.catalogue import mib_objects as mib
from appliance.catalogue.cluster_status import PRESENT, AddressStatus, ClusterStatus, EtcdServerStatus, MemberStatus
from appliance.catalogue.mib_objects import MibTable, Oid
from appliance.management.snmp.cluster_objects import cluster_variables
from appliance.management.snmp.object_tree import Missing, ObjectTree, Value
from appliance.management.snmp.signalbox_objects import FALSE, TRUE

STATUS = ClusterStatus(
    name="voice",
    node="a",
    membership=3,
    etcd="etcd answers.",
    unrecorded=1,
    members=[
        MemberStatus(number=0, name="a", kind="node", is_self=True, state=PRESENT, host="192.0.2.1"),
        MemberStatus(number=2, name="w", kind="witness", state=PRESENT, host="192.0.2.3", clock_ms=-7),
    ],
    addresses=[AddressStatus("front", ["192.0.2.10", "2001:db8::10"], "eth0", "b", 1796000000.0, 5, "stands by")],
    drained=["w"],
    etcd_servers=[EtcdServerStatus("https://192.0.2.1:2379", "leader", "3.5.16", 20480)],
)


def served(*oid: int) -> int | bytes | str | Oid:
    found = ObjectTree(cluster_variables(STATUS)).get(oid)
    assert isinstance(found, Value), found
    return found.now


def column(table: MibTable, name: str) -> int:
    return next(column.number for column in table.columns if column.name == name)


def test_the_cluster_is_named_with_its_node_and_its_membership() -> None:
    assert [served(*mib.CLUSTER, number, 0) for number in (1, 2, 3, 5)] == [b"voice", b"a", 3, 1]


def test_each_member_has_a_row_by_its_number() -> None:
    entry = (*mib.MEMBERS.oid, 1)
    assert served(*entry, column(mib.MEMBERS, "MemberName"), 3) == b"w"
    assert served(*entry, column(mib.MEMBERS, "MemberIsSelf"), 1) == TRUE
    assert served(*entry, column(mib.MEMBERS, "MemberState"), 1) == b"present"


def test_a_clock_may_be_behind_and_is_not_there_where_it_is_not_known() -> None:
    clock = (*mib.MEMBERS.oid, 1, column(mib.MEMBERS, "MemberClockAhead"))
    assert served(*clock, 3) == -7
    assert ObjectTree(cluster_variables(STATUS)).get((*clock, 1)) is Missing.INSTANCE


def test_a_virtual_address_has_its_owner_and_epoch() -> None:
    entry = (*mib.VIRTUAL_ADDRESSES.oid, 1)
    values = [served(*entry, number, 1) for number in (2, 3, 5, 7, 9)]
    assert values == [b"front", b"192.0.2.10 2001:db8::10", b"b", 5, FALSE]
    assert served(*mib.CLUSTER, 6, 0) == b"w"


def test_servers_of_etcd_have_their_state_and_size() -> None:
    entry = (*mib.ETCD_SERVERS.oid, 1)
    assert [served(*entry, number, 1) for number in (3, 5)] == [b"leader", 20]


def test_a_node_that_is_in_no_cluster_has_none_of_them() -> None:
    assert list(cluster_variables(None)) == []
