"""What a member has promised for one address: not to help another member before a time.

A promise belongs to (epoch, holder), and a member gives one promise an epoch. It ends by time, or because its holder
has given up: that is for good, so any member may pass it on.
"""

from __future__ import annotations

from typing import Final

from appliance.messages.membership import NO_MEMBER

FOREVER: Final = float("inf")


class Promise:
    """The promise of this member for one address. Times are of its own clock."""

    __slots__ = ("echo", "epoch", "given_up", "holder", "newest_release", "until")

    def __init__(self, epoch: int = 0) -> None:
        self.epoch = epoch
        self.holder = NO_MEMBER
        self.until = 0.0
        self.echo = 0.0
        """The time of the holder in the newest heartbeat that renewed it."""
        self.given_up: dict[int, int] = {}
        """The highest epoch that a member has given up."""
        self.newest_release = (NO_MEMBER, 0)

    def is_bound(self, now: float) -> bool:
        """Does it hold still?"""
        return self.holder != NO_MEMBER and now < self.until

    def hold_oneself(self, me: int, epoch: int) -> None:
        """Claim for this member: bound to itself until it gives up."""
        self.epoch, self.holder, self.until, self.echo = epoch, me, FOREVER, 0.0

    def receive_claim(self, claimant: int, epoch: int, sent_at: float, until: float, now: float) -> bool:
        """A member claims, or claims again; is it granted? Then the promise holds until `until`."""
        if epoch < self.epoch or epoch <= self.given_up.get(claimant, 0):
            return False
        if claimant != self.holder and (epoch == self.epoch or self.is_bound(now)):
            # One promise an epoch; and a higher epoch alone breaks none.
            return False
        is_renewal = (self.epoch, self.holder) == (epoch, claimant)
        self.echo = max(self.echo, sent_at) if is_renewal else sent_at
        self.epoch, self.holder, self.until = epoch, claimant, until
        return True

    def receive_release(self, member: int, epoch: int) -> bool:
        """A member has given up all epochs up to this one; is the promise over by that?"""
        if epoch <= self.given_up.get(member, 0):
            return False
        self.given_up[member] = epoch
        self.newest_release = (member, epoch)
        if self.holder != member or self.epoch > epoch:
            return False
        self.holder, self.until = NO_MEMBER, 0.0
        return True
