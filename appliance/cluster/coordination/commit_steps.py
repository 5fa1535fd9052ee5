"""The next step of a member towards one configuration for the whole cluster: a transaction in etcd. Pure.

    propose    the commit of the own operator, if there is no other proposal and the head is its base
    vote       what the own supervisor says to the proposal of another member
    enact      the own proposal that all voters who are present can take: the commit and the head in one transaction
    withdraw   the own proposal, because a voter cannot take it or is late, or the supervisor does not want it any more
    confirm    the head, for an operator
    revert     a head that was not confirmed in time, by whichever member is first
    seed       the commits of the first member, when etcd holds none

Each has as its condition what it was decided by, so of two members that do the same one has success. A step whose
outcome etcd did not say is decided anew by what etcd says then: what was carried out is not carried out twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from appliance.cluster.coordination.commit_records import (
    RECORD_LEN_MAX,
    CommitRecord,
    Proposal,
    Vote,
    head_octets,
)
from appliance.cluster.coordination.commits_view import CommitsView, Ending
from appliance.cluster.coordination.key_store import ABSENT, Delete, Put, Unchanged, Write
from appliance.cluster.coordination.keys import ClusterKeys
from appliance.messages.cluster_commits import PREPARED, REFUSED, CommitProposal
from appliance.storage.commits import COMMITS_KEPT, CONFIRMED, SYSTEM, UNCONFIRMED, Commit

VOTE_S: Final = 13.0
"""Longer than workers may take to prepare (supervisor/configuration_rollout.py)."""
PROPOSAL_LIFETIME_S: Final = 30
NOT_CHANGED: Final = "nothing was changed on any node"


@dataclass(frozen=True, slots=True)
class Step:
    """A transaction. `id` and `ending`: the proposal that nothing comes of, known once the transaction is done.

    `has_lease`: the writes are to have a new lease of PROPOSAL_LIFETIME_S.
    """

    conditions: tuple[Unchanged, ...] = ()
    writes: tuple[Write, ...] = ()
    id: str = ""
    ending: Ending | None = None
    has_lease: bool = False


def next_step(view: CommitsView, keys: ClusterKeys) -> Step | None:
    """What this member does next; None for nothing."""
    stored = view.stored
    if stored.proposal is not None and stored.proposal.member == view.me:
        return _own_proposal(view, stored.proposal, keys)
    wanted = view.state.proposal
    if wanted is not None and wanted.id not in view.ended and not stored.commit_of(wanted.id):
        return _begun(view, wanted, keys)
    return _vote(view, keys) or _confirmed(view, keys) or _reverted(view, keys)


# -- the own proposal --------------------------------------------------------------------------------------


def _begun(view: CommitsView, wanted: CommitProposal, keys: ClusterKeys) -> Step:
    stored = view.stored
    if not stored.head:
        sentence = "The cluster has no configuration yet; its first node has to run."
        return _ended(wanted, Ending(sentence, "see `show cluster`"))
    if wanted.base != stored.head:
        return _ended(wanted, _overtaken(view))
    if stored.proposal is not None:
        other = stored.proposal
        sentence = f"A commit by {other.asked.user} on {view.name_of(other.member)} is in progress."
        return _ended(wanted, Ending(sentence, "try again in a moment"))
    proposal = Proposal(wanted, view.me, tuple(sorted(view.present | {view.me})))
    octets = proposal.to_octets()
    if len(octets) > RECORD_LEN_MAX:
        sentence = f"The configuration is too long for etcd; the maximum is {RECORD_LEN_MAX} octets."
        return _ended(wanted, Ending(sentence, NOT_CHANGED))
    conditions = Unchanged(keys.proposal, stored.proposal_revision), Unchanged(keys.head, stored.head_revision)
    return Step(conditions, (Put(keys.proposal, octets),), has_lease=True)


def _own_proposal(view: CommitsView, proposal: Proposal, keys: ClusterKeys) -> Step | None:
    wanted = view.state.proposal
    if wanted is None or wanted.id != proposal.asked.id or wanted.id in view.ended:
        return _withdrawn(view, keys, None)
    if view.stored.head != proposal.asked.base:
        return _withdrawn(view, keys, _overtaken(view))
    votes = view.stored.votes
    if refusals := [f"{view.name_of(member)} cannot take it: {fault}" for member, fault in votes.items() if fault]:
        return _withdrawn(view, keys, Ending(" ".join(refusals), NOT_CHANGED))
    missing = sorted((set(proposal.voters) & view.present) - set(votes) - {view.me})
    if not missing:
        return _enacted(view, proposal, keys)
    if view.waited_s > VOTE_S:
        names = ", ".join(map(view.name_of, missing))
        return _withdrawn(view, keys, Ending(f"{names} did not answer within {VOTE_S:g} s.", NOT_CHANGED))
    return None


def _overtaken(view: CommitsView) -> Ending:
    number = view.stored.head
    return Ending(f"Commit {number} was made in the meantime.", "type `rebase`, then commit again", number)


def _ended(wanted: CommitProposal, ending: Ending) -> Step:
    return Step(id=wanted.id, ending=ending)


def _withdrawn(view: CommitsView, keys: ClusterKeys, ending: Ending | None) -> Step:
    stored = view.stored
    assert stored.proposal is not None
    conditions = (Unchanged(keys.proposal, stored.proposal_revision),)
    return Step(conditions, tuple(_end_of_proposal(view, keys)), stored.proposal.asked.id, ending)


def _end_of_proposal(view: CommitsView, keys: ClusterKeys) -> Iterable[Write]:
    yield Delete(keys.proposal)
    for member in view.stored.votes:
        yield Delete(keys.vote(member))


def _enacted(view: CommitsView, proposal: Proposal, keys: ClusterKeys) -> Step:
    asked, stored = proposal.asked, view.stored
    former = stored.commits[stored.head].record.commit
    commit = Commit(
        number=stored.head + 1,
        user=asked.user,
        wall_time=view.wall_time,
        comment=asked.comment,
        state=UNCONFIRMED if asked.confirm_s else CONFIRMED,
        confirm_by=view.wall_time + asked.confirm_s if asked.confirm_s else 0.0,
        source=asked.source or former.source,
        text=asked.text,
    )
    conditions = Unchanged(keys.proposal, stored.proposal_revision), Unchanged(keys.head, stored.head_revision)
    writes = (*_new_head(view, CommitRecord(commit, asked.id), keys), *_end_of_proposal(view, keys))
    return Step(conditions, writes)


def _new_head(view: CommitsView, record: CommitRecord, keys: ClusterKeys) -> Iterable[Write]:
    number = record.commit.number
    yield Put(keys.commit(number), record.to_octets())
    yield Put(keys.head, head_octets(number))
    # Few at a time: there is one more than before.
    for oldest in sorted(view.stored.commits)[: max(len(view.stored.commits) + 1 - COMMITS_KEPT, 0)][:10]:
        yield Delete(keys.commit(oldest))


# -- proposals of others -----------------------------------------------------------------------------------


def _vote(view: CommitsView, keys: ClusterKeys) -> Step | None:
    stored, state = view.stored, view.state
    proposal = stored.proposal
    if proposal is None or view.me not in proposal.voters or view.me in stored.votes:
        return None
    if state.attempt != proposal.asked.id or state.phase not in (PREPARED, REFUSED):
        return None
    vote = Vote(state.attempt, (state.fault or "it gave no reason.") if state.phase == REFUSED else "")
    conditions = (Unchanged(keys.proposal, stored.proposal_revision),)
    return Step(conditions, (Put(keys.vote(view.me), vote.to_octets(), stored.lease),))


# -- the head ----------------------------------------------------------------------------------------------


def _confirmed(view: CommitsView, keys: ClusterKeys) -> Step | None:
    asked, stored = view.state.confirmation, view.stored
    known = stored.commits.get(stored.head)
    if asked is None or known is None or asked.number != stored.head or known.record.commit.state != UNCONFIRMED:
        return None
    record = replace(known.record, commit=replace(known.record.commit, state=CONFIRMED, confirm_by=0.0))
    key = keys.commit(stored.head)
    conditions = Unchanged(keys.head, stored.head_revision), Unchanged(key, known.revision)
    return Step(conditions, (Put(key, record.to_octets()),))


def _reverted(view: CommitsView, keys: ClusterKeys) -> Step | None:
    """No vote is needed: all nodes had that configuration before."""
    stored = view.stored
    if not view.is_overdue or not stored.head:
        return None
    known = stored.commits[stored.head]
    former = last_confirmed(view)
    if known.record.commit.state != UNCONFIRMED or former is None:
        return None
    commit = Commit(
        number=stored.head + 1,
        user=SYSTEM,
        wall_time=view.wall_time,
        comment=f"commit {stored.head} was not confirmed: reverted to commit {former.number}",
        state=CONFIRMED,
        confirm_by=0.0,
        source=known.record.commit.source,
        text=former.text,
    )
    key = keys.commit(stored.head)
    conditions = Unchanged(keys.head, stored.head_revision), Unchanged(key, known.revision)
    return Step(conditions, tuple(_new_head(view, CommitRecord(commit), keys)))


def last_confirmed(view: CommitsView) -> Commit | None:
    """The last commit before the head that does not itself wait for a confirmation."""
    commits = (view.stored.commits[number].record.commit for number in sorted(view.stored.commits, reverse=True))
    return next((each for each in commits if each.number < view.stored.head and each.state == CONFIRMED), None)


def is_seed_due(view: CommitsView) -> bool:
    """Has the cluster no configuration, and is this node the first of its members?"""
    nodes = [member.number for member in view.membership.members if not member.is_witness]
    is_first = view.me == min(nodes, default=0)
    return is_first and view.stored.head_revision == ABSENT and bool(view.state.kept)


def seeds(own: Iterable[Commit], keys: ClusterKeys) -> list[Step]:
    """The commits of this node become those of the cluster, the oldest first; the last one is in force."""
    conditions = (Unchanged(keys.head, ABSENT),)
    commits = sorted(own, key=lambda each: each.number)
    steps = [Step(conditions, (Put(keys.commit(each.number), CommitRecord(each).to_octets()),)) for each in commits]
    last = commits[-1].number
    return [*steps, Step(conditions, (Put(keys.head, head_octets(last)),))]
