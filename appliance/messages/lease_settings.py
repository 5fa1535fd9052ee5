"""The constants of the quorum lease. docs/high-availability.md says what was measured and why they are as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# Of the key by which heartbeats are authenticated.
KEY_LEN: Final = 32


@dataclass(frozen=True, slots=True)
class LeaseSettings:
    """All times in milliseconds, but for the lifetime of an address, which the kernel counts in whole seconds.

    `heartbeat_ms`       between two heartbeats to a member.
    `lease_ms`           for so long after it was sent, a heartbeat that a majority acknowledged gives authority.
    `margin_ms`          a promise outlives the authority that it gives by this, for clocks that differ in speed.
    `restart_ms`         a member that starts anew is silent for lease + margin + this: it has forgotten its promises.
    `renewal_ms`         between two renewals of the lease in the kernel.
    `rank_slot_ms`       a candidate waits so long for each candidate that is preferred to it.
    `claim_ms`           a claim that has no majority after this is withdrawn.
    `heard_ms`           a member that was not heard for longer does not count as present.
    `preempt_ms`         so long a preferred member has to be present before it gets its address back.
    `former_ms`          so long after a change of the members, an owner that has not heard of it is acknowledged still.
    `address_lifetime_s` the kernel removes an address that was not renewed for this: the second fence.
    """

    heartbeat_ms: int = 50
    lease_ms: int = 600
    margin_ms: int = 50
    restart_ms: int = 100
    renewal_ms: int = 20
    rank_slot_ms: int = 80
    claim_ms: int = 100
    heard_ms: int = 200
    preempt_ms: int = 10_000
    former_ms: int = 10_000
    address_lifetime_s: int = 2

    @property
    def lease_s(self) -> float:
        """Authority from one acknowledged heartbeat."""
        return self.lease_ms / 1000

    @property
    def promise_s(self) -> float:
        """How long an acknowledgement binds the member that gave it."""
        return (self.lease_ms + self.margin_ms) / 1000

    @property
    def silence_s(self) -> float:
        """How long a member that starts anew neither acknowledges nor claims."""
        return (self.lease_ms + self.margin_ms + self.restart_ms) / 1000
