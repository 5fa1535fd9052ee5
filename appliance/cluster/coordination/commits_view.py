"""What a member knows of the configuration of its cluster at one moment: etcd's keys, understood, and its own node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.cluster.coordination.cluster_records import RecordUnusable
from appliance.cluster.coordination.commit_records import CommitRecord, Proposal, Vote, head_number
from appliance.cluster.coordination.key_store import ABSENT, NO_LEASE, Entry
from appliance.cluster.coordination.keys import ClusterKeys
from appliance.messages.cluster_commits import CommitState
from appliance.messages.membership import Membership
from appliance.storage.commits import fingerprint


@dataclass(frozen=True, slots=True)
class KnownCommit:
    """A commit in etcd. `revision`: of its key."""

    record: CommitRecord
    fingerprint: str
    revision: int


@dataclass(frozen=True, slots=True)
class StoredConfiguration:
    """What etcd holds. `head`: the number of the commit in force, 0 for none; revisions are of their keys."""

    head: int = 0
    head_revision: int = ABSENT
    commits: Mapping[int, KnownCommit] = field(default_factory=dict)
    proposal: Proposal | None = None
    proposal_revision: int = ABSENT
    lease: int = NO_LEASE
    """Of the proposal."""
    votes: Mapping[int, str] = field(default_factory=dict)
    """By member, what it says to the proposal: "" when it can take it."""
    faults: tuple[str, ...] = ()
    """What cannot be understood; a sentence each."""

    def commit_of(self, proposal: str) -> int:
        """The number of the commit that a proposal has become; 0 for none."""
        return next((number for number, known in self.commits.items() if known.record.proposal == proposal), 0)


@dataclass(frozen=True, slots=True)
class Ending:
    """Why nothing comes of a proposal. `head`: the commit that was made in the meantime, or 0."""

    sentence: str
    remedy: str
    head: int = 0


@dataclass(frozen=True, slots=True)
class CommitsView:
    """All that decisions are made of."""

    me: int
    membership: Membership
    present: frozenset[int]
    """The nodes that run, without witnesses."""
    stored: StoredConfiguration
    state: CommitState
    """What the own supervisor said last."""
    wall_time: float
    waited_s: float = 0.0
    """For how long the proposal of the own operator has been in etcd."""
    is_overdue: bool = False
    """Should the head have been confirmed by now?"""
    ended: Mapping[str, Ending] = field(default_factory=dict)
    """Proposals of the own operator that nothing comes of."""

    def name_of(self, member: int) -> str:
        """How operators call it."""
        names = {each.number: each.name for each in self.membership.members}
        return names.get(member, f"member {member}")


class StoredReader:
    """Understands etcd's keys; a commit is read once, for there may be a hundred."""

    def __init__(self, keys: ClusterKeys) -> None:
        self._keys = keys
        self._commits: dict[int, KnownCommit] = {}

    def read(self, entries: Mapping[str, Entry]) -> StoredConfiguration:
        """What they say now."""
        faults: list[str] = []
        head_entry, proposal_entry = entries.get(self._keys.head), entries.get(self._keys.proposal)
        self._read_commits(entries, faults)
        head, proposal = 0, None
        try:
            head = head_number(head_entry.value) if head_entry else 0
            if head and head not in self._commits:
                raise RecordUnusable(f"etcd does not hold commit {head}, which is in force.")
            proposal = Proposal.from_octets(proposal_entry.value) if proposal_entry else None
        except RecordUnusable as fault:
            faults.append(str(fault))
        return StoredConfiguration(
            head=head if head in self._commits else 0,
            head_revision=head_entry.revision if head_entry else ABSENT,
            commits=dict(self._commits),
            proposal=proposal,
            proposal_revision=proposal_entry.revision if proposal_entry else ABSENT,
            lease=proposal_entry.lease if proposal_entry else NO_LEASE,
            votes=self._votes(entries, proposal.asked.id) if proposal else {},
            faults=tuple(faults),
        )

    def _read_commits(self, entries: Mapping[str, Entry], faults: list[str]) -> None:
        found = {}
        for key, entry in entries.items():
            number = key.removeprefix(self._keys.commits)
            if number == key or not number.isdecimal():
                continue
            known = self._commits.get(int(number))
            try:
                found[int(number)] = known if known and known.revision == entry.revision else _known(entry)
            except RecordUnusable as fault:
                faults.append(str(fault))
        self._commits = found

    def _votes(self, entries: Mapping[str, Entry], proposal: str) -> dict[int, str]:
        votes = {}
        for key, entry in entries.items():
            member = key.removeprefix(self._keys.votes)
            if member == key or not member.isdecimal():
                continue
            try:
                vote = Vote.from_octets(entry.value)
            except RecordUnusable as fault:
                vote = Vote(proposal, str(fault))
            if vote.id == proposal:
                votes[int(member)] = vote.fault
        return votes


def _known(entry: Entry) -> KnownCommit:
    record = CommitRecord.from_octets(entry.value)
    return KnownCommit(record, fingerprint(record.commit), entry.revision)
