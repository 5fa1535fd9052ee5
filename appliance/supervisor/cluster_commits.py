"""The configuration of a node in a cluster: messages about commits to and from its cluster process.

A commit of an operator is prepared here, then proposed, and written down when the cluster process says that it is a
commit of the cluster. A proposal of another node is prepared, and the cluster process is told that it is, or why it
cannot be. What the cluster has and this node does not is taken. Nothing waits for etcd; each wait here has an end.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, Final, Protocol

from appliance.catalogue.alarms import CONFIGURATION_DIFFERS, Condition
from appliance.messages.bus_messages import BusMessage, BusReply, Refusal
from appliance.messages.cluster_commits import (
    PREPARED,
    PREPARING,
    REFUSED,
    CommitKept,
    CommitProposal,
    CommitState,
    ConfirmationAsked,
    ConfirmationRefused,
    EndCommit,
    PrepareCommit,
    SetCommitsAside,
    TakeCommit,
)
from appliance.messages.supervisor_requests import Confirmed
from appliance.storage.commits import CONFIRMED, Commit, CommitFailed, CommitStore, checksum, fingerprint
from appliance.supervisor.commit_attempt import Attempt, Origin
from appliance.supervisor.coordination_process import CoordinationProcess

DECISION_S: Final = 20.0
"""An operator waits for the other nodes for so long."""
PROPOSAL_S: Final = 40.0
"""What another node has proposed is kept ready for so long: longer than a proposal lives in etcd."""
RETRY_S: Final = 10.0
REPEAT_S: Final = 1.0
ID_LEN: Final = 8
READ_ONLY: Final = "The configuration is read-only while etcd takes no changes."
LOOK_LATER: Final = "when etcd answers, see `show configuration history`"


class Configuring(Protocol):
    """The coordinator of this node's commits."""

    attempt: Attempt | None

    @property
    def is_prepared(self) -> bool:
        """Has every worker prepared the attempt, and is it not written down yet?"""

    def begin(self, attempt: Attempt, now: float) -> Refusal | None: ...
    def give_up(self, refusal: Refusal, now: float) -> None:
        """End the attempt, which is not written down."""

    def note_fault(self, fault: CommitFailed, now: float) -> None: ...
    def reply(self, asker: bytes, reply: BusReply) -> None: ...
    def log(self, sentence: str) -> None: ...


