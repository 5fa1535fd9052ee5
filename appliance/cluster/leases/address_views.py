"""From what is known to the view on which one decision is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from appliance.cluster.leases.address_record import AddressRecord
from appliance.cluster.leases.heartbeat import AddressState, Stance
from appliance.cluster.leases.ownership import NO_RANK, AddressView
from appliance.cluster.leases.peers import Peer
from appliance.cluster.leases.promises import FOREVER
from appliance.messages.lease_settings import LeaseSettings
from appliance.messages.membership import NO_MEMBER, Membership


class AddressViews:
    """Makes the views of one member. `trust_from`: acknowledgements of older heartbeats do not count.

    `membership` and what is in `peers` may change at any time.
    """

    def __init__(self, me: int, membership: Membership, peers: Mapping[int, Peer], settings: LeaseSettings) -> None:
        self.trust_from = 0.0
        self._me = me
        self.membership = membership
        self._peers = peers
        self._settings = settings
        self._heard_s = settings.heard_ms / 1000

    def sees_majority(self, now: float) -> bool:
        """Were enough members heard just now?"""
        present = sum(peer.is_present(now, self._heard_s) for peer in self._peers.values())
        return present + 1 >= self.membership.majority

    def acknowledged(self, record: AddressRecord) -> list[float]:
        """The times of own heartbeats that members have acknowledged for the present claim, the newest first."""
        promise = record.promise
        if promise.holder != self._me:
            return []
        echoes = [
            state.echo
            for peer in self._peers.values()
            if (state := peer.states.get(record.address.number)) is not None
            and state.holder == self._me
            and record.base_epoch <= state.epoch <= promise.epoch
            and state.echo >= self.trust_from
            and state.echo > 0
        ]
        return sorted(echoes, reverse=True)

    def authority_end(self, acknowledged: list[float], now: float) -> float:
        """Until when a majority lets this member own the address. It counts itself."""
        others = self.membership.majority - 1
        if len(acknowledged) < others:
            return 0.0
        return (acknowledged[others - 1] if others else now) + self._settings.lease_s

    def is_free(self, record: AddressRecord, now: float) -> bool:
        """Does a majority say that it is bound to no member? This one is not."""
        unbound = sum(not state.is_bound for _, state in self._voting(record, now))
        return unbound + 1 >= self.membership.majority

    def candidates(self, record: AddressRecord, can_own: bool, now: float) -> list[int]:
        """Members that would take it: the one that was named as successor, then by preference.

        As long as no owner is known, all have just started, and those that are silent still will be there in a moment.
        """
        able = {
            number
            for number, peer in self._peers.items()
            if (state := peer.states.get(record.address.number)) is not None
            and (peer.is_voting(now, self._heard_s) or (not record.last_owner and peer.is_present(now, self._heard_s)))
            and state.can_own
            and peer.sees_majority
        }
        if can_own:
            able.add(self._me)
        ordered = [number for number in record.address.preference if number in able]
        if record.successor in able:
            ordered.remove(record.successor)
            ordered.insert(0, record.successor)
        return ordered

    def view(
        self, record: AddressRecord, can_own: bool, is_maintained: bool, hand_over: tuple[int, str], now: float
    ) -> AddressView:
        """The address as this member sees it now."""
        number = record.address.number
        epoch = record.promise.epoch
        states = [state for peer in self._peers.values() if (state := peer.states.get(number)) is not None]
        acknowledged = self.acknowledged(record)
        return AddressView(
            now=now,
            stance=record.stance,
            epoch=epoch,
            highest_epoch=max([epoch, *record.promise.given_up.values(), *(state.epoch for state in states)]),
            since=record.since,
            authority_end=self.authority_end(acknowledged, now),
            votes=1 + len(acknowledged),
            refusals=sum(self._is_refusal(state, epoch) for state in states),
            members=len(self.membership.members),
            majority=self.membership.majority,
            free_since=record.free_since,
            rank=self._rank(record, can_own, now),
            is_named=record.successor == self._me,
            is_maintained=is_maintained,
            retry_at=record.retry_at,
            other_owner=self._other_owner(record, now),
            is_outbid=self._is_outbid(record, now),
            hand_over_to=hand_over[0],
            hand_over_reason=hand_over[1],
            settings=self._settings,
        )

    def _rank(self, record: AddressRecord, can_own: bool, now: float) -> int:
        if not can_own or record.free_since == FOREVER:
            return NO_RANK
        return self.candidates(record, can_own, now).index(self._me)

    def _is_refusal(self, state: AddressState, epoch: int) -> bool:
        return state.epoch > epoch or (state.epoch == epoch and state.holder not in (self._me, NO_MEMBER))

    def _other_owner(self, record: AddressRecord, now: float) -> int:
        return next(iter(self.other_owners(record, now, record.promise.epoch + 1)), NO_MEMBER)

    def other_owners(self, record: AddressRecord, now: float, epoch: int = 0) -> list[int]:
        """Members that say that they own it, at this epoch or a higher one."""
        return [
            number
            for number, state in self._voting(record, now)
            if state.stance == Stance.OWNING and state.holder == number and state.epoch >= epoch
        ]

    def _is_outbid(self, record: AddressRecord, now: float) -> bool:
        """Can a member that is bound to no one not promise this epoch? Another claim may be withdrawn still."""
        if record.stance != Stance.OWNING:
            return False
        epoch = record.promise.epoch
        return any(
            not state.is_bound and (state.epoch > epoch or (state.epoch == epoch and state.holder != self._me))
            for _, state in self._voting(record, now)
        )

    def _voting(self, record: AddressRecord, now: float) -> Iterator[tuple[int, AddressState]]:
        for number, peer in self._peers.items():
            if peer.is_voting(now, self._heard_s) and (state := peer.states.get(record.address.number)) is not None:
                yield number, state
