"""Replies to REGISTER that wait until what they say is in the registration table of the node, and of another node.

What is answered 200 survives the death of this process, and a call that follows the answer finds the contact on every
worker. Mostly the wait ends with the turn. Where the table has no room, or cannot be written to within the wait, the
answer is 503, and the phone registers again (RFC 3261 21.5.4). In a cluster it survives the death of the node as well:
the answer waits until another node has the contact, but not for long, and only while there is one.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from appliance.catalogue.counters import REGISTRATIONS_LATE, REGISTRATIONS_UNREPLICATED, REGISTRATIONS_UNSTORED
from appliance.location.registration_table import RegistrationTable
from appliance.sip.header_lines import make_line
from appliance.sip.message import Request
from appliance.sip.writer import write_response
from appliance.transaction.table import Transactions
from appliance.transaction.transaction import ServerTransaction
from appliance.transport.flow import Flow

HELD_MAX: Final = 8192
RETRY_AFTER: Final = b"5"  # seconds; another process writes, or the table is made anew
RETRY_AFTER_FULL: Final = b"60"
FULL_S: Final = 60.0  # for how long a refusal is worth an alarm


class HeldReply:
    """`after`: the number of its change. `until`: how long it waits; `replicated_by`: for another node. `request`,
    `to_tag`: for the 503.
    """

    __slots__ = ("after", "data", "flow", "replicated_by", "request", "server", "status", "to_tag", "until")

    def __init__(
        self,
        after: int,
        until: float,
        replicated_by: float,
        request: Request,
        to_tag: bytes,
        server: ServerTransaction | None,
        flow: Flow,
        status: int,
        data: bytes,
    ) -> None:
        self.after = after
        self.until = until
        self.replicated_by = replicated_by
        self.request = request
        self.to_tag = to_tag
        self.server = server
        self.flow = flow
        self.status = status
        self.data = data


class HeldReplies:
    """Replies in the order of the numbers of their changes. `full_until`: when the alarm of a full table ends.
    `replication_wait_s`: how long they wait for another node.
    """

    __slots__ = ("_counters", "_held", "_table", "_transactions", "full_until", "replication_wait_s", "wait_s")

    def __init__(
        self,
        transactions: Transactions,
        table: RegistrationTable,
        counters: list[int],
        wait_s: float,
        replication_wait_s: float = 0.0,
    ) -> None:
        self._transactions = transactions
        self._table = table
        self._counters = counters
        self.wait_s = wait_s
        self.replication_wait_s = replication_wait_s
        self.full_until = 0.0
        self._held: deque[HeldReply] = deque()

    def __len__(self) -> int:
        return len(self._held)

    def hold(
        self,
        after: int,
        request: Request,
        to_tag: bytes,
        server: ServerTransaction | None,
        flow: Flow,
        status: int,
        data: bytes,
        now: float,
    ) -> None:
        """Keep the reply to a request until its change is written, or for the wait at most; the rest as for
        Transactions.answer.
        """
        reply = HeldReply(
            after, now + self.wait_s, now + self.replication_wait_s, request, to_tag, server, flow, status, data
        )
        if len(self._held) >= HELD_MAX:
            self._refuse(reply, RETRY_AFTER, now)
            self._counters[REGISTRATIONS_LATE] += 1
        else:
            self._held.append(reply)

    def release(self, now: float) -> None:
        """Send the replies whose changes are written or refused, and refuse what has waited too long for that. What
        another node does not acknowledge in time is sent.
        """
        held = self._held
        committed = self._table.committed()
        acknowledged = self._table.acknowledged()
        while held:
            reply = held[0]
            if reply.after > committed and reply.until > now:
                return
            is_written = reply.after <= committed
            is_refused = is_written and self._table.is_refused(reply.after)
            if is_written and not is_refused and reply.after > acknowledged:
                if reply.replicated_by > now:
                    return
                self._counters[REGISTRATIONS_UNREPLICATED] += 1
            held.popleft()
            if not is_written:
                self._counters[REGISTRATIONS_LATE] += 1
                self._refuse(reply, RETRY_AFTER, now)
            elif is_refused:
                self._counters[REGISTRATIONS_UNSTORED] += 1
                self.full_until = now + FULL_S
                self._refuse(reply, RETRY_AFTER_FULL, now)
            else:
                self._transactions.answer(reply.server, reply.flow, reply.status, reply.data, now)

    def _refuse(self, reply: HeldReply, retry_after: bytes, now: float) -> None:
        headers = (make_line(b"Retry-After", retry_after),)
        data = write_response(reply.request, 503, b"", headers, reply.to_tag)
        self._transactions.answer(reply.server, reply.flow, 503, data, now)
