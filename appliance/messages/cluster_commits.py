"""What the supervisor and the cluster process of a node tell each other about the configuration of the cluster.

Each side says again and again what it has and what it wants, so that no message has to arrive. A proposal is a commit
that is not decided yet; its `id` is of the supervisor that made it, and never used twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.messages.bus_messages import BusMessage

PREPARING: Final = "preparing"
PREPARED: Final = "prepared"
REFUSED: Final = "refused"


@dataclass(frozen=True, slots=True)
class CommitProposal:
    """A configuration that an operator of one node wants for all, made from commit `base` of the cluster.

    `confirm_s`: it is taken back after that time unless it is confirmed, 0.0: never. `source`: the checksum of the file
    that it was loaded from, "" for none.
    """

    id: str
    base: int
    text: str
    user: str
    comment: str
    confirm_s: float
    source: str


@dataclass(frozen=True, slots=True)
class ClusterCommit:
    """A commit of the cluster, as storage/commits.py has it."""

    number: int
    user: str
    wall_time: float
    comment: str
    state: str
    confirm_by: float
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class CommitKept:
    """A commit that a node keeps; `fingerprint` tells one from another of the same number."""

    number: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class ConfirmationAsked:
    """An operator wants to keep the head."""

    number: int
    user: str


@dataclass(slots=True)
class CommitState(BusMessage):
    """From the supervisor, at once after a change, and every second: what this node has, and what it wants.

    `kept`: its commits. `attempt`: the id of the proposal that it prepares, has prepared or has refused last, with
    `phase` and the `fault` why it refused it. `proposal`: the one of its own operator, None for none.
    """

    kind = 180
    kept: list[CommitKept]
    attempt: str = ""
    phase: str = ""
    fault: str = ""
    proposal: CommitProposal | None = None
    confirmation: ConfirmationAsked | None = None


@dataclass(slots=True)
class PrepareCommit(BusMessage):
    """To the supervisor: another node proposes this; check it and open its sockets. `node` is the name of that one."""

    kind = 181
    proposal: CommitProposal
    node: str


@dataclass(slots=True)
class EndCommit(BusMessage):
    """To the supervisor: nothing comes of this proposal. `head`: the commit that was made in the meantime, or 0."""

    kind = 182
    id: str
    sentence: str
    remedy: str
    head: int = 0


@dataclass(slots=True)
class TakeCommit(BusMessage):
    """To the supervisor: the cluster has this commit; it is in force if it is the head. `id`: of its proposal."""

    kind = 183
    commit: ClusterCommit
    is_head: bool
    id: str


@dataclass(slots=True)
class SetCommitsAside(BusMessage):
    """To the supervisor: the cluster has no commits of these numbers; this node made them alone."""

    kind = 184
    numbers: list[int]


@dataclass(slots=True)
class ConfirmationRefused(BusMessage):
    """To the supervisor: commit `number` cannot be confirmed."""

    kind = 185
    number: int
    sentence: str
