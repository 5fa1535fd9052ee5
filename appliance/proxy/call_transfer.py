"""Calls that follow their slots when these move between workers that live (design 4).

The former owner of a slot sends the calls in it, as snapshots, to the new owner, and ends them without a message.
What siblings that go by an older table still send to the former owner follows the calls, always towards a newer table.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.catalogue.counters import CALLS_MOVED
from appliance.messages.bus_messages import CallsMoved, HandedOver
from appliance.messages.slots import SlotTable
from appliance.proxy.branch import Branch
from appliance.proxy.environment import KeptCall, ProxyEnvironment
from appliance.proxy.proxy import Proxy
from appliance.proxy.response_context import ResponseContext
from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Request, Response
from appliance.sip.parser import SyntaxLimits, find_call_id, parse
from appliance.transaction.keys import server_key
from appliance.transport.process_id import ProcessId
from appliance.worker_group.worker_group import WorkerGroup


class CallTransfer:
    """The calls of one worker, as far as their slots move."""

    __slots__ = ("_group", "_node", "_proxy", "_slot_ownership")

    def __init__(self, node: ProxyEnvironment, proxy: Proxy, group: WorkerGroup) -> None:
        self._node = node
        self._proxy = proxy
        self._group = group
        self._slot_ownership = group.slot_ownership

    def receive_slots(self, table: SlotTable, live: Sequence[ProcessId], now: float) -> None:
        """Whose the slots are from now on, and who there is."""
        self._group.receive_slots(table, live)
        self._node.rate_limits.part = self._slot_ownership.share
        if self._slot_ownership.siblings:
            self._proxy.early.expect(now)
            self.move_calls(now)

    def receive_calls(self, message: CallsMoved, now: float) -> bool:
        """Go on with calls of a sibling; True when some of them may not be ours any more."""
        self._proxy.adopt(message.snapshots, now)
        return message.epoch < self._slot_ownership.epoch

    def is_astray(self, message: HandedOver, now: float) -> bool:
        """Is our table newer than that of who handed this over, and says that the call is a sibling's?"""
        if message.epoch > self._slot_ownership.epoch:
            # The news of slots is on its way to us, and so may be the call.
            self._proxy.early.expect(now)
        return message.epoch < self._slot_ownership.epoch and not self._slot_ownership.is_own(
            find_call_id(message.data)
        )

    def has_left(self, data: bytes, limits: SyntaxLimits) -> bool:
        """Is this a response or a CANCEL to what is not here, for it has followed its slot?"""
        transactions = self._node.transactions
        try:
            message = parse(data, limits)
            if isinstance(message, Response):
                return transactions.client_for(message) is None
            is_cancel = isinstance(message, Request) and message.method == b"CANCEL"
            return is_cancel and not _is_cancellable(message, self._node)
        except MalformedMessage:
            return False

    def move_calls(self, now: float) -> None:
        """Calls that are being set up go to those who own their slots."""
        for owner, snapshots in self._calls_of_others(now).items():
            self._node.counters[CALLS_MOVED] += len(snapshots)
            self._group.tell(owner, CallsMoved(snapshots, self._slot_ownership.epoch))

    def _calls_of_others(self, now: float) -> dict[ProcessId, list[bytes]]:
        moved: dict[ProcessId, list[bytes]] = {}
        for call in calls_of(self._node):
            try:
                owner = self._slot_ownership.owner_of(call.call_id)
                snapshot = call.snapshot() if owner in self._slot_ownership.siblings else b""
                if snapshot:
                    moved.setdefault(owner, []).append(snapshot)
                    call.relinquish(now)
            except Exception as error:
                self._node.faults.note("a call that moves to another worker", call.call_id, error, now)
        return moved


def _is_cancellable(cancel: Request, node: ProxyEnvironment) -> bool:
    """Is the request here that a CANCEL means?"""
    return node.transactions.cancelled_target(cancel) is not None or server_key(cancel, b"INVITE") in node.waiting


def calls_of(node: ProxyEnvironment) -> list[KeptCall]:
    """Every call, and every request that waits, that another worker could go on with."""
    transactions = node.transactions
    users = [server.user for server in transactions.servers.values() if server.is_invite]
    calls: list[KeptCall] = [user for user in users if isinstance(user, ResponseContext)]
    calls += node.waiting.values()
    # What another worker has answered has no server transaction here, but branches whose CANCEL is under way.
    branches = [client.user for client in transactions.clients.values() if isinstance(client.user, Branch)]
    answered = dict.fromkeys(branch.user for branch in branches)
    return calls + [
        user for user in answered if isinstance(user, ResponseContext) and user.request_context.server is None
    ]
