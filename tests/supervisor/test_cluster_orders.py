"""Orders of operators, from names to the lease process: what cannot be done is said with what to type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from appliance.catalogue.cluster_settings import VirtualAddressSettings
from appliance.catalogue.cluster_values import number_of
from appliance.catalogue.settings import Settings
from appliance.messages.address_messages import DrainNode, MaintainCluster, SwitchAddress
from appliance.messages.bus_messages import BusMessage, BusReply, Refusal
from appliance.messages.membership import Member, Membership
from appliance.messages.supervisor_requests import Done
from appliance.storage.cluster_file import ClusterFile, EtcdAccess
from appliance.supervisor.cluster_orders import ClusterOrders
from appliance.supervisor.lease_reader import OnReply
from appliance.supervisor.lease_supervision import LeaseSupervision

MEMBERS = Membership(1, (Member(1, "a", "10.0.0.1"), Member(2, "b", "10.0.0.2"), Member(3, "w", is_witness=True)))
KNOWN = ClusterFile("test", 2, "ab" * 32, "", MEMBERS, EtcdAccess(()))
SETTINGS = Settings(virtual_addresses=(VirtualAddressSettings("sip", addresses=("10.0.0.50/24",)),))


class Leases(LeaseSupervision):
    """A lease process that replies `reply` at once; None: it does not run."""

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(KNOWN, SETTINGS, tmp_path, dict, lambda fd: None, lambda sentence: None)
        self.ordered: list[dict[str, Any]] = []
        self.reply: str | None = ""

    def order(self, order: dict[str, Any], on_reply: OnReply, now: float) -> bool:
        if self.reply is None:
            return False
        assert order.pop("stamp") > 0
        self.ordered.append(order)
        on_reply(self.reply)
        return True


class Asker:
    """Asks, and has the reply."""

    def __init__(self, tmp_path: Path) -> None:
        self.leases = Leases(tmp_path)
        self.log: list[str] = []
        self._replies: list[BusReply] = []
        self._orders = ClusterOrders(self.leases, self.log.append)
        self._orders.reply = lambda asker, reply: self._replies.append(reply)

    def ask(self, request: BusMessage) -> BusReply:
        return self._orders.execute(b"asker", request, 0.0) or self._replies.pop()


@pytest.fixture
def asker(tmp_path: Path) -> Asker:
    return Asker(tmp_path)


def test_a_switchover_names_the_address_by_its_section_or_itself(asker: Asker) -> None:
    done = asker.ask(SwitchAddress("sip", "a", "ann"))
    assert done == Done("The virtual address sip goes to node a.")
    assert asker.log == ["The virtual address sip goes to node a. Ordered by ann."]
    assert asker.ask(SwitchAddress("10.0.0.50", "", "ann")) == Done("The virtual address sip goes to another node.")
    order = {"order": "switchover", "address": number_of("sip")}
    assert asker.leases.ordered == [{**order, "to": 1}, {**order, "to": 0}]


def test_drain_is_for_this_node_or_another(asker: Asker) -> None:
    asker.ask(DrainNode("", True, "ann"))
    asker.ask(DrainNode("a", False, "ann"))
    assert asker.leases.ordered == [
        {"order": "drain", "on": True, "member": 2},
        {"order": "drain", "on": False, "member": 1},
    ]


def test_maintenance(asker: Asker) -> None:
    assert asker.ask(MaintainCluster(False, "ann")) == Done("Nodes take virtual addresses over again.")
    assert asker.leases.ordered == [{"order": "maintenance", "on": False}]


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        (SwitchAddress("sips", "", "ann"), Refusal("There is no virtual address sips.", "type sip")),
        (SwitchAddress("10.0.0.51", "", "ann"), Refusal("There is no virtual address 10.0.0.51.", "type sip")),
        (SwitchAddress("sip", "w", "ann"), Refusal("The cluster has no node w.", "type a or b")),
        (DrainNode("c", True, "ann"), Refusal("The cluster has no node c.", "type a or b")),
    ],
)
def test_a_wrong_name_is_refused_with_what_to_type(asker: Asker, request_: BusMessage, refusal: Refusal) -> None:
    assert asker.ask(request_) == refusal
    assert asker.leases.ordered == []


def test_what_the_lease_process_does_not_do_is_refused_with_its_reason(asker: Asker) -> None:
    asker.leases.reply = "That node cannot take it now."
    assert asker.ask(SwitchAddress("sip", "a", "ann")) == Refusal("That node cannot take it now.", "see `show cluster`")
    asker.leases.reply = None
    refused = asker.ask(MaintainCluster(True, "ann"))
    assert refused == Refusal("The lease process of this node does not run.", "see `show alarms`")
    assert asker.log == []
