"""Orders of operators about virtual addresses, from names to the lease process, and its reply back.

Each works without etcd and at any node: the lease processes tell each other (messages/standing_orders.py).
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address, ip_interface
from typing import Any, Final

from appliance import clock
from appliance.catalogue.cluster_values import number_of
from appliance.messages.address_messages import DrainNode, MaintainCluster, SwitchAddress
from appliance.messages.bus_messages import BusMessage, BusReply, Refusal
from appliance.messages.membership import NO_MEMBER
from appliance.messages.supervisor_requests import Done
from appliance.supervisor.lease_supervision import LeaseSupervision

SEE: Final = "see `show cluster`"

Reply = Callable[[bytes, BusReply], None]


class ClusterOrders:
    """`reply` answers a request that was made before; it is set by the node."""

    def __init__(self, leases: LeaseSupervision, log: Callable[[str], None]) -> None:
        self.reply: Reply = lambda asker, reply: None
        self._leases = leases
        self._log = log

    def execute(self, asker: bytes, request: BusMessage, now: float) -> BusReply | None:
        """A Refusal, or None when the reply comes with that of the lease process."""
        if isinstance(request, SwitchAddress):
            return self._switch(asker, request, now)
        if isinstance(request, DrainNode):
            return self._drain(asker, request, now)
        if isinstance(request, MaintainCluster):
            return self._maintain(asker, request, now)
        return Refusal(f"The supervisor does not answer {type(request).__name__}.")

    def _switch(self, asker: bytes, request: SwitchAddress, now: float) -> BusReply | None:
        name = self._address_named(request.address)
        if not name:
            known = [section.name for section in self._leases.settings.virtual_addresses]
            return Refusal(f"There is no virtual address {request.address}.", _names(known, "configure one"))
        to = self._node_named(request.node) if request.node else NO_MEMBER
        if to is None:
            return self._no_node(request.node)
        order = {"order": "switchover", "address": number_of(name), "to": to}
        where = f"to node {request.node}" if request.node else "to another node"
        return self._give(asker, order, f"The virtual address {name} goes {where}.", request.user, now)

    def _drain(self, asker: bytes, request: DrainNode, now: float) -> BusReply | None:
        known = self._leases.known
        number = self._node_named(request.node) if request.node else known.me
        if number is None:
            return self._no_node(request.node)
        name = known.membership.member(number).name
        done = (
            f"Node {name} gives its virtual addresses away, and takes none until `cluster undrain {name}`."
            if request.is_on
            else f"Node {name} may own virtual addresses again."
        )
        return self._give(asker, {"order": "drain", "on": request.is_on, "member": number}, done, request.user, now)

    def _maintain(self, asker: bytes, request: MaintainCluster, now: float) -> BusReply | None:
        done = (
            "No node takes a virtual address over by itself until `cluster maintenance off`."
            if request.is_on
            else "Nodes take virtual addresses over again."
        )
        return self._give(asker, {"order": "maintenance", "on": request.is_on}, done, request.user, now)

    def _give(self, asker: bytes, order: dict[str, Any], done: str, user: str, now: float) -> BusReply | None:
        def replied(sentence: str) -> None:
            if not sentence:
                self._log(f"{done} Ordered by {user}.")
            self.reply(asker, Refusal(sentence, SEE) if sentence else Done(done))

        if self._leases.order({**order, "stamp": int(clock.wall_time() * 1000)}, replied, now):
            return None
        return Refusal("The lease process of this node does not run.", "see `show alarms`")

    # -- names ---------------------------------------------------------------------------------------

    def _address_named(self, word: str) -> str:
        """The name of the section that is called so, or has that address; "" for none."""
        sections = self._leases.settings.virtual_addresses
        for section in sections:
            if word == section.name or any(_is_same(word, text) for text in section.addresses):
                return section.name
        return ""

    def _node_named(self, name: str) -> int | None:
        members = self._leases.known.membership.members
        return next((member.number for member in members if member.name == name and not member.is_witness), None)

    def _no_node(self, name: str) -> Refusal:
        members = self._leases.known.membership.members
        known = [member.name for member in members if not member.is_witness]
        return Refusal(f"The cluster has no node {name}.", _names(known, SEE))


def _is_same(word: str, text: str) -> bool:
    try:
        return ip_address(word.strip("[]")) == ip_interface(text).ip
    except ValueError:
        return False


def _names(known: list[str], otherwise: str) -> str:
    return f"type {' or '.join(known)}" if known else otherwise
