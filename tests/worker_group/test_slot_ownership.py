"""Which worker owns a call."""

from __future__ import annotations

from appliance.messages.slots import SLOTS, deal, slot_of
from appliance.worker_group.slot_ownership import SlotOwnership

SEED = 0x5EED
CALLS = [b"call-%d@192.0.2.1" % number for number in range(500)]


def test_a_worker_that_was_told_nothing_owns_every_call() -> None:
    slot_ownership = SlotOwnership(3, SEED)
    assert not slot_ownership.is_shared
    assert slot_ownership.siblings == []
    assert slot_ownership.share == 1.0
    assert all(slot_ownership.is_own(call) for call in CALLS)


def test_the_owner_is_whom_the_table_names_for_the_slot() -> None:
    slot_ownership = SlotOwnership(1, SEED)
    table = deal([0, 1, 2], epoch=7)
    slot_ownership.receive(table, [0, 1, 2])
    assert slot_ownership.epoch == 7
    assert slot_ownership.is_shared
    assert slot_ownership.siblings == [0, 2]
    assert slot_ownership.share == table.count_of(1) / SLOTS
    assert [slot_ownership.owner_of(call) for call in CALLS] == [table.owner_of(slot_of(call, SEED)) for call in CALLS]
    assert {slot_ownership.slot_of(call) for call in CALLS} <= set(range(SLOTS))


def test_a_message_without_call_id_stays_where_it_is() -> None:
    slot_ownership = SlotOwnership(1, SEED)
    slot_ownership.receive(deal([0, 2]), [0, 1, 2])
    assert slot_ownership.is_own(None)
    assert not any(slot_ownership.is_own(call) for call in CALLS)


def test_the_last_worker_alive_shares_nothing() -> None:
    slot_ownership = SlotOwnership(0, SEED)
    slot_ownership.receive(deal([0, 1]), [0, 1])
    slot_ownership.receive(deal([0], epoch=2), [0])
    assert not slot_ownership.is_shared
    assert slot_ownership.siblings == []
