"""What operators see of the replication to a member (`show cluster`)."""

from __future__ import annotations

from appliance.catalogue.cluster_status import LINKED, UNLINKED, MemberStatus
from appliance.ipc.launch import ReplicatorLaunch
from appliance.messages.link_messages import PeerReplication, ReplicationReport
from appliance.storage.replication_page import ReplicationMemory
from appliance.supervisor.replicator_process import ReplicatorProcess


def test_a_member_has_its_link_its_sync_and_its_lag() -> None:
    memory = ReplicationMemory()
    try:
        process = ReplicatorProcess(ReplicatorLaunch("", "", "", 1, -1, -1), memory, lambda sentence: None)
        up = PeerReplication(2, "b", is_connected=True, is_in_sync=True, lag=7)
        process.heard(ReplicationReport([up, PeerReplication(3, "c")], True), 1.0)
        members = [MemberStatus(1, "a", is_self=True), MemberStatus(2, "b"), MemberStatus(3, "c"), MemberStatus(4, "w")]
        seen = [(one.link, one.is_in_sync, one.lag) for one in map(process.with_link, members)]
        assert seen == [("", None, None), (LINKED, True, 7), (UNLINKED, None, None), ("", None, None)]
    finally:
        memory.close()
