"""Orders to the lease process. Each is answered "" or with the sentence why it was not carried out.

Those that concern other members as well go to them with the next heartbeat (messages/standing_orders.py). `stamp`,
where there is one, is unix time in milliseconds.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from appliance.cluster.leases.lease_machine import LeaseMachine
from appliance.messages.membership import NO_MEMBER
from appliance.messages.standing_orders import DRAINED_MAX

# The year 10889: a stamp above it would leave no room for later orders.
STAMP_MAX: Final = 1 << 48


class Ordered(Protocol):
    """What the orders are for."""

    machine: LeaseMachine

    def end(self) -> None: ...

    def change_members(self, fields: dict[str, Any], now: float) -> str: ...


def carry_out(order: dict[str, Any], process: Ordered, now: float) -> str:
    """Do what an order says."""
    machine = process.machine
    match order:
        case {"order": "switchover", "address": int(address), **rest}:
            to = rest.get("to", NO_MEMBER)
            if not isinstance(to, int):
                return "The node is a number."
            return machine.order_switchover(address, to, _stamp(order), now)
        case {"order": "drain", "on": bool(is_on), **rest}:
            return _drain(machine, rest.get("member", machine.me), is_on, _stamp(order), now)
        case {"order": "ready", "on": bool(is_on)}:
            machine.is_ready = is_on
        case {"order": "maintenance", "on": bool(is_on)}:
            machine.take_orders(machine.orders.maintain(is_on, _stamp(order)), now)
        case {"order": "members", **fields}:
            return process.change_members(fields, now)
        case {"order": "stop"}:
            process.end()
        case _:
            return "That is no order."
    return ""


def _drain(machine: LeaseMachine, member: object, is_on: bool, stamp: int, now: float) -> str:
    if not isinstance(member, int) or member not in machine.membership.numbers:
        return "There is no such node."
    if is_on and len(machine.orders.drained) >= DRAINED_MAX and member not in machine.orders.drained:
        return f"{DRAINED_MAX} nodes are drained already."
    machine.take_orders(machine.orders.drain(member, is_on, stamp), now)
    return ""


def _stamp(order: dict[str, Any]) -> int:
    stamp = order.get("stamp", 0)
    return stamp if isinstance(stamp, int) and 0 <= stamp <= STAMP_MAX else 0
