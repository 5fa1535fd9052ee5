"""The configuration of the cluster, as this member takes part in it: what is decided (commit_steps.py) is written to
etcd, what the supervisor has to do (commit_orders.py) is told to it, until both sides have the same.

Nothing is kept here that matters after a restart of this process: the supervisor says what it wants, and etcd what was
decided.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from appliance.cluster.coordination.commit_orders import orders_for
from appliance.cluster.coordination.commit_steps import (
    NOT_CHANGED,
    PROPOSAL_LIFETIME_S,
    Step,
    is_seed_due,
    next_step,
    seeds,
)
from appliance.cluster.coordination.commits_view import CommitsView, Ending, StoredConfiguration, StoredReader
from appliance.cluster.coordination.key_store import NO_LEASE, Entry, KeyStore, Put, StoreFault, StoreRefused
from appliance.cluster.coordination.keys import ClusterKeys
from appliance.messages.bus_messages import BusMessage
from appliance.messages.cluster_commits import CommitState, EndCommit
from appliance.messages.membership import Membership
from appliance.storage.commits import UNCONFIRMED, Commit

REPEAT_S: Final = 1.0
ENDINGS_KEPT: Final = 16
ORDERS_WAITING_MAX: Final = 64

log = logging.getLogger("signalbox.cluster")


class ClusterCommits:
    """Call `work` after each look at etcd, by one thread; others may call `heard` and `orders`."""

    def __init__(
        self, store: KeyStore, keys: ClusterKeys, me: int, own_commits: Callable[[], Sequence[Commit]]
    ) -> None:
        """`own_commits`: those of this node, read when the cluster has none."""
        self._store, self._keys, self._me = store, keys, me
        self._own_commits = own_commits
        self._reader = StoredReader(keys)
        self._state: CommitState | None = None
        self._ended: dict[str, Ending] = {}
        self._orders: deque[BusMessage] = deque(maxlen=ORDERS_WAITING_MAX)
        self._told: list[BusMessage] = []
        self._tell_at = 0.0
        self._proposal_seen = ("", 0.0)
        self._tried = ""
        """The id of the proposal that may be in etcd by this process or the one before it."""
        self._head_seen = 0
        self._overdue_at = (0, 0.0)
        self.is_busy = False
        """Is there something to be decided soon?"""
        self.faults: tuple[str, ...] = ()
        """What etcd holds and cannot be understood; a sentence each."""

    def heard(self, state: CommitState) -> None:
        """What the supervisor has and wants."""
        if self._state is None and state.proposal is not None:
            self._tried = state.proposal.id
        self._state = state

    @property
    def commit_here(self) -> int:
        """The number of the last commit of this node; 0 while that is not known."""
        return max((kept.number for kept in self._state.kept), default=0) if self._state is not None else 0

    def orders(self) -> list[BusMessage]:
        """What the supervisor has to be told now."""
        return [self._orders.popleft() for _ in range(len(self._orders))]

    def work(self, entries: Mapping[str, Entry], membership: Membership, now: float, wall_time: float) -> None:
        """Take the next step by what etcd holds. Raises StoreUnavailable and StoreRefused."""
        stored, state = self._reader.read(entries), self._state
        self.faults = stored.faults
        if state is None or stored.faults:
            return
        present = self._present(entries, membership)
        view = self._seen(CommitsView(self._me, membership, present, stored, state, wall_time), now)
        self.is_busy = state.proposal is not None or state.confirmation is not None or stored.proposal is not None
        if is_seed_due(view):
            self._seed()
        elif (step := next_step(view, self._keys)) is not None:
            self._take(step, view)
        self._tell(replace(view, ended=dict(self._ended)), now)

    def unavailable(self, sentence: str) -> None:
        """etcd does not answer. What has not been proposed is not going to be; anything else is looked up later."""
        wanted = self._state.proposal if self._state is not None else None
        if wanted is not None and wanted.id != self._tried and wanted.id not in self._ended:
            self._end(wanted.id, _read_only(sentence))
        if wanted is not None and wanted.id in self._ended:
            ending = self._ended[wanted.id]
            self._orders.append(EndCommit(wanted.id, ending.sentence, ending.remedy, ending.head))

    def _present(self, entries: Mapping[str, Entry], membership: Membership) -> frozenset[int]:
        nodes = (member.number for member in membership.members if not member.is_witness)
        return frozenset(number for number in nodes if self._keys.presence(number) in entries)

    # -- time --------------------------------------------------------------------------------------------

    def _seen(self, view: CommitsView, now: float) -> CommitsView:
        proposal = view.stored.proposal
        if proposal is None or proposal.asked.id != self._proposal_seen[0]:
            self._proposal_seen = (proposal.asked.id if proposal else "", now)
        return replace(
            view,
            waited_s=now - self._proposal_seen[1],
            is_overdue=self._is_overdue(view.stored, now, view.wall_time),
            ended=dict(self._ended),
        )

    def _is_overdue(self, stored: StoredConfiguration, now: float, wall_time: float) -> bool:
        """A member that has seen the head come waits for the time that was announced, whatever the clocks say."""
        number = stored.head
        if not number:
            return False
        commit = stored.commits[number].record.commit
        if commit.state != UNCONFIRMED:
            self._head_seen = number
            return False
        if self._overdue_at[0] != number:
            announced_s = commit.confirm_by - commit.wall_time
            has_seen_it_come = 0 < self._head_seen < number
            left_s = announced_s if has_seen_it_come else min(max(commit.confirm_by - wall_time, 0.0), announced_s)
            self._overdue_at = (number, now + left_s)
        self._head_seen = number
        return now >= self._overdue_at[1]

    # -- etcd --------------------------------------------------------------------------------------------

    def _take(self, step: Step, view: CommitsView) -> None:
        proposed = view.state.proposal.id if step.has_lease and view.state.proposal else ""
        self._tried = proposed or self._tried
        try:
            is_done = self._written(step)
        except StoreFault as fault:
            # Only this process could carry its proposal out, and it does not.
            if proposed:
                self._end(proposed, _read_only(str(fault)))
            raise
        if is_done and step.ending is not None:
            self._end(step.id, step.ending)

    def _written(self, step: Step) -> bool:
        writes = step.writes
        if not writes:
            return True
        if step.has_lease:
            lease = self._store.grant(PROPOSAL_LIFETIME_S)
            writes = tuple(replace(each, lease=lease) if isinstance(each, Put) else each for each in writes)
        leases = {each.lease for each in writes if isinstance(each, Put)} - {NO_LEASE}
        try:
            return self._store.commit(step.conditions, writes)
        except StoreRefused:
            # The lease of a proposal may have ended, and etcd says so before it looks at the conditions.
            if leases and not step.has_lease:
                return False
            raise

    def _end(self, proposal: str, ending: Ending) -> None:
        log.warning("a commit comes to nothing: %s", ending.sentence)
        self._ended[proposal] = ending
        while len(self._ended) > ENDINGS_KEPT:
            del self._ended[next(iter(self._ended))]

    def _seed(self) -> None:
        commits = self._own_commits()
        if not commits:
            return
        for step in seeds(commits, self._keys):
            if not self._written(step):
                return
        log.warning("the configuration of this node, commit %d, is now that of the cluster", commits[-1].number)

    # -- the supervisor ----------------------------------------------------------------------------------

    def _tell(self, view: CommitsView, now: float) -> None:
        wanted = orders_for(view)
        if wanted != self._told or now >= self._tell_at:
            self._orders.extend(wanted)
            self._told, self._tell_at = wanted, now + REPEAT_S


def _read_only(fault: str) -> Ending:
    return Ending(f"The configuration is read-only while etcd takes no changes. {fault}", NOT_CHANGED)
