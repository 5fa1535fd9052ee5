"""The quorum lease: which member owns which address (notes on the rule: docs/high-availability.md).

Takes heartbeats and `now`, gives back what to do in the kernel and what to send. Safety rests on four rules:
an owner has authority only as far as a majority has acknowledged its heartbeats, + lease; a member that acknowledged
helps no other before lease + margin is over, by its own clock; a member gives one promise an epoch; and one that starts
anew is silent until every promise that it may have forgotten is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from appliance.catalogue.cluster_values import VIRTUAL_ADDRESSES_MAX
from appliance.cluster.leases.address_record import AddressRecord
from appliance.cluster.leases.address_views import AddressViews
from appliance.cluster.leases.handover import hand_over
from appliance.cluster.leases.heartbeat import AddressState, Heartbeat, Stance
from appliance.cluster.leases.lease_actions import (
    Action,
    CloseLease,
    OpenLease,
    OwnerChanged,
    RenewLease,
    SendHeartbeats,
    SuspendLease,
)
from appliance.cluster.leases.ownership import AddressView, Claim, GiveUp, Keep, Own, Raise, Withdraw, decide
from appliance.cluster.leases.peers import Peer
from appliance.cluster.leases.promises import FOREVER, Promise
from appliance.messages.lease_settings import LeaseSettings
from appliance.messages.membership import NO_MEMBER, Membership, VirtualAddress
from appliance.messages.standing_orders import StandingOrders

# A claim may follow a claim at once; more decisions for one address wait for the next call.
DECISIONS_MAX: Final = 3
BACKOFF_DOUBLINGS_MAX: Final = 4
# For so long an order waits for the member that is to own an address.
SWITCH_WITHIN_S: Final = 2.0


class LeaseMachine:
    """One member. After every event: `decide`, do what it says, and call again at `next_at`."""

    def __init__(
        self,
        me: int,
        membership: Membership,
        addresses: Sequence[VirtualAddress],
        settings: LeaseSettings,
        now: float,
        epochs: Sequence[tuple[int, int]] = (),
    ) -> None:
        """`epochs`: (address, epoch) that are known to have been, from a store that outlives the members."""
        known = dict(epochs)
        self.me = me
        self.membership = membership
        self.settings = settings
        self.records = {a.number: AddressRecord(a, Promise(known.get(a.number, 0))) for a in addresses}
        self.peers = {member.number: Peer() for member in membership.others(me)}
        self.orders = StandingOrders()
        self.is_leaving = False
        """Does its process end?"""
        self.is_ready = True
        self.is_guarded = True
        """Is there a guard that closes its leases at once when it dies? Until then it takes no address."""
        self.heartbeat_at = now
        self._views = AddressViews(me, membership, self.peers, settings)
        # A cluster that has always had one member has given no promise to another one.
        is_first = len(membership.members) == 1 and membership.version == 1
        self._silent_until = now if is_first else now + settings.silence_s
        # A process that starts anew cannot know since when it goes by this version.
        self._former_until = now
        self._settled_at = self._silent_until
        self._settled_before = 0
        self._wants_sending = False

    # -- what arrives ---------------------------------------------------------------------------------

    def receive_heartbeat(self, heartbeat: Heartbeat, now: float) -> bool:
        """A heartbeat of another member; should it be answered at once?"""
        peer = self.peers[heartbeat.sender]
        peer.receive(heartbeat, now, self.settings.heard_ms / 1000)
        self.take_orders(heartbeat.orders, now)
        wants_reply = heartbeat.wants_reply
        for state in heartbeat.states:
            record = self.records.get(state.address) or self._learn(state, now)
            if record is not None:
                wants_reply |= self._receive_state(record, heartbeat, state, now)
        return wants_reply

    def _learn(self, state: AddressState, now: float) -> AddressRecord | None:
        """A record of an address that is not in the configuration of this member, or not yet: it votes all the same."""
        if state.holder == NO_MEMBER:
            return None
        if len(self.records) >= VIRTUAL_ADDRESSES_MAX:
            learned = [n for n, each in self.records.items() if not each.address.addresses]
            free = [n for n in learned if not self.records[n].promise.is_bound(now)]
            if not free:
                return None
            # What it had promised is over: as after a start, nothing is forgotten that counts.
            del self.records[free[0]]
        learnt = AddressRecord(VirtualAddress(state.address, "", ()), Promise())
        self.records[state.address] = learnt
        return learnt

    def _receive_state(self, record: AddressRecord, heartbeat: Heartbeat, state: AddressState, now: float) -> bool:
        promise = record.promise
        if state.released and promise.receive_release(state.released, state.released_epoch):
            self._gave_up(record, state.released, state.successor, "gave it up", now)
        is_former = heartbeat.version < self.membership.version and now >= self._former_until
        if state.holder != heartbeat.sender or is_former:
            return False
        before = promise.epoch, promise.holder
        until = now + self.settings.promise_s
        if not promise.receive_claim(state.holder, state.epoch, heartbeat.sent_at, until, now):
            return False
        if state.stance == Stance.OWNING:
            record.owned_by(state.holder, now)
        is_new = before != (promise.epoch, promise.holder)
        if is_new:
            record.successor = NO_MEMBER
        return is_new

    def receive_end(self, member: int, now: float) -> None:
        """The process of that member is dead and its leases are closed: it holds nothing."""
        self.peers[member].end()
        for record in self.records.values():
            if record.promise.holder == member and record.promise.receive_release(member, record.promise.epoch):
                self._gave_up(record, member, NO_MEMBER, "its process ended", now)

    def _gave_up(self, record: AddressRecord, member: int, successor: int, ending: str, now: float) -> None:
        record.successor = successor
        if member == record.last_owner:
            record.last_owner_heard_at, record.ending = now, ending

    def set_elsewhere(self, address: int, is_elsewhere: bool) -> None:
        """Does a machine outside of the cluster have the address? Then this member does not take it."""
        self.records[address].is_elsewhere = is_elsewhere

    def clocks_jumped(self, now: float) -> list[Action]:
        """The machine may have stood still: what was acknowledged before does not count."""
        self._views.trust_from = now
        self._wants_sending = True
        suspended: list[Action] = []
        for record in self.records.values():
            if record.stance == Stance.OWNING:
                record.become(Stance.VERIFYING, now)
                suspended.append(SuspendLease(record.address.number))
        return suspended

    def lapsed(self, address: int, now: float) -> None:
        """The lease in the kernel had ended before it was renewed, or could not be opened."""
        record = self.records[address]
        record.retry_at = now + self.settings.claim_ms / 1000
        self.closed(address, NO_MEMBER, now)

    def closed(self, address: int, successor: int, now: float) -> None:
        """The lease is closed and the address removed: now it may be said."""
        record = self.records[address]
        record.last_owner, record.last_owner_heard_at, record.ending = self.me, now, "gave it up"
        record.give_up(self.me, successor, now)
        self._wants_sending = True

    def change_members(self, membership: Membership, addresses: Sequence[VirtualAddress], now: float) -> None:
        """Go by the next version of the membership (Membership.follows); `addresses` are those of that version.

        Promises, claims and acknowledgements of members that remain stay as they are: a majority of the one version
        and a majority of the other have a member in common, and that one gives one promise.
        """
        numbers = {member.number for member in membership.others(self.me)}
        for gone in self.peers.keys() - numbers:
            del self.peers[gone]
        for joined in numbers - self.peers.keys():
            self.peers[joined] = Peer()
        self._settled_before = self.settled_version(now)
        self.membership = self._views.membership = membership
        self._former_until = now + self.settings.former_ms / 1000
        self._settled_at = self._former_until + self.settings.promise_s
        for address in addresses:
            self.records[address.number].address = address
        self._wants_sending = True

    def settled_version(self, now: float) -> int:
        """The version of the membership by which alone this member helps an owner: what it has acknowledged by the one
        before is over. 0 for none yet.
        """
        return self.membership.version if now >= self._settled_at else self._settled_before

    # -- orders ---------------------------------------------------------------------------------------

    @property
    def is_draining(self) -> bool:
        """Shall it own nothing?"""
        return self.is_leaving or self.me in self.orders.drained

    def take_orders(self, orders: StandingOrders, now: float) -> None:
        """Orders that were given here, or that another member has passed on; the newest hold."""
        if orders <= self.orders:
            return
        self.orders = orders
        # At once: who owns an address hears of it by a heartbeat.
        self._wants_sending = True
        for each in self.records.values():
            each.renew_at = now
        record = self.records.get(orders.switch_address)
        if record is not None:
            record.order(orders.switch_to, now + SWITCH_WITHIN_S)

    def order_switchover(self, address: int, to: int, stamp: int, now: float) -> str:
        """Have the owner of an address give it to another member. "" or the sentence why not. `to` 0: the best."""
        record = self.records.get(address)
        if record is None or record.is_ours:
            return self.switch_over(address, to, now)
        owner = record.promise.holder if record.promise.is_bound(now) else NO_MEMBER
        if owner == NO_MEMBER:
            return f"No node owns {record.address.name} now."
        able = [number for number in self._candidates(record, now) if number != owner]
        if refusal := _refusal(record, able, to):
            return refusal
        self.take_orders(self.orders.switch(address, to or able[0], stamp), now)
        return ""

    def switch_over(self, address: int, to: int, now: float) -> str:
        """Give an address that this member owns to another one. "" or the sentence why not. `to` 0: the best."""
        record = self.records.get(address)
        if record is None:
            return f"There is no virtual address {address}."
        if not record.is_ours:
            return f"This node does not own {record.address.name}."
        others = [number for number in self._candidates(record, now) if number != self.me]
        if refusal := _refusal(record, others, to):
            return refusal
        record.order(to or others[0], now + SWITCH_WITHIN_S)
        record.renew_at = now
        return ""

    # -- what is to be done ---------------------------------------------------------------------------

    def decide(self, now: float) -> list[Action]:
        """The next steps, in order."""
        actions: list[Action] = []
        for record in self.records.values():
            for _ in range(DECISIONS_MAX):
                if not self._step(record, actions, now):
                    break
        if self._wants_sending:
            self._wants_sending = False
            actions.append(SendHeartbeats())
        return actions

    def _step(self, record: AddressRecord, actions: list[Action], now: float) -> bool:
        """One decision; may another one follow now?"""
        is_bound = record.promise.is_bound(now)
        self._note_promise(record, is_bound, now)
        is_owning = record.stance == Stance.OWNING
        if is_bound and (record.stance == Stance.FOLLOWING or (is_owning and now < record.renew_at)):
            return False
        view = self._view(record, now)
        decision = decide(view)
        if isinstance(decision, Claim):
            record.claim(self.me, decision.epoch, now)
            self._wants_sending = True
            return True
        if isinstance(decision, Withdraw):
            self._withdraw(record, now)
        elif isinstance(decision, Own):
            self._own(record, view, actions)
        elif isinstance(decision, Keep):
            self._keep(record, view, actions)
        elif isinstance(decision, Raise):
            record.promise.hold_oneself(self.me, decision.epoch)
            self._wants_sending = True
            return True
        elif isinstance(decision, GiveUp):
            if decision.successor:
                record.preempt_at = now + 6 * self.settings.preempt_ms / 1000
            actions.append(CloseLease(record.address.number, decision.reason, decision.successor))
        return False

    def _note_promise(self, record: AddressRecord, is_bound: bool, now: float) -> None:
        if record.was_bound and not is_bound:
            # The others wait for a majority of such news.
            self._wants_sending = True
        record.was_bound = is_bound
        if is_bound or not self._views.is_free(record, now):
            record.free_since = FOREVER
        elif record.free_since == FOREVER:
            record.free_since = now

    def _withdraw(self, record: AddressRecord, now: float) -> None:
        record.give_up(self.me, NO_MEMBER, now)
        record.failed_claims += 1
        doublings = min(record.failed_claims - 1, BACKOFF_DOUBLINGS_MAX)
        # Two members that cannot hear each other must not go on in step.
        share = 1 + (self.me * 7 + record.failed_claims * 3) % 5
        record.retry_at = now + share * self.settings.rank_slot_ms / 4000 * 2**doublings
        self._wants_sending = True

    def _own(self, record: AddressRecord, view: AddressView, actions: list[Action]) -> None:
        now = view.now
        is_new = record.stance == Stance.CLAIMING
        record.become(Stance.OWNING, now)
        record.renew_at = now + self.settings.renewal_ms / 1000
        record.failed_claims = 0
        actions.append(OpenLease(record.address.number, view.authority_end))
        self._wants_sending = True
        if is_new:
            gap_s = now - record.last_owner_heard_at if record.last_owner else 0.0
            reason = f"the last owner: {record.ending or 'not heard'}" if record.last_owner else "no owner was known"
            owner = record.taken_from = record.last_owner
            actions.append(OwnerChanged(record.address.number, view.epoch, self.me, owner, reason, gap_s))
        record.owned_by(self.me, now)
        record.successor = NO_MEMBER

    def _keep(self, record: AddressRecord, view: AddressView, actions: list[Action]) -> None:
        record.renew_at = view.now + self.settings.renewal_ms / 1000
        actions.append(RenewLease(record.address.number, view.authority_end))

    # -- what is sent ---------------------------------------------------------------------------------

    def heartbeat_for(self, receiver: int, now: float, is_reply: bool = False) -> Heartbeat:
        """The heartbeat to a member, as of now. A reply wants none."""
        is_silent = self.is_silent(now)
        # An owner as well: what is acknowledged at once is authority for longer than what waits for a heartbeat.
        is_asking = any(record.stance != Stance.FOLLOWING for record in self.records.values())
        return Heartbeat(
            self.me,
            now,
            is_silent,
            is_asking and not is_reply,
            self._views.sees_majority(now),
            tuple(
                record.state_for(receiver, self._can_own(record), not is_silent, now)
                for record in self.records.values()
            ),
            self.orders,
            self.membership.version,
        )

    def heartbeats_sent(self, now: float) -> None:
        """A heartbeat went to each member."""
        self.heartbeat_at = now + self.settings.heartbeat_ms / 1000

    def next_at(self, now: float) -> float:
        """When to decide again, if nothing arrives."""
        return min([self.heartbeat_at, *(self._next_at(record, now) for record in self.records.values())])

    def _next_at(self, record: AddressRecord, now: float) -> float:
        if record.stance == Stance.OWNING:
            return record.renew_at
        if record.stance != Stance.FOLLOWING:
            return record.since + self.settings.claim_ms / 1000
        if record.promise.is_bound(now):
            return record.promise.until
        return max(self._view(record, now).claim_at, now)

    # -- what it is -----------------------------------------------------------------------------------

    def is_silent(self, now: float) -> bool:
        """Has it just started, and may have forgotten promises?"""
        return now < self._silent_until

    def authority_end(self, address: int, now: float) -> float:
        """Until when it may own the address."""
        return self._views.authority_end(self._views.acknowledged(self.records[address]), now)

    def claimed_by(self, record: AddressRecord, now: float) -> list[int]:
        """The members that say that they own an address, this one included: for moments there may be two."""
        return [*([self.me] if record.is_ours else []), *self._views.other_owners(record, now)]

    def _can_own(self, record: AddressRecord) -> bool:
        return (
            self.me in record.address.preference
            and self.is_ready
            and self.is_guarded
            and not self.is_draining
            and not record.is_elsewhere
            and not self.membership.member(self.me).is_witness
        )

    def _candidates(self, record: AddressRecord, now: float) -> list[int]:
        return self._views.candidates(record, self._can_own(record), now)

    def _view(self, record: AddressRecord, now: float) -> AddressView:
        able, stance = self._candidates(record, now), (self.is_draining, self.is_ready)
        to = hand_over(record, self.me, able, self.peers, *stance, self.settings, now)
        can_own = self._can_own(record) and not self.is_silent(now)
        return self._views.view(record, can_own, self.orders.is_maintained, to, now)


def _refusal(record: AddressRecord, able: Sequence[int], to: int) -> str:
    """Why an address cannot go to `to`, or to any member; "" when it can."""
    if able and to in (NO_MEMBER, *able):
        return ""
    return f"No other node can take {record.address.name} now." if not to else "That node cannot take it now."
