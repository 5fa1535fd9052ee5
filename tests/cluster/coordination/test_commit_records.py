"""What etcd holds of a configuration, written and read; what strangers could have written is refused."""

from __future__ import annotations

import json

import pytest

from appliance.cluster.coordination.cluster_records import RecordUnusable
from appliance.cluster.coordination.commit_records import CommitRecord, Proposal, Vote, head_number, head_octets
from appliance.messages.cluster_commits import CommitProposal
from appliance.storage.commits import Commit

COMMIT = CommitRecord(Commit(7, "anna", 17.25, "why", "unconfirmed", 77.5, "ab", "hostname box\n"), "id7")
PROPOSAL = Proposal(CommitProposal("id8", 7, "hostname new\n", "bert", "", 60.0, ""), 2, (1, 2, 3))


def test_they_are_read_as_they_were_written() -> None:
    assert CommitRecord.from_octets(COMMIT.to_octets()) == COMMIT
    assert Proposal.from_octets(PROPOSAL.to_octets()) == PROPOSAL
    assert Vote.from_octets(Vote("id8", "port in use").to_octets()) == Vote("id8", "port in use")
    assert head_number(head_octets(7)) == 7


def test_names_that_are_not_known_are_skipped() -> None:
    later = {**json.loads(COMMIT.to_octets()), "of a later version": 1}
    assert CommitRecord.from_octets(json.dumps(later).encode()) == COMMIT


@pytest.mark.parametrize("octets", [b"", b"{}", b"\xff", b"[]", b'{"format": 2}', b'{"format": 1, "number": "x"}'])
def test_what_cannot_be_understood_is_said(octets: bytes) -> None:
    for read in (CommitRecord.from_octets, Proposal.from_octets, Vote.from_octets, head_number):
        with pytest.raises(RecordUnusable):
            read(octets)


@pytest.mark.parametrize("number", [0, -1])
def test_there_is_no_commit_before_the_first(number: int) -> None:
    with pytest.raises(RecordUnusable):
        head_number(head_octets(number))