class ClusterCommits:
    """Call `take_in` at the begin of every cycle, `tell` at its end."""

    def __init__(self, configuring: Configuring, store: CommitStore, coordination: CoordinationProcess) -> None:
        self._configuring = configuring
        self._store = store
        self._coordination = coordination
        self._refused = ("", "")
        """The last proposal of another node that this node cannot take, and why."""
        self._wanted: Commit | None = None
        """The head of the cluster that this node could not take."""
        self._fault = ""
        self._retry_at = 0.0
        self._confirming: tuple[bytes, ConfirmationAsked, float] | None = None
        self._told: CommitState | None = None
        self._tell_at = 0.0
        self._by_class: dict[type[BusMessage], Callable[[Any, float], None]] = {
            PrepareCommit: self._prepare,
            EndCommit: self._end,
            TakeCommit: self._take,
            SetCommitsAside: self._set_aside,
            ConfirmationRefused: self._refuse_confirmation,
        }

    # -- the operator of this node -----------------------------------------------------------------------

    def new_id(self) -> str:
        """For a commit that is going to be proposed."""
        return secrets.token_hex(ID_LEN)

    def read_only(self) -> Refusal | None:
        """Why nothing can be committed now; None when it can."""
        if differs := self._difference():
            return Refusal(differs, "commit on another node; see `show alarms`")
        fault = self._coordination.etcd_fault
        return Refusal(f"{READ_ONLY} {fault}", "what is in force stays in force; see `show cluster`") if fault else None

    def is_decided(self, attempt: Attempt, now: float) -> bool:
        """May an attempt that is prepared be written down? It is given up when the decision is too late."""
        if attempt.decided is not None:
            return True
        attempt.prepared_at = attempt.prepared_at or now
        waited_s = now - attempt.prepared_at
        if attempt.origin == Origin.OPERATOR and waited_s > DECISION_S:
            sentence = f"The cluster has not decided within {DECISION_S:g} s. The outcome is not known."
            self._configuring.give_up(Refusal(sentence, LOOK_LATER), now)
        elif attempt.origin == Origin.OTHER_NODE and waited_s > PROPOSAL_S:
            self._configuring.give_up(Refusal(f"It was not decided within {PROPOSAL_S:g} s."), now)
        return False

    def confirm(self, asker: bytes, user: str, number: int, now: float) -> BusReply | None:
        """Have the cluster keep its head; None when the reply comes later."""
        if refusal := self.read_only():
            return refusal
        if self._confirming is not None:
            return Refusal("Another confirmation is in progress.", "try again in a moment")
        self._confirming = (asker, ConfirmationAsked(number, user), now + DECISION_S)
        return None

    def _tend_confirmation(self, now: float) -> None:
        if self._confirming is None:
            return
        asker, asked, until = self._confirming
        head = self._store.head
        if head is not None and head.number == asked.number and head.state == CONFIRMED:
            self._configuring.log(f"Commit {head.number} confirmed by {asked.user}.")
            self._answer(asker, Confirmed(head.number))
        elif now > until:
            sentence = f"The cluster has not confirmed it within {DECISION_S:g} s. The outcome is not known."
            self._answer(asker, Refusal(sentence, LOOK_LATER))

    def _refuse_confirmation(self, order: ConfirmationRefused, now: float) -> None:
        if self._confirming is not None and self._confirming[1].number == order.number:
            self._answer(self._confirming[0], Refusal(order.sentence, "see `show configuration history`"))

    def _answer(self, asker: bytes, reply: BusReply) -> None:
        self._confirming = None
        self._configuring.reply(asker, reply)

    # -- the cluster process -----------------------------------------------------------------------------

    def take_in(self, now: float) -> None:
        """Do what the cluster process has said."""
        orders = self._coordination.commit_orders
        while orders:
            order = orders.popleft()
            self._by_class[type(order)](order, now)
        self._tend_confirmation(now)

    def _prepare(self, order: PrepareCommit, now: float) -> None:
        proposal = order.proposal
        if self._configuring.attempt is not None or proposal.id == self._refused[0]:
            # The order comes again; what is under way has an end.
            return
        attempt = Attempt(
            b"",
            proposal.text,
            f"{proposal.user} on {order.node}",
            proposal.comment,
            proposal.confirm_s,
            id=proposal.id,
            origin=Origin.OTHER_NODE,
        )
        if refusal := self._configuring.begin(attempt, now):
            self.gave_up(attempt, refusal, now)

    def _end(self, order: EndCommit, now: float) -> None:
        attempt = self._configuring.attempt
        if attempt is not None and attempt.id == order.id and attempt.decided is None:
            self._configuring.give_up(Refusal(order.sentence, order.remedy, head=order.head), now)

    def _take(self, order: TakeCommit, now: float) -> None:
        commit, head = Commit(**asdict(order.commit)), self._store.head
        attempt = self._configuring.attempt
        if not order.is_head:
            if head is not None and commit.number < head.number:
                self._keep(commit, now)
        elif attempt is not None:
            if attempt.id == order.id and attempt.id:
                attempt.decided = commit
        elif head is not None and (head.number, head.text) == (commit.number, commit.text):
            self._keep(commit, now)
        elif now >= self._retry_at or self._wanted != commit:
            self._begin_head(commit, now)

    def _begin_head(self, commit: Commit, now: float) -> None:
        attempt = Attempt(b"", commit.text, commit.user, commit.comment, origin=Origin.CLUSTER, decided=commit)
        if refusal := self._configuring.begin(attempt, now):
            self.gave_up(attempt, refusal, now)

    def _keep(self, commit: Commit, now: float) -> None:
        """Of the commit in force only who confirmed it has changed; others are for the history."""
        try:
            self._store.take(commit)
        except CommitFailed as fault:
            self._configuring.note_fault(fault, now)

    def _set_aside(self, order: SetCommitsAside, now: float) -> None:
        head = self._store.head
        numbers = [number for number in order.numbers if head is None or number != head.number]
        try:
            self._store.set_aside(numbers)
        except CommitFailed as fault:
            self._configuring.note_fault(fault, now)

    def gave_up(self, attempt: Attempt, refusal: Refusal, now: float) -> None:
        """Nothing comes of an attempt on this node."""
        sentence = " ".join([refusal.sentence, *(f"{fault.problem}." for fault in refusal.faults[:1])])
        if attempt.decided is not None:
            if attempt.decided != self._wanted:
                self._configuring.log(f"Commit {attempt.decided.number} of the cluster cannot be taken: {sentence}")
            self._wanted, self._fault, self._retry_at = attempt.decided, sentence, now + RETRY_S
        elif attempt.origin == Origin.OTHER_NODE:
            self._refused = (attempt.id, sentence)

    # -- what it is told ---------------------------------------------------------------------------------

    def tell(self, now: float) -> None:
        """Say what this node has and wants, when it has changed, and every second."""
        state = self._state()
        if (state != self._told or now >= self._tell_at) and self._coordination.send(state):
            self._told, self._tell_at = state, now + REPEAT_S

    def _state(self) -> CommitState:
        attempt = self._configuring.attempt
        kept = [CommitKept(number, found) for number, found in self._store.fingerprints.items()]
        confirmation = self._confirming[1] if self._confirming else None
        state = CommitState(kept, self._refused[0], REFUSED, self._refused[1], None, confirmation)
        if attempt is None or attempt.number or not attempt.id:
            return state
        if attempt.origin == Origin.OTHER_NODE and attempt.id != self._refused[0]:
            state.attempt, state.fault = attempt.id, ""
            state.phase = PREPARED if self._configuring.is_prepared else PREPARING
        elif attempt.origin == Origin.OPERATOR and self._configuring.is_prepared:
            source = checksum(attempt.file_text) if attempt.file_text else ""
            state.proposal = CommitProposal(
                attempt.id, attempt.base, attempt.text, attempt.user, attempt.comment, attempt.confirm_s, source
            )
        return state

    # -- what operators see ------------------------------------------------------------------------------

    def conditions(self) -> Iterator[Condition]:
        """The alarm that the cluster has another configuration than this node."""
        if differs := self._difference():
            yield Condition(CONFIGURATION_DIFFERS, "configuration", differs)

    def _difference(self) -> str:
        """Why this node does not go by the head of the cluster, as far as it knows it; "" when it does."""
        wanted = self._wanted
        if wanted is None:
            return ""
        if self._store.fingerprints.get(wanted.number) == fingerprint(wanted):
            self._wanted = None
            return ""
        return f"This node cannot take commit {wanted.number} of the cluster: {self._fault}"
