"""To whom the owner of an address gives it, and why: an order, a drain, a node that is not ready, or a preferred member
that is back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from appliance.cluster.leases.address_record import AddressRecord
from appliance.cluster.leases.peers import Peer
from appliance.messages.lease_settings import LeaseSettings
from appliance.messages.membership import NO_MEMBER

NOT_NOW = (NO_MEMBER, "")


def hand_over(
    record: AddressRecord,
    me: int,
    candidates: Sequence[int],
    peers: Mapping[int, Peer],
    is_draining: bool,
    is_ready: bool,
    settings: LeaseSettings,
    now: float,
) -> tuple[int, str]:
    """The member that is to own it next, and the reason; NOT_NOW: it stays. `candidates`: the most preferred first.

    A node that is not ready answers no requests, so it releases the address although there is no other one.
    """
    if not record.is_ours:
        return NOT_NOW
    able = [number for number in candidates if number != me]
    if record.ordered_to in able and now < record.ordered_until:
        return record.ordered_to, "an operator ordered a switchover"
    if not is_ready:
        return able[0] if able else NO_MEMBER, "the node is not ready"
    if is_draining and able:
        return able[0], "the node is drained"
    if record.address.preempt and now >= record.preempt_at and me in record.address.preference:
        present_since = now - settings.preempt_ms / 1000
        preferred = record.address.preference[: record.address.preference.index(me)]
        for number in able:
            if number in preferred and peers[number].present_since <= present_since:
                return number, "a preferred node is back"
    return NOT_NOW
