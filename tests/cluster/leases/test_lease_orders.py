"""Orders to the lease process, and the replies."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.cluster.leases.lease_machine import LeaseMachine
from appliance.cluster.leases.lease_orders import carry_out
from appliance.messages.lease_settings import LeaseSettings
from appliance.messages.membership import Member, Membership, VirtualAddress


class Process:
    def __init__(self) -> None:
        membership = Membership(1, (Member(1, "a"), Member(2, "b")))
        self.machine = LeaseMachine(1, membership, [VirtualAddress(1, "sip", (1, 2))], LeaseSettings(), 0.0)
        self.has_ended = False

        self.members: dict[str, Any] = {}

    def end(self) -> None:
        self.has_ended = True

    def change_members(self, fields: dict[str, Any], now: float) -> str:
        self.members = fields
        return ""


def test_drain_maintenance_and_stop() -> None:
    process = Process()
    assert carry_out({"order": "drain", "on": True}, process, 0.0) == ""
    assert carry_out({"order": "maintenance", "on": True}, process, 0.0) == ""
    assert process.machine.is_draining and process.machine.orders.is_maintained
    assert carry_out({"order": "stop"}, process, 0.0) == ""
    assert process.has_ended


def test_other_members() -> None:
    process = Process()
    assert carry_out({"order": "members", "membership": {}, "addresses": []}, process, 0.0) == ""
    assert process.members == {"membership": {}, "addresses": []}


@pytest.mark.parametrize(
    ("order", "reply"),
    [
        ({"order": "switchover", "address": 1}, "No node owns sip now."),
        ({"order": "switchover", "address": 7}, "There is no virtual address 7."),
        ({"order": "switchover", "address": 1, "to": "b"}, "The node is a number."),
        ({"order": "switchover"}, "That is no order."),
        ({"order": "drain", "on": True, "member": 3}, "There is no such node."),
        ({"order": "drain", "on": 1}, "That is no order."),
        ({}, "That is no order."),
    ],
)
def test_what_cannot_be_done_is_said(order: dict[str, Any], reply: str) -> None:
    assert carry_out(order, Process(), 0.0) == reply
