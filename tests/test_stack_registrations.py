"""Registrations through the stack: one table for all workers, answers that wait for the write (RFC 3261 10.3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.catalogue import counters
from appliance.location.dict_table import DictStore, DictTable
from appliance.location.table_store import TableUnsound
from appliance.messages.bus_messages import (
    SlotsChanged,
)
from appliance.messages.slots import deal
from appliance.stack import Stack
from tests.flows.wire import Message, read
from tests.stack_bench import (
    ALICE,
    BOB,
    KEY,
    NOW,
    SETTINGS,
    Pair,
    call_id_of,
    register,
    request,
    sent,
    stack,
)


def register_as(user: str, call_id: str) -> bytes:
    return register(call_id, f"<sip:{user}@192.0.2.101:5060>").replace(
        b"<sip:alice@example", b"<sip:%b@example" % user.encode()
    )


def test_who_is_registered_can_be_called_on_every_worker() -> None:
    """A call that follows the answer finds the binding wherever it lands, and no worker told the other."""
    pair = Pair()
    pair.workers[0].receive_datagrams([(register(call_id_of(0, pair.table)), ALICE)], NOW)
    assert [message.status for message in sent(pair.workers[0])] == [200]
    assert pair.pump() == []
    assert [one.gauges()["registrations"] for one in pair.workers] == [1, 1]
    call = request("INVITE", "sip:alice@example.com", call_id_of(1, pair.table))
    pair.workers[1].receive_datagrams([(call, BOB)], NOW)
    assert "sip:alice@192.0.2.101:5060" in [message.uri for message in sent(pair.workers[1]) if message.is_request]


def test_what_a_turn_registers_is_one_write() -> None:
    one = stack(store=(store := DictStore()))
    one.receive_datagrams([(register_as(user, user), ALICE) for user in ("a", "b", "c")], NOW)
    assert (store.records, store.last_seq) == ({}, 0)
    assert [message.status for message in sent(one)] == [200, 200, 200]
    assert (len(store.records), store.last_seq) == (3, 3)


def test_a_register_waits_while_another_process_writes() -> None:
    pair = Pair()
    pair.store.is_locked = True
    pair.workers[0].receive_datagrams([(register(call_id_of(0, pair.table)), ALICE)], NOW)
    assert sent(pair.workers[0]) == []
    assert pair.workers[0].next_timer() == pytest.approx(NOW + 0.001)
    assert pair.workers[0].counters[counters.TABLE_WRITES_DELAYED] == 1
    # What does not ask for the table goes on.
    pair.workers[0].receive_datagrams([(request("OPTIONS", "sip:192.0.2.1", call_id_of(0, pair.table)), ALICE)], NOW)
    assert [message.status for message in sent(pair.workers[0])] == [200]
    pair.store.is_locked = False
    pair.workers[0].handle_timers(NOW + 0.001)
    assert [message.status for message in sent(pair.workers[0])] == [200]
    assert pair.workers[1].gauges()["registrations"] == 1


def test_a_register_that_waits_too_long_is_refused_and_may_come_again() -> None:
    """RFC 3261 21.5.4: what is not stored is not answered 200."""
    one = stack(store=(store := DictStore()))
    store.is_locked = True
    one.receive_datagrams([(register(), ALICE)], NOW)
    assert sent(one) == []
    late = NOW + SETTINGS.limits.registration_wait_ms / 1000
    (refusal,) = one.datagrams_to_send(late)
    assert read(refusal.data).status == 503 and b"\r\nRetry-After: " in refusal.data
    assert one.counters[counters.REGISTRATIONS_LATE] == 1
    store.is_locked = False
    again = register().replace(b"CSeq: 1 ", b"CSeq: 2 ").replace(b"z9hG4bK", b"z9hG4bKsecond")
    one.receive_datagrams([(again, ALICE)], late + 1)
    assert [read(outgoing.data).status for outgoing in one.datagrams_to_send(late + 1)] == [200]


def test_a_table_without_room_refuses_what_is_new_and_takes_what_is_not() -> None:
    """RFC 3261 21.5.4; calls to those who are registered go on, and the operator hears of it."""
    one = stack(store=(store := DictStore()))
    one.receive_datagrams([(register(), ALICE)], NOW)
    assert [message.status for message in sent(one)] == [200]
    store.is_full = True
    refresh = register().replace(b"CSeq: 1 ", b"CSeq: 2 ").replace(b"z9hG4bK", b"z9hG4bKsecond")
    one.receive_datagrams([(refresh, ALICE), (register_as("carol", "carol"), ALICE)], NOW + 1)
    answers = one.datagrams_to_send(NOW + 1)
    assert {read(answer.data).values("Call-ID")[0]: read(answer.data).status for answer in answers} == {
        "reg": 200,
        "carol": 503,
    }
    assert one.counters[counters.REGISTRATIONS_UNSTORED] == 1
    assert [alarm.split()[0] for alarm in one.alarms(NOW + 1)] == ["registration-table-full"]
    assert one.alarms(NOW + 120) == []
    one.receive_datagrams([(request("INVITE", "sip:alice@example.com"), BOB)], NOW + 1)
    assert "sip:alice@192.0.2.101:5060" in [message.uri for message in sent(one) if message.is_request]


class UnsoundTable(DictTable):
    """A table whose store is damaged, as long as the test says so."""

    is_damaged = False

    def _counts(self) -> tuple[int, int]:
        if self.is_damaged:
            raise TableUnsound("page 7 holds what cannot be")
        return DictTable._counts(self)

    def record_of(self, aor: bytes) -> bytes:
        if self.is_damaged:
            raise TableUnsound("page 7 holds what cannot be")
        return DictTable.record_of(self, aor)


def test_a_damaged_table_costs_the_requests_that_need_it_and_no_more() -> None:
    """They are answered 503, the operator hears of it, and the worker serves what needs no registration."""
    table = UnsoundTable(DictStore(), 0)
    one = Stack(SETTINGS, 0, KEY, table, NOW, 1_700_000_000.0)
    table.is_damaged = True
    one.receive_datagrams([(register(), ALICE), (request("INVITE", "sip:alice@example.com"), BOB)], NOW)
    assert [message.status for message in sent(one) if message.status != 100] == [503, 503]
    assert table.fault == "page 7 holds what cannot be"
    assert [alarm.split()[0] for alarm in one.alarms(NOW)] == ["registration-table-unsound"]
    one.receive_datagrams([(request("OPTIONS", "sip:192.0.2.1"), ALICE)], NOW)
    assert [message.status for message in sent(one)] == [200]
    assert one.is_sound and one.faults_to_log() == []
    table.is_damaged, table.fault = False, ""
    one.receive_datagrams([(register("again"), ALICE)], NOW + 1)
    assert [read(outgoing.data).status for outgoing in one.datagrams_to_send(NOW + 1)] == [200]


def test_a_damaged_table_costs_the_contact_of_a_redirect_that_needs_it_and_no_more() -> None:
    """RFC 3261 16.7 step 4: the caller may try that contact; the table is made anew, and the call is not a fault."""
    table = UnsoundTable(DictStore(), 0)
    settings = replace(SETTINGS, proxy=replace(SETTINGS.proxy, recurse_on_redirect=True))
    one = Stack(settings, 0, KEY, table, NOW, 1_700_000_000.0)
    one.receive_datagrams([(register(), ALICE)], NOW)
    one.receive_datagrams([(request("INVITE", "sip:alice@example.com"), BOB)], NOW)
    (invite,) = [message for message in sent(one) if message.is_request]
    table.is_damaged = True
    one.receive_datagrams([(redirect(invite, "sip:carol@example.com"), ALICE)], NOW)
    answers = [message for message in sent(one) if not message.is_request]
    assert [(answer.status, answer.values("Contact")) for answer in answers] == [(302, ["<sip:carol@example.com>"])]
    assert table.fault == "page 7 holds what cannot be"
    assert one.counters[counters.REGISTRATIONS_UNREADABLE] == 1
    assert one.is_sound and one.faults_to_log() == []


def test_what_a_worker_tells_of_itself_leaves_out_what_a_damaged_table_cannot_say() -> None:
    """The supervisor hears of the damage, and of the worker."""
    table = UnsoundTable(DictStore(), 0)
    one = Stack(SETTINGS, 0, KEY, table, NOW, 1_700_000_000.0)
    table.is_damaged = True
    gauges = one.gauges()
    assert "registrations" not in gauges and gauges["transactions"] == 0
    assert table.fault == "page 7 holds what cannot be"


def redirect(received: Message, uri: str) -> bytes:
    answer = Message("SIP/2.0 302 Moved Temporarily")
    for name in ("Via", "From", "To", "Call-ID", "CSeq"):
        for value in received.values(name):
            answer.add(name, value)
    answer.add("Contact", f"<{uri}>")
    return answer.write()


def test_a_worker_that_dies_before_it_writes_has_answered_nothing() -> None:
    pair = Pair()
    data = register(call_id_of(0, pair.table))
    pair.store.is_locked = True
    pair.workers[0].receive_datagrams([(data, ALICE)], NOW)
    assert sent(pair.workers[0]) == []
    pair.store.is_locked = False
    # Worker 0 is gone; the phone sends it again, and its sibling has the slot now.
    pair.workers[1].receive_messages([(-1, SlotsChanged(deal([1], 2), [1]))], NOW)
    pair.workers[1].receive_datagrams([(data, ALICE)], NOW + 0.5)
    assert [message.status for message in sent(pair.workers[1])] == [200]
    assert pair.workers[1].gauges()["registrations"] == 1


def test_who_registers_just_after_the_clock_was_set_back_can_be_called() -> None:
    """Before anything was looked for that has ended meanwhile (RFC 3261 10.3 step 8: what is answered 200 is bound)."""
    one = stack()
    one.set_wall_time(1_700_000_000.0 + 7300, NOW)
    one.handle_timers(NOW + 1.0)
    one.set_wall_time(1_700_000_000.0, NOW + 1.5)
    one.receive_datagrams([(register(), ALICE)], NOW + 1.6)
    one.handle_timers(NOW + 3.0)
    assert one.gauges()["registrations"] == 1
