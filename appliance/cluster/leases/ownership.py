"""What a member does next about one address: a pure function of what it sees.

    FOLLOWING --claim--> CLAIMING --majority--> OWNING --lost majority, other owner, handed over--> FOLLOWING
        ^                   |                      |  ^
        +----withdraw-------+       clocks jumped  v  | acknowledged anew
        +-----------too late----------------- VERIFYING

A claim is made only when a majority says that its promises are over. So a member that alone does not hear the owner
changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from appliance.cluster.leases.heartbeat import Stance
from appliance.messages.lease_settings import LeaseSettings
from appliance.messages.membership import NO_MEMBER

NO_RANK: Final = -1
# Less authority than this is not worth a renewal: the lease would be over before it is written.
AUTHORITY_LEAST_S: Final = 0.002


@dataclass(frozen=True, slots=True)
class AddressView:
    """One address as one member sees it; times are of its own clock.

    `epoch`            of its promise; of its claim, where it claims or owns.
    `highest_epoch`    that any member has named.
    `since`            when it came to this stance.
    `authority_end`    what a majority has acknowledged, and the lease.
    `votes`            members that have promised it the present claim, itself counted.
    `refusals`         members that have promised another member the same epoch or a higher one.
    `free_since`       since when a majority says that it is bound to no member; infinity when it does not.
    `rank`             how many candidates are preferred to it; NO_RANK when it is no candidate.
    `is_named`         has the last owner named it as successor?
    `retry_at`         before that it does not claim.
    `other_owner`      a member that owns it at a higher epoch.
    `is_outbid`        a member that is bound to no one has promised a higher epoch, or this one to another member, and
                       can acknowledge this one no more.
    `hand_over_to`     whom the owner gives it to; `hand_over_reason` is why, "" when it keeps it.
    """

    now: float
    stance: Stance
    epoch: int
    highest_epoch: int
    since: float
    authority_end: float
    votes: int
    refusals: int
    members: int
    majority: int
    free_since: float
    rank: int
    is_named: bool
    is_maintained: bool
    retry_at: float
    other_owner: int
    is_outbid: bool
    hand_over_to: int
    hand_over_reason: str
    settings: LeaseSettings

    @property
    def claim_at(self) -> float:
        """When it claims, if nothing changes; infinity: it does not."""
        if self.rank == NO_RANK or (self.is_maintained and not self.is_named):
            return float("inf")
        return max(self.free_since + self.rank * self.settings.rank_slot_ms / 1000, self.retry_at)


@dataclass(frozen=True, slots=True)
class Claim:
    """Claim it at this epoch."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Give the claim up."""

    reason: str


@dataclass(frozen=True, slots=True)
class Own:
    """Open the lease in the kernel and take the address."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Renew the lease in the kernel."""


@dataclass(frozen=True, slots=True)
class Raise:
    """Remain the owner, at this higher epoch."""

    epoch: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Close the lease, give the address away, and say so. `reason` completes "... because"."""

    reason: str
    successor: int = NO_MEMBER


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing now."""


Decision = Claim | Withdraw | Own | Keep | Raise | GiveUp | Wait
WAIT: Final = Wait()


def decide(view: AddressView) -> Decision:
    """The next step for one address."""
    return _DECISIONS[view.stance](view)


def _following(view: AddressView) -> Decision:
    return Claim(view.highest_epoch + 1) if view.now >= view.claim_at else WAIT


def _claiming(view: AddressView) -> Decision:
    if view.other_owner:
        return Withdraw("another member owns it")
    if view.votes >= view.majority and view.authority_end - view.now > AUTHORITY_LEAST_S:
        return Own()
    if view.members - view.refusals < view.majority:
        return Withdraw("a majority has promised it to others")
    if view.now - view.since >= view.settings.claim_ms / 1000:
        return Withdraw("no majority answered in time")
    return WAIT


def _owning(view: AddressView) -> Decision:
    if view.other_owner:
        return GiveUp("another member owns it at a higher epoch")
    if view.authority_end - view.now <= AUTHORITY_LEAST_S:
        return GiveUp("a majority of members no longer acknowledges it")
    if view.hand_over_reason:
        return GiveUp(view.hand_over_reason, view.hand_over_to)
    if view.is_outbid:
        return Raise(view.highest_epoch + 1)
    return Keep()


def _verifying(view: AddressView) -> Decision:
    if view.other_owner:
        return GiveUp("another member owns it at a higher epoch")
    if view.votes >= view.majority and view.authority_end - view.now > AUTHORITY_LEAST_S:
        return Own()
    if view.now - view.since >= view.settings.claim_ms / 1000:
        return GiveUp("no majority acknowledged it after the clocks of the machine had jumped")
    return WAIT


_DECISIONS: Final[dict[Stance, Callable[[AddressView], Decision]]] = {
    Stance.FOLLOWING: _following,
    Stance.CLAIMING: _claiming,
    Stance.OWNING: _owning,
    Stance.VERIFYING: _verifying,
}
