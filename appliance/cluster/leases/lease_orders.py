"""Orders to the lease process. Each is answered "" or with the sentence why it was not carried out."""

from __future__ import annotations

from typing import Any, Protocol

from appliance.cluster.leases.lease_machine import LeaseMachine
from appliance.messages.membership import NO_MEMBER


class Ordered(Protocol):
    """What the orders are for."""

    machine: LeaseMachine

    def end(self) -> None: ...


def carry_out(order: dict[str, Any], process: Ordered, now: float) -> str:
    """Do what an order says."""
    machine = process.machine
    match order:
        case {"order": "switchover", "address": int(address), **rest}:
            to = rest.get("to", NO_MEMBER)
            return machine.switch_over(address, to, now) if isinstance(to, int) else "The node is a number."
        case {"order": "drain", "on": bool(is_on)}:
            machine.is_draining = is_on
        case {"order": "maintenance", "on": bool(is_on)}:
            machine.is_maintained = is_on
        case {"order": "stop"}:
            process.end()
        case _:
            return "That is no order."
    return ""
