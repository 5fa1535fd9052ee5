"""What etcd holds of a cluster: written and read, and anything else refused in a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from appliance.cluster.coordination.cluster_records import (
    ClusterRecord,
    MembershipRecord,
    RecordUnusable,
    first_membership,
)
from tests.cluster.coordination.members import KEY, machine

RECORD = first_membership(machine("a")).with_member(machine("w", is_witness=True))


def changed(**fields: Any) -> bytes:
    """The record with other fields."""
    return json.dumps({**json.loads(RECORD.to_octets()), **fields}).encode()


def test_records_are_read_as_they_were_written() -> None:
    assert MembershipRecord.from_octets(RECORD.to_octets()) == RECORD
    cluster = ClusterRecord(KEY.hex(), 1.5)
    assert ClusterRecord.from_octets(cluster.to_octets()) == cluster


def test_names_of_a_later_version_are_skipped() -> None:
    members = json.loads(RECORD.to_octets())["members"]
    later = changed(members=[{**member, "color": "red"} for member in members], new=1)
    assert MembershipRecord.from_octets(later) == RECORD


@pytest.mark.parametrize(
    "octets",
    [
        b"", b"\xff", b"[]", b"3", b"{}",
        changed(format=2), changed(version=0), changed(next_number=2), changed(members=3), changed(members=[{}]),
        changed(members=[*json.loads(RECORD.to_octets())["members"]] * 2),
        changed(members=[{**json.loads(RECORD.to_octets())["members"][0], "host": "a name"}]),
        changed(members=[{**json.loads(RECORD.to_octets())["members"][0], "port": 70000}]),
        changed(members=[{**json.loads(RECORD.to_octets())["members"][0], "public_key": "short"}]),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused(octets: bytes) -> None:
    with pytest.raises(RecordUnusable, match="cannot be used"):
        MembershipRecord.from_octets(octets)


@pytest.mark.parametrize("key_hex", ["", "00", "z" * 64, KEY.hex() + "00"])
def test_a_key_of_another_length_is_refused(key_hex: str) -> None:
    with pytest.raises(RecordUnusable):
        ClusterRecord.from_octets(ClusterRecord(key_hex, 0.0).to_octets())
