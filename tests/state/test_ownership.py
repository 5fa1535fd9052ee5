"""Which worker owns a call."""

from __future__ import annotations

from appliance.state.ownership import Ownership
from appliance.state.slots import SLOTS, deal, slot_of

SEED = 0x5EED
CALLS = [b"call-%d@192.0.2.1" % number for number in range(500)]


def test_a_worker_that_was_told_nothing_owns_every_call() -> None:
    ownership = Ownership(3, SEED)
    assert not ownership.is_shared
    assert ownership.siblings == []
    assert ownership.share == 1.0
    assert all(ownership.is_own(call) for call in CALLS)


def test_the_owner_is_whom_the_table_names_for_the_slot() -> None:
    ownership = Ownership(1, SEED)
    table = deal([0, 1, 2], epoch=7)
    ownership.receive(table, [0, 1, 2])
    assert ownership.epoch == 7
    assert ownership.is_shared
    assert ownership.siblings == [0, 2]
    assert ownership.share == table.count_of(1) / SLOTS
    assert [ownership.owner_of(call) for call in CALLS] == [table.owner_of(slot_of(call, SEED)) for call in CALLS]
    assert {ownership.slot_of(call) for call in CALLS} <= set(range(SLOTS))


def test_a_message_without_call_id_stays_where_it_is() -> None:
    ownership = Ownership(1, SEED)
    ownership.receive(deal([0, 2]), [0, 1, 2])
    assert ownership.is_own(None)
    assert not any(ownership.is_own(call) for call in CALLS)


def test_the_last_worker_alive_shares_nothing() -> None:
    ownership = Ownership(0, SEED)
    ownership.receive(deal([0, 1]), [0, 1])
    ownership.receive(deal([0], epoch=2), [0])
    assert not ownership.is_shared
    assert ownership.siblings == []
