"""What operators have ordered for the whole cluster. Heartbeats carry it, so it takes neither etcd nor all members.

Every member keeps the orders with the highest stamp that it has heard of, and passes them on. A value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from appliance.messages.membership import NO_MEMBER

# As many as a heartbeat has room for.
DRAINED_MAX: Final = 16
NO_ADDRESS: Final = 0


@dataclass(frozen=True, slots=True, order=True)
class StandingOrders:
    """The orders in force; those that compare greater replace others.

    `stamp`          milliseconds of unix time at which they were given, and always more than those before.
    `is_maintained`  no node takes an address over by itself.
    `drained`        members that own nothing, in ascending order.
    `switch_address`, `switch_to`  what was ordered last: that its owner gives an address to a member.
    """

    stamp: int = 0
    is_maintained: bool = False
    drained: tuple[int, ...] = ()
    switch_address: int = NO_ADDRESS
    switch_to: int = NO_MEMBER

    def drain(self, member: int, is_on: bool, stamp: int) -> StandingOrders:
        """That member owns nothing from now on, or may own addresses again."""
        drained = {*self.drained, member} if is_on else {*self.drained} - {member}
        return replace(self._next(stamp), drained=tuple(sorted(drained)))

    def maintain(self, is_on: bool, stamp: int) -> StandingOrders:
        """No node takes over by itself from now on, or all nodes may again."""
        return replace(self._next(stamp), is_maintained=is_on)

    def switch(self, address: int, to: int, stamp: int) -> StandingOrders:
        """The owner of an address gives it to a member."""
        return replace(self._next(stamp), switch_address=address, switch_to=to)

    def _next(self, stamp: int) -> StandingOrders:
        """The same with a higher stamp, whatever a clock says; a switchover is over."""
        return replace(self, stamp=max(stamp, self.stamp + 1), switch_address=NO_ADDRESS, switch_to=NO_MEMBER)

    @property
    def lasting(self) -> StandingOrders:
        """Those that hold for a process that starts anew."""
        return replace(self, switch_address=NO_ADDRESS, switch_to=NO_MEMBER)
