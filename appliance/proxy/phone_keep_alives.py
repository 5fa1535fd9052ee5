"""Keep-alives to registered phones: what keeps their NAT open, and shows whether they are there.

One worker of a node sends them, in rounds through the registration table (table_round.py), each phone by one node:

- by a connection, the node that holds it; where the virtual address of its listener has another owner by now, it is
  gone, and the owner sees to the phone;
- by UDP from a virtual address, the node that owns it; else the node that accepted the registration.

A phone behind another proxy (it has a Path) is that proxy's to keep, a contact at a name that DNS has to find is left
alone, and so is one that does not lead to where its REGISTER came from: others shall not be sent what they did not ask
for. By a connection only the phone sends empty lines (RFC 5626 4.4.1); there `crlf` sends nothing.

"Cannot know" is not "no": a keep-alive without an answer counts only where something else has come in meanwhile, for
else this end may be cut off. One that could not be sent waits as long for that. Any final response is an answer; a
registration that was refreshed begins anew.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from appliance.catalogue.counters import (
    KEEPALIVE_CONTACTS_REMOVED,
    KEEPALIVE_ROUNDS_LATE,
    KEEPALIVES_ANSWERED,
    KEEPALIVES_SENT,
    KEEPALIVES_SKIPPED,
    KEEPALIVES_UNANSWERED,
    REQUESTS_RECEIVED,
    RESPONSES_RECEIVED,
)
from appliance.catalogue.settings import Settings
from appliance.location.binding import Binding
from appliance.location.deregistration import end_of
from appliance.location.record_version import maker_of
from appliance.location.table_store import TableUnsound
from appliance.proxy.address_takeover import AddressTakeover
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.flow_routes import usable
from appliance.proxy.location_service import note_unreadable
from appliance.proxy.options_keep_alive import LEN_MAX, OptionsKeepAlive
from appliance.proxy.registration_events import publish
from appliance.proxy.table_round import TableRound
from appliance.routing.contact_policy import is_foreign
from appliance.routing.server_location import AnswersNeeded, LocationUnknown
from appliance.routing.targets import Target, targets_of_bindings
from appliance.sip.errors import MalformedMessage
from appliance.transaction.table import TableFull
from appliance.transaction.timers import Timer
from appliance.transport.flow import Flow, Outgoing
from appliance.transport.framing import PING
from appliance.transport.process_id import node_of
from appliance.transport.transport_table import is_secure
from appliance.worker_group.slot_ownership import SlotOwnership

STEP_S: Final = 0.1
# How soon a worker sees that it has become the one that sends.
IDLE_STEP_S: Final = 1.0
# Addresses without a live binding that one step may pass over.
PASSED_OVER_MAX: Final = 20
UNANSWERED_MAX: Final = 20_000
# Phones whose failures are remembered; at the limit the one that failed first is forgotten.
FAILING_MAX: Final = 100_000
CALL_ID_TRIES_MAX: Final = 4096


class PhoneKeepAlives:
    """Those of one worker."""

    def __init__(
        self,
        node: ProxyEnvironment,
        slot_ownership: SlotOwnership,
        takeover: AddressTakeover,
        settings: Settings,
        now: float,
    ) -> None:
        self._node = node
        self._slot_ownership = slot_ownership
        self._takeover = takeover
        self._number = node_of(node.process)
        self._round: TableRound | None = None
        self._timer: Timer | None = None
        self._unanswered: dict[tuple[bytes, bytes], OptionsKeepAlive] = {}
        # Those that could not be sent, each with the moment at which it counts as unanswered; all are in `_unanswered`.
        self._unsent: deque[tuple[float, OptionsKeepAlive]] = deque()
        # By binding: the version that failed, and how often in succession.
        self._failing: dict[tuple[bytes, bytes], tuple[int, int]] = {}
        self._sent = 0
        self._settings = settings.registrar
        self.reconfigure(settings, now)

    def reconfigure(self, settings: Settings, now: float) -> None:
        """Go by new settings: a round begins anew."""
        self._settings = settings.registrar
        self._round = None
        if self._settings.keepalive == "off":
            if self._timer is not None:
                self._node.transactions.timers.cancel(self._timer)
            self._timer = None
            self._failing.clear()
        elif self._timer is None:
            self._start_timer(now)

    def _start_timer(self, now: float) -> None:
        step_s = STEP_S if self._slot_ownership.is_first else IDLE_STEP_S
        self._timer = self._node.transactions.timers.start(step_s, now, self, 0)

    def timer_fired(self, token: int, now: float) -> None:
        """The next phones are due."""
        self._start_timer(now)
        while self._unsent and self._unsent[0][0] <= now:
            self.unanswered(self._unsent.popleft()[1], now)
        if not self._slot_ownership.is_first:
            self._round = None
            self._failing.clear()
            return
        try:
            self._step(now)
        except TableUnsound as fault:
            note_unreadable(fault, self._node)

    def _step(self, now: float) -> None:
        if self._round is None:
            settings = self._settings
            bindings = len(self._node.bindings)
            self._round = TableRound(bindings, settings.keepalive_interval_s, settings.keepalive_rate_max_per_s, now)
        due = self._round.due(now)
        if self._round.is_over:
            if now >= self._round.ends_at:
                self._round = None
        elif due:
            self._go_on(self._round, due, now)

    def _go_on(self, round_: TableRound, due: int, now: float) -> None:
        limit = due + PASSED_OVER_MAX
        page = self._node.bindings.page(round_.after, b"", limit)
        wall_time = self._node.wall_time(now)
        for aor, entries in page:
            live = [entry for entry in entries if entry.is_live(wall_time)]
            if live and due <= 0:
                return
            round_.seen(aor, len(live))
            due -= len(live)
            for binding in live:
                self._keep_alive(binding, now)
        if len(page) < limit:
            round_.is_over = True
            self._node.counters[KEEPALIVE_ROUNDS_LATE] += now > round_.ends_at + STEP_S

    # -- one phone -----------------------------------------------------------------------------------

    def _keep_alive(self, binding: Binding, now: float) -> None:
        kept = binding.flow
        is_void = self._is_void(kept)
        if binding.path_text or (self._is_held_elsewhere(kept) and not is_void):
            return
        targets = targets_of_bindings((binding,), self._node.contact_policy)
        if not targets:
            return
        target = targets[0]
        hop = self._hop_of(target, is_void, now)
        if hop is None:
            if target.is_flow_bound and (is_void or self._is_of_this_node(binding, kept)):
                self._note_failure(binding.aor, binding.key, binding.version, now)
        elif self._is_of_this_node(binding, hop):
            self._send(binding, target, hop, now)

    def _is_held_elsewhere(self, kept: Flow | None) -> bool:
        """Is it a connection of another node, as far as the registration says, or at an address of another node?"""
        if kept is None or kept.is_stream:
            return kept is not None and node_of(kept.process) != self._number
        return self._takeover.is_virtual(kept.listener) and not self._takeover.is_owned(kept.listener)

    def _is_void(self, kept: Flow | None) -> bool:
        """Was it a connection of the last owner of an address, dead or alive, which this node owns by now?"""
        return kept is not None and self._is_held_elsewhere(kept) and self._takeover.is_owned(kept.listener)

    def _hop_of(self, target: Target, is_void: bool, now: float) -> Flow | None:
        """Where a request for it would go now; None where that cannot be said, or where its connection is gone."""
        node = self._node
        flow = None if is_void else target.flow
        if target.is_flow_bound:
            return None if flow is None else usable(flow, node)
        if flow is not None and not (target.is_secure and not is_secure(flow.transport)):
            here = usable(flow, node)
            if here is not None:
                return here
        if is_foreign(target.origin):
            return None
        try:
            hops = node.next_hops.find(target.uri, LEN_MAX + 2 * len(target.uri_text), 0, b"", now)
            return next((hop for hop in hops if node.contact_policy.passable([hop], target.origin, hop.listener)), None)
        except (AnswersNeeded, LocationUnknown):
            return None

    def _is_of_this_node(self, binding: Binding, hop: Flow | None) -> bool:
        if hop is None or not self._node.connections.nodes.is_used:
            return True
        if hop.connection:
            return node_of(hop.process) == self._number
        if self._takeover.is_virtual(hop.listener):
            return self._takeover.is_owned(hop.listener)
        return maker_of(binding.version) == self._number

    def _send(self, binding: Binding, target: Target, hop: Flow, now: float) -> None:
        node = self._node
        if self._settings.keepalive == "crlf":
            if not hop.is_stream:
                node.transactions.outbox.append(Outgoing(PING, hop, b""))
                node.counters[KEEPALIVES_SENT] += 1
            return
        name = (binding.aor, binding.key)
        if name in self._unanswered:
            return
        if len(self._unanswered) >= UNANSWERED_MAX:
            node.counters[KEEPALIVES_SKIPPED] += 1
            return
        keep_alive = OptionsKeepAlive(self, *name, binding.version, self._call_id(now), self._received())
        try:
            keep_alive.send(target, hop, node, now)
        except (TableFull, MalformedMessage):
            node.counters[KEEPALIVES_SKIPPED] += 1
            return
        self._unanswered[name] = keep_alive
        node.counters[KEEPALIVES_SENT] += 1

    def _call_id(self, now: float) -> bytes:
        """One whose slot is this worker's, for the response comes back by it."""
        sent_ms = int(self._node.wall_time(now) * 1000)
        call_id = b""
        for _ in range(CALL_ID_TRIES_MAX):
            self._sent += 1
            call_id = b"keep-alive-%x-%x-%x" % (self._node.process, sent_ms, self._sent)
            if self._slot_ownership.is_own(call_id):
                break
        return call_id

    def _received(self) -> int:
        """Messages that have come in so far."""
        return self._node.counters[REQUESTS_RECEIVED] + self._node.counters[RESPONSES_RECEIVED]

    # -- what comes of it ----------------------------------------------------------------------------

    def answered(self, keep_alive: OptionsKeepAlive, now: float) -> None:
        """A final response came, whichever."""
        name = (keep_alive.aor, keep_alive.key)
        self._node.counters[KEEPALIVES_ANSWERED] += 1
        self._unanswered.pop(name, None)
        self._failing.pop(name, None)

    def unsent(self, keep_alive: OptionsKeepAlive, now: float) -> None:
        """It could not be sent: the phone is gone, or the network of this end is down."""
        # RFC 3261 17.1.2.2: as long as an answer may take.
        self._unsent.append((now + self._node.transactions.durations.f, keep_alive))

    def unanswered(self, keep_alive: OptionsKeepAlive, now: float) -> None:
        """No response came."""
        self._unanswered.pop((keep_alive.aor, keep_alive.key), None)
        # The response may have come to a worker that has its slot by now.
        has_heard = self._received() > keep_alive.received and self._slot_ownership.is_own(keep_alive.call_id)
        if has_heard:
            self._note_failure(keep_alive.aor, keep_alive.key, keep_alive.version, now)

    def _note_failure(self, aor: bytes, key: bytes, version: int, now: float) -> None:
        self._node.counters[KEEPALIVES_UNANSWERED] += 1
        failures_max = self._settings.keepalive_failures_max
        if not failures_max or self._settings.keepalive == "off":
            return
        failed, count = self._failing.pop((aor, key), (version, 0))
        count = count + 1 if failed == version else 1
        if count >= failures_max and self._remove(aor, key, version, now):
            return
        while len(self._failing) >= FAILING_MAX:
            del self._failing[next(iter(self._failing))]
        self._failing[aor, key] = version, count

    def _remove(self, aor: bytes, key: bytes, version: int, now: float) -> bool:
        """End the binding, unless it was refreshed meanwhile. False where the table takes no change now."""
        wall_time = self._node.wall_time(now)
        for entry in self._node.bindings.entries(aor):
            if entry.key == key and entry.version == version and entry.is_live(wall_time):
                if publish(end_of(entry, wall_time, self._number), self._node, now) < 0:
                    return False
                self._node.counters[KEEPALIVE_CONTACTS_REMOVED] += 1
        return True
