"""What a member keeps about one address."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.cluster.leases.heartbeat import AddressState, Stance
from appliance.cluster.leases.promises import FOREVER, Promise
from appliance.messages.membership import NO_MEMBER, VirtualAddress


@dataclass(slots=True)
class AddressRecord:
    """One address. Times are of the own clock.

    `base_epoch`   the lowest epoch of the present claim: an owner that raised its epoch has acknowledgements of both.
    `since`        when it came to its stance.
    `free_since`   since when a majority says that it is bound to no member.
    `successor`    the member that the last owner named.
    `ordered_to`   the member that an operator wants to own it, until `ordered_until`.
    `is_elsewhere` a machine outside of the cluster has the address.
    `last_owner`, `last_owner_heard_at`  the member that was last known to own it.
    `ending`       how the last owner ended, if it is known.
    `taken_from`   the member that owned it before this one, while this one owns it.
    """

    address: VirtualAddress
    promise: Promise
    stance: Stance = Stance.FOLLOWING
    base_epoch: int = 0
    since: float = 0.0
    free_since: float = FOREVER
    retry_at: float = 0.0
    failed_claims: int = 0
    renew_at: float = 0.0
    was_bound: bool = False
    successor: int = NO_MEMBER
    ordered_to: int = NO_MEMBER
    ordered_until: float = 0.0
    preempt_at: float = 0.0
    is_elsewhere: bool = False
    last_owner: int = NO_MEMBER
    last_owner_heard_at: float = 0.0
    ending: str = ""
    taken_from: int = NO_MEMBER

    @property
    def is_ours(self) -> bool:
        """Does this member own it, as far as it knows?"""
        return self.stance in (Stance.OWNING, Stance.VERIFYING)

    def become(self, stance: Stance, now: float) -> None:
        """Change the stance."""
        self.stance, self.since = stance, now

    def claim(self, me: int, epoch: int, now: float) -> None:
        """Begin to claim it."""
        self.promise.hold_oneself(me, epoch)
        self.base_epoch = epoch
        self.become(Stance.CLAIMING, now)

    def order(self, to: int, until: float) -> None:
        """An operator wants a member to own it. Its owner waits for that member until then."""
        self.ordered_to, self.ordered_until = to, until

    def owned_by(self, member: int, now: float) -> None:
        """A member says that it owns it; an order to give it to that member is carried out."""
        self.last_owner, self.last_owner_heard_at, self.ending = member, now, ""
        if self.ordered_to == member:
            self.ordered_to = NO_MEMBER

    def give_up(self, me: int, successor: int, now: float) -> None:
        """All claims of this member, up to the present one, are over for good."""
        self.promise.receive_release(me, self.promise.epoch)
        self.successor = successor
        self.ordered_to = NO_MEMBER
        self.become(Stance.FOLLOWING, now)

    def state_for(self, receiver: int, can_own: bool, acknowledges: bool, now: float) -> AddressState:
        """What a heartbeat to `receiver` says about it."""
        promise = self.promise
        released, released_epoch = promise.newest_release
        return AddressState(
            self.address.number,
            promise.epoch,
            promise.holder,
            self.stance,
            promise.is_bound(now),
            can_own,
            promise.echo if acknowledges and promise.holder == receiver else 0.0,
            released,
            released_epoch,
            self.successor,
        )
