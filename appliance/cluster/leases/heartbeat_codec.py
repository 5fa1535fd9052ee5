"""Heartbeats on the wire: one UDP datagram each, authenticated by a keyed hash (BLAKE2b) with the key of the cluster.

    octets   header: magic, format, kind, flags, version of the membership, sender, receiver, boot, sequence,
             heard boot, heard, sent at, number of states, octets of a state
    octets   each address as the sender sees it
    octets   of a heartbeat, the orders of operators: stamp, is maintained, switchover, number of drained members, they
    16       keyed hash of all that is before

A later format may append fields to a state, and octets to the orders: the reader takes those that it knows.
"""

from __future__ import annotations

import hmac
import math
import struct
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from typing import Final

from appliance.cluster.leases.heartbeat import AddressState, Heartbeat, Stance
from appliance.cluster.leases.sessions import Header
from appliance.messages.lease_settings import KEY_LEN
from appliance.messages.membership import Membership
from appliance.messages.standing_orders import DRAINED_MAX, StandingOrders

DATAGRAM_LEN_MAX: Final = 1400
# Majorities of versions that are further apart may have no member in common.
VERSIONS_APART_MAX: Final = 1

_MAGIC: Final = b"SBXL"
_FORMAT: Final = 1
_HEADER: Final = struct.Struct("!4sBBHIHHQQQddBB")
_STATE: Final = struct.Struct("!HBQHdHQH")
_ORDERS: Final = struct.Struct("!Q?HHB")
_MEMBER: Final = struct.Struct("!H")
_MAC_LEN: Final = 16
_PERSON: Final = b"signalbox lease"
_SILENT, _WANTS_REPLY, _SEES_MAJORITY = 1, 2, 4
_STANCE, _BOUND, _CAN_OWN = 3, 4, 8


class Kind(IntEnum):
    """What a datagram is."""

    HEARTBEAT = 1
    # Of the guard: the process with this boot number is dead, and its leases are closed.
    END = 2


class Refusal(IntEnum):
    """Why a datagram is dropped; the place of its counter."""

    MALFORMED = 0
    FOREIGN = 1
    OTHER_VERSION = 2
    MISDIRECTED = 3


class DatagramRefused(Exception):
    """What arrived is no datagram of a member to this one."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.name)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Datagram:
    """What was read. `heartbeat` is None when its process has ended."""

    header: Header
    heartbeat: Heartbeat | None


class HeartbeatCodec:
    """Writes and reads datagrams of one member."""

    def __init__(self, me: int, membership: Membership, key: bytes) -> None:
        """`key`: KEY_LEN octets, the same for all members."""
        assert len(key) == KEY_LEN
        self._me = me
        self._version = membership.version
        self._others = {member.number for member in membership.others(me)}
        self._keyed = blake2b(key=key, digest_size=_MAC_LEN, person=_PERSON)

    def write(self, header: Header, heartbeat: Heartbeat) -> bytes:
        """A heartbeat as a datagram."""
        flags = (
            _SILENT * heartbeat.is_silent
            | _WANTS_REPLY * heartbeat.wants_reply
            | _SEES_MAJORITY * heartbeat.sees_majority
        )
        states = b"".join(map(_write_state, heartbeat.states))
        body = states + _write_orders(heartbeat.orders)
        return self._sealed(Kind.HEARTBEAT, flags, header, heartbeat.sent_at, len(heartbeat.states), body)

    def write_end(self, header: Header) -> bytes:
        """The word that the process with that boot number is dead."""
        return self._sealed(Kind.END, 0, header, 0.0, 0, b"")

    def read(self, octets: bytes) -> Datagram:
        """What arrived. Raises DatagramRefused."""
        if len(octets) < _HEADER.size + _MAC_LEN or octets[:4] != _MAGIC or len(octets) > DATAGRAM_LEN_MAX:
            raise DatagramRefused(Refusal.MALFORMED)
        body, mac = octets[:-_MAC_LEN], octets[-_MAC_LEN:]
        if not hmac.compare_digest(self._mac(body), mac):
            raise DatagramRefused(Refusal.FOREIGN)
        # From here on it was written by a holder of the key.
        _, form, kind, flags, version, sender, receiver, *numbers, count, state_len = _HEADER.unpack_from(body)
        boot, sequence, heard_boot, heard, sent_at = numbers
        if form != _FORMAT or abs(version - self._version) > VERSIONS_APART_MAX:
            raise DatagramRefused(Refusal.OTHER_VERSION)
        if receiver != self._me or sender not in self._others:
            raise DatagramRefused(Refusal.MISDIRECTED)
        header = Header(sender, receiver, boot, sequence, heard_boot, heard)
        if kind == Kind.END:
            return Datagram(header, None)
        orders_at = _HEADER.size + count * state_len
        is_whole = len(body) >= orders_at + _ORDERS.size and (state_len >= _STATE.size or not count)
        if kind != Kind.HEARTBEAT or not is_whole or not math.isfinite(sent_at) or not math.isfinite(heard):
            raise DatagramRefused(Refusal.MALFORMED)
        states = tuple(_read_state(body, _HEADER.size + place * state_len) for place in range(count))
        bits = bool(flags & _SILENT), bool(flags & _WANTS_REPLY), bool(flags & _SEES_MAJORITY)
        return Datagram(header, Heartbeat(sender, sent_at, *bits, states, _read_orders(body, orders_at), version))

    def _sealed(self, kind: Kind, flags: int, header: Header, sent_at: float, count: int, rest: bytes) -> bytes:
        ends = header.sender, header.receiver
        session = header.boot, header.sequence, header.heard_boot, header.heard, sent_at
        head = _HEADER.pack(_MAGIC, _FORMAT, kind, flags, self._version, *ends, *session, count, _STATE.size)
        return head + rest + self._mac(head + rest)

    def _mac(self, body: bytes) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(body)
        return keyed.digest()


def _write_state(state: AddressState) -> bytes:
    bits = state.stance | _BOUND * state.is_bound | _CAN_OWN * state.can_own
    release = state.released, state.released_epoch, state.successor
    return _STATE.pack(state.address, bits, state.epoch, state.holder, state.echo, *release)


def _read_state(body: bytes, place: int) -> AddressState:
    address, bits, epoch, holder, echo, released, released_epoch, successor = _STATE.unpack_from(body, place)
    if not math.isfinite(echo):
        raise DatagramRefused(Refusal.MALFORMED)
    stance, is_bound, can_own = Stance(bits & _STANCE), bool(bits & _BOUND), bool(bits & _CAN_OWN)
    return AddressState(
        address, epoch, holder, stance, is_bound, can_own, echo, released, released_epoch, successor
    )


def _write_orders(orders: StandingOrders) -> bytes:
    drained = orders.drained[:DRAINED_MAX]
    fields = orders.stamp, orders.is_maintained, orders.switch_address, orders.switch_to
    return _ORDERS.pack(*fields, len(drained)) + b"".join(map(_MEMBER.pack, drained))


def _read_orders(body: bytes, place: int) -> StandingOrders:
    stamp, is_maintained, address, to, count = _ORDERS.unpack_from(body, place)
    place += _ORDERS.size
    if len(body) < place + count * _MEMBER.size or count > DRAINED_MAX:
        raise DatagramRefused(Refusal.MALFORMED)
    drained = tuple(_MEMBER.unpack_from(body, place + index * _MEMBER.size)[0] for index in range(count))
    return StandingOrders(stamp, is_maintained, drained, address, to)
