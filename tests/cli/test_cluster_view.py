"""`show cluster`: tables that have rows, each under its headings."""

from __future__ import annotations

from appliance.catalogue.cluster_status import ClusterStatus, EtcdServerStatus, MemberStatus
from appliance.messages.plain_values import plain
from cli.views.cluster import draw_cluster


def test_each_table_with_rows_is_drawn_after_an_empty_line() -> None:
    members = [MemberStatus(1, "a", "node", True, "present"), MemberStatus(2, "w", "witness", False, "unknown")]
    servers = [EtcdServerStatus("http://192.0.2.1:2379", "leader", "3.4.23", 20480)]
    status = ClusterStatus("west", "a", 2, "etcd answers.", 0, members, servers)
    lines = [str(line) for line in draw_cluster(plain(status), {})]
    assert lines[0].split() == ["cluster", "west"]
    first, second = (place for place, line in enumerate(lines) if not line)
    assert [lines[first + row].split()[0] for row in (1, 2, 3)] == ["member", "a", "w"]
    assert [lines[second + row].split()[0] for row in (1, 2)] == ["etcd", "http://192.0.2.1:2379"]
    assert not [line for line in lines if "virtual" in line]
