"""Orders of a member to its own supervisor about the configuration of the cluster. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

from appliance.cluster.coordination.commit_records import Proposal
from appliance.cluster.coordination.commits_view import CommitsView, KnownCommit
from appliance.messages.bus_messages import BusMessage
from appliance.messages.cluster_commits import (
    PREPARED,
    PREPARING,
    ClusterCommit,
    ConfirmationRefused,
    EndCommit,
    PrepareCommit,
    SetCommitsAside,
    TakeCommit,
)
from appliance.storage.commits import UNCONFIRMED

OLDER_TOGETHER: Final = 4
"""Commits that are not in force and are sent at once."""


def orders_for(view: CommitsView) -> list[BusMessage]:
    """What the supervisor has to be told, again and again until its state says that it has done so."""
    return [*_about_own_proposal(view), *_about_proposals_of_others(view), *_about_commits(view), *_confirmation(view)]


def _about_own_proposal(view: CommitsView) -> Iterator[BusMessage]:
    wanted, stored = view.state.proposal, view.stored
    if wanted is None:
        return
    if (number := stored.commit_of(wanted.id)) and number != stored.head:
        sentence = f"It became commit {number}, and commit {stored.head} was made since."
        yield EndCommit(wanted.id, sentence, "see `show configuration history`", stored.head)
    elif not number and (ending := view.ended.get(wanted.id)) is not None:
        yield EndCommit(wanted.id, ending.sentence, ending.remedy, ending.head)


def _about_proposals_of_others(view: CommitsView) -> Iterator[BusMessage]:
    state, proposal = view.state, view.stored.proposal
    if proposal is not None and proposal.asked.base != view.stored.head:
        # It can not become a commit any more, whatever its member knows.
        proposal = None
    open_id = proposal.asked.id if proposal else ""
    is_at_it = state.phase in (PREPARING, PREPARED) and bool(state.attempt)
    if is_at_it and state.attempt != open_id and view.stored.commit_of(state.attempt) != (view.stored.head or -1):
        yield EndCommit(state.attempt, "It was withdrawn.", "")
    elif proposal is not None and state.attempt != open_id and _is_asked(view, proposal):
        yield PrepareCommit(proposal.asked, view.name_of(proposal.member))


def _is_asked(view: CommitsView, proposal: Proposal) -> bool:
    return proposal.member != view.me and view.me in proposal.voters and view.me not in view.stored.votes


def _about_commits(view: CommitsView) -> Iterator[BusMessage]:
    """The head first: what is in force counts, and a commit behind it would be taken for the head."""
    stored = view.stored
    if not stored.head or not view.state.kept:
        return
    kept = {each.number: each.fingerprint for each in view.state.kept}
    # What etcd holds behind the head was written for a head that did not come about.
    held = {number: known for number, known in stored.commits.items() if number <= stored.head}
    missing = [number for number, known in held.items() if kept.get(number) != known.fingerprint]
    if stored.head in missing or max(kept) != stored.head:
        yield _taken(stored.commits[stored.head], True)
        return
    if alone := sorted(set(kept) - set(held)):
        # Before there are more than a node keeps, of which it would forget them.
        yield SetCommitsAside(alone)
    for number in sorted(missing, reverse=True)[:OLDER_TOGETHER]:
        yield _taken(stored.commits[number], False)


def _taken(known: KnownCommit, is_head: bool) -> TakeCommit:
    return TakeCommit(ClusterCommit(**asdict(known.record.commit)), is_head, known.record.proposal)


def _confirmation(view: CommitsView) -> Iterator[BusMessage]:
    asked, stored = view.state.confirmation, view.stored
    if asked is None or not stored.head:
        return
    if asked.number != stored.head:
        yield ConfirmationRefused(asked.number, f"Commit {stored.head} was made in the meantime.")
    elif stored.commits[stored.head].record.commit.state != UNCONFIRMED:
        # The supervisor is sent the commit as it is now, unless it has it already.
        kept = {each.number: each.fingerprint for each in view.state.kept}
        if kept.get(stored.head) == stored.commits[stored.head].fingerprint:
            yield ConfirmationRefused(asked.number, f"Commit {asked.number} is confirmed already.")
