"""The file by which a node knows its cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.messages.membership import Member, Membership
from appliance.storage.cluster_file import (
    ClusterFile,
    ClusterFileUnusable,
    EtcdAccess,
    cluster_path,
    read_cluster,
    write_cluster,
)

MEMBERS = (
    Member(1, "north", "10.77.0.1", 5070, link_port=5071, public_key="k" * 40),
    Member(2, "south", "10.77.0.2", 5070, link_port=5071, public_key="l" * 40),
    Member(3, "witness", "10.77.0.3", 5070, is_witness=True),
)
KNOWN = ClusterFile(
    "carrier", 2, "5a" * 32, "s" * 40, Membership(7, MEMBERS), EtcdAccess(("http://10.77.0.1:2379",)), ((1, 12),)
)


def test_a_node_without_the_file_is_in_no_cluster(tmp_path: Path) -> None:
    assert read_cluster(tmp_path) is None


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_cluster(tmp_path, KNOWN)
    assert read_cluster(tmp_path) == KNOWN
    assert KNOWN.member.name == "south"
    # It holds keys.
    assert cluster_path(tmp_path).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "octets",
    [b"", b"{}", b"[]", b"{\"format\": 2}", b"\xff", b"{\"format\": 1, \"me\": 2}"],
)
def test_a_damaged_file_is_a_sentence(tmp_path: Path, octets: bytes) -> None:
    cluster_path(tmp_path).write_bytes(octets)
    with pytest.raises(ClusterFileUnusable, match="is damaged"):
        read_cluster(tmp_path)


def test_a_node_that_is_no_member_is_damage(tmp_path: Path) -> None:
    write_cluster(tmp_path, KNOWN)
    path = cluster_path(tmp_path)
    path.write_text(path.read_text().replace('"me": 2', '"me": 9'))
    with pytest.raises(ClusterFileUnusable):
        read_cluster(tmp_path)


def test_a_crash_while_it_is_written_leaves_the_former_one(tmp_path: Path) -> None:
    write_cluster(tmp_path, KNOWN)
    cluster_path(tmp_path).with_name("cluster.new").write_text("{")
    assert read_cluster(tmp_path) == KNOWN
