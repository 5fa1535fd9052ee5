"""Heartbeats on the wire: what was written is read; what is foreign, damaged or meant for another one is refused."""

from __future__ import annotations

import random

import pytest

from appliance.catalogue.cluster_values import VIRTUAL_ADDRESSES_MAX
from appliance.cluster.leases.heartbeat import AddressState, Heartbeat, Stance
from appliance.cluster.leases.heartbeat_codec import (
    DATAGRAM_LEN_MAX,
    Datagram,
    DatagramRefused,
    HeartbeatCodec,
    Refusal,
    _write_orders,
    _write_state,
)
from appliance.cluster.leases.sessions import Header
from appliance.messages.membership import Member, Membership
from appliance.messages.standing_orders import DRAINED_MAX, StandingOrders

MEMBERS = Membership(3, tuple(Member(number, f"node-{number}") for number in (1, 2, 3)))
KEY = bytes(range(32))
HEADER = Header(1, 2, 0x1234567890ABCDEF, 77, 0xFEDCBA9876543210, 1234.5678)
STATE = AddressState(9, 2**40, 3, Stance.OWNING, True, False, 99.25, 1, 2**39, 2)
ORDERS = StandingOrders(1_800_000_000_000, True, tuple(range(1, DRAINED_MAX + 1)), 0xFFFF, 4095)
HEARTBEAT = Heartbeat(1, 5678.125, False, True, True, (STATE, STATE), ORDERS, 3)


def refusal_of(codec: HeartbeatCodec, octets: bytes) -> Refusal:
    with pytest.raises(DatagramRefused) as raised:
        codec.read(octets)
    return raised.value.refusal


def written(key: bytes = KEY, members: Membership = MEMBERS, header: Header = HEADER) -> bytes:
    return HeartbeatCodec(header.sender, members, key).write(header, HEARTBEAT)


READER = HeartbeatCodec(2, MEMBERS, KEY)


def test_a_heartbeat_is_read_as_it_was_written() -> None:
    assert READER.read(written()) == Datagram(HEADER, HEARTBEAT)


def test_the_word_of_the_end() -> None:
    assert READER.read(HeartbeatCodec(1, MEMBERS, KEY).write_end(HEADER)) == Datagram(HEADER, None)


def test_as_many_addresses_as_there_may_be_fit_into_a_datagram() -> None:
    many = Heartbeat(1, 1.0, False, False, False, (STATE,) * VIRTUAL_ADDRESSES_MAX, ORDERS, 3)
    octets = HeartbeatCodec(1, MEMBERS, KEY).write(HEADER, many)
    assert len(octets) <= DATAGRAM_LEN_MAX
    assert READER.read(octets).heartbeat == many


def test_without_the_key_nothing_is_believed() -> None:
    assert refusal_of(READER, written(key=bytes(32))) is Refusal.FOREIGN


def test_each_octet_is_authenticated() -> None:
    octets = written()
    for place in range(4, len(octets)):
        damaged = bytearray(octets)
        damaged[place] ^= 1
        assert refusal_of(READER, bytes(damaged)) is Refusal.FOREIGN


@pytest.mark.parametrize("version", [2, 3, 4])
def test_the_version_before_and_the_next_are_understood(version: int) -> None:
    heartbeat = READER.read(written(members=Membership(version, MEMBERS.members))).heartbeat
    assert heartbeat is not None and heartbeat.version == version


@pytest.mark.parametrize("version", [1, 5])
def test_other_versions_of_the_membership_are_not_understood(version: int) -> None:
    assert refusal_of(READER, written(members=Membership(version, MEMBERS.members))) is Refusal.OTHER_VERSION


@pytest.mark.parametrize("ends", [(1, 3), (2, 2), (3, 1)])
def test_what_is_for_another_member_or_seems_to_come_from_this_one(ends: tuple[int, int]) -> None:
    header = Header(ends[0], ends[1], 1, 1, 0, 0.0)
    assert refusal_of(READER, written(header=header)) is Refusal.MISDIRECTED


def test_times_that_are_no_numbers_are_refused() -> None:
    header = Header(1, 2, 1, 1, 0, float("nan"))
    assert refusal_of(READER, written(header=header)) is Refusal.MALFORMED


def test_anything_else_is_refused() -> None:
    source = random.Random(1)
    assert refusal_of(READER, b"") is Refusal.MALFORMED
    for _ in range(500):
        octets = source.randbytes(source.randrange(1500))
        assert refusal_of(READER, octets) is Refusal.MALFORMED
        assert refusal_of(READER, b"SBXL" + octets) in (Refusal.MALFORMED, Refusal.FOREIGN)


def test_later_fields_of_a_state_are_skipped() -> None:
    codec = HeartbeatCodec(1, MEMBERS, KEY)
    octets = codec.write(HEADER, Heartbeat(1, 1.0, False, False, False, (STATE,)))
    orders = _write_orders(StandingOrders())
    state_end = len(octets) - 16 - len(orders)
    body = bytearray(octets[:state_end]) + b"new!" + orders + b"and more"
    # The length of a state is the last octet of the header.
    body[state_end - len(_write_state(STATE)) - 1] += 4
    sealed = bytes(body) + codec._mac(bytes(body))
    assert READER.read(sealed).heartbeat == Heartbeat(1, 1.0, False, False, False, (STATE,), version=3)
