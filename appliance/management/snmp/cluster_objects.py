"""The cluster in SIGNALBOX-MIB: members, virtual addresses, servers of etcd; nothing on a node without a cluster."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.catalogue import mib_objects as mib
from appliance.catalogue.cluster_status import ClusterStatus
from appliance.management.snmp.object_tree import Variable
from appliance.management.snmp.signalbox_objects import object_variables, table_rows


def cluster_variables(status: ClusterStatus | None) -> Iterator[Variable]:
    """All of them. `status`: None for a node that is in no cluster, or does not know."""
    if status is None:
        return
    yield from object_variables(mib.CLUSTER, mib.CLUSTER_OBJECTS, status)
    yield from table_rows(mib.MEMBERS, [(member.number + 1, member) for member in status.members])
    yield from table_rows(mib.VIRTUAL_ADDRESSES, enumerate(status.addresses, 1))
    yield from table_rows(mib.ETCD_SERVERS, enumerate(status.etcd_servers, 1))
