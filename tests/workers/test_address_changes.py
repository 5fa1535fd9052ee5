"""A worker and the virtual addresses of its node: copies of calls leave, calls of another node are taken (design 4)."""

from __future__ import annotations

import socket

import pytest

pytest.importorskip("appliance.workers.datagrams", reason="the socket calls are compiled in every installed build")

from appliance.catalogue import counters
from appliance.catalogue.cluster_settings import VirtualAddressSettings
from appliance.catalogue.cluster_values import number_of
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.messages.address_messages import AddressLost, AddressOwned
from appliance.messages.bus_messages import SlotsChanged
from appliance.messages.call_copies import CallCopy
from appliance.messages.slots import deal, slot_of
from appliance.storage.call_log import CallLogReader
from appliance.storage.copied_calls import CopiedCalls, CopiedCallsReader, CopiedCallsWriter
from appliance.transport.process_id import process_id
from appliance.workers.address_changes import AddressChanges
from appliance.workers.datagram_sockets import DatagramSockets
from appliance.workers.datagrams import DatagramSocket
from tests.workers.bench import Bench, EchoStack, Play, bound, until

PUBLIC = number_of("public")
# The worker is one of node 0.
DEAD, HERE = 3, 0
SEED = 1


def copy(number: int) -> CallCopy:
    return b"key %d" % number, b"call %d" % number, PUBLIC, b"%d" % number


def memory_of(bench: Bench) -> CopiedCallsWriter:
    return CopiedCallsWriter(bench.copied_calls.recording.fd, bench.copied_calls.recording.bank_len, SEED)


def owned_from(node: int) -> AddressOwned:
    return AddressOwned(PUBLIC, "public", 2, node)


def slot(number: int) -> int:
    return slot_of(b"call %d" % number, SEED)


def test_the_worker_knows_which_listener_is_at_which_address(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        assert bench.stack.takeover.numbers == (0, 0, PUBLIC)

    assert play(scenario) == 0


def test_copies_are_in_the_log_before_anything_leaves(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        reader = CallLogReader(bench.call_log.fd, bench.call_log.ring_len)
        bench.stack.copies = [copy(1), copy(2)]
        await bench.order(SlotsChanged(deal([0]), [0]))
        found: list[CallCopy] = []
        await until(lambda: found.extend(reader.read()) or found)
        assert found == [copy(1), copy(2)]

    assert play(scenario) == 0


def test_the_calls_of_the_last_owner_are_taken_by_the_owners_of_their_slots(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.order(SlotsChanged(deal([0, 1]), [0]))
        memory_of(bench).keep(DEAD, [copy(number) for number in range(20)], 1.0)
        await bench.order(owned_from(DEAD))
        ours = {b"%d" % number for number in range(20) if slot(number) < 128}
        await until(lambda: bench.stack.takeover.adopted)
        assert set(bench.stack.takeover.adopted) == ours
        # The sibling has died before it took its own.
        await bench.order(SlotsChanged(deal([0], 2), [0]))
        await until(lambda: len(bench.stack.takeover.adopted) == 20)
        assert bench.stack.takeover.news == [("taken from another", PUBLIC)]

    assert play(scenario) == 0


def test_copies_that_come_a_moment_late_are_taken_as_well(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.order(SlotsChanged(deal([0]), [0]))
        await bench.order(owned_from(DEAD))
        await until(lambda: bench.stack.takeover.news)
        memory_of(bench).keep(DEAD, [copy(1)], 1.0)
        await until(lambda: bench.stack.takeover.adopted)
        assert bench.stack.takeover.adopted == [b"1"]

    assert play(scenario) == 0


def test_an_address_that_comes_back_brings_no_calls(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.order(SlotsChanged(deal([0]), [0]))
        memory_of(bench).keep(DEAD, [copy(1)], 1.0)
        await bench.order(AddressLost(PUBLIC, "public"), owned_from(HERE))
        await until(lambda: len(bench.stack.takeover.news) == 2)
        assert bench.stack.takeover.news == [("lost", PUBLIC), ("back", PUBLIC)]
        assert bench.stack.takeover.adopted == []

    assert play(scenario) == 0


def test_where_the_last_owner_is_not_known_the_calls_of_all_are_taken() -> None:
    memory = CopiedCalls(1)
    stack = EchoStack()
    reader = CopiedCallsReader(memory.recording.fd, memory.recording.bank_len)
    doors = DatagramSockets({})
    changes = AddressChanges(process_id(2, 0), stack, doors, Settings(), reader, lambda seconds, step: None)
    changes.slots_changed(frozenset(range(256)), [process_id(2, 0)], 1.0)
    CopiedCallsWriter(memory.recording.fd, memory.recording.bank_len, SEED).keep(DEAD, [copy(1)], 1.0)
    changes.owned(owned_from(0))
    assert stack.takeover.adopted == [b"1"]
    memory.close()


def test_what_came_before_the_loss_is_sent_again_to_the_next_owner() -> None:
    """RFC 3261 17.1.1.2: no answer of this node would leave. What comes later says that the address is back."""
    with bound(socket.SOCK_DGRAM, "127.0.0.1") as door, bound(socket.SOCK_DGRAM, "127.0.0.1") as peer:
        listener = ListenerSettings(name="public", address="192.0.2.1")
        virtual = VirtualAddressSettings(name="public", addresses=("192.0.2.1/24",))
        settings = Settings(listeners=(listener,), virtual_addresses=(virtual,))
        doors = DatagramSockets({0: DatagramSocket(door.fileno(), 0, 10)})
        stack = EchoStack()
        changes = AddressChanges(process_id(2, 0), stack, doors, settings, None, lambda seconds, step: None)
        peer.sendto(b"OPTIONS", door.getsockname())
        peer.sendto(b"OPTIONS", door.getsockname())
        changes.lost(AddressLost(PUBLIC, "public"))
        assert stack.counters[counters.DROPPED_ADDRESS_LOST] == 2
        assert doors.read() == ([], [])
        doors.close()
