"""What members tell each other. A heartbeat is claim, acknowledgement, vote and release at once: it says what the
sender has promised for each address, and the promise to oneself is the claim.

Times in a heartbeat are by the clock of the member that they come back to; no clock is compared with another one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from appliance.messages.standing_orders import StandingOrders


class Stance(IntEnum):
    """What a member does about one address."""

    FOLLOWING = 0
    CLAIMING = 1
    OWNING = 2
    # Its clocks have jumped: it was the owner, has closed its lease, and asks whether it still is.
    VERIFYING = 3


@dataclass(frozen=True, slots=True)
class AddressState:
    """One address as the sender sees it.

    `epoch`, `holder`    its promise: not to help another member at this epoch or a lower one.
    `is_bound`           does the promise hold still?
    `echo`               the time in the receiver's newest heartbeat that the promise, if it is to the receiver, was
                         renewed by; 0.0 else.
    `released`, `released_epoch`  that member has given up all its claims up to this epoch, for good.
    `successor`          whom the sender wants to own it next, after its own release.
    `can_own`            would the sender take it?
    """

    address: int
    epoch: int
    holder: int
    stance: Stance
    is_bound: bool
    can_own: bool
    echo: float = 0.0
    released: int = 0
    released_epoch: int = 0
    successor: int = 0


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One heartbeat to one member.

    `sent_at`        by the clock of the sender.
    `is_silent`      it has started anew and acknowledges nothing yet.
    `wants_reply`    answer at once.
    `sees_majority`  has it heard a majority just now?
    `orders`         of operators, as far as it has heard of them.
    `version`        of the membership that the sender goes by.
    """

    sender: int
    sent_at: float
    is_silent: bool
    wants_reply: bool
    sees_majority: bool
    states: tuple[AddressState, ...]
    orders: StandingOrders = field(default_factory=StandingOrders)
    version: int = 1
