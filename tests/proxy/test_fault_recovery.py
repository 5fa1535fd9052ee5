"""A fault of ours costs the message, timer or answer at hand and no more: a request is answered 500, nothing stays.

A bug is put where it is wanted by a counter that cannot be counted up: counting there raises TypeError.
"""

from __future__ import annotations

from typing import Any, cast

import pytest

from appliance.catalogue import counters
from appliance.messages.bus_messages import HandedOver, Refusal
from appliance.messages.worker_requests import DryRun
from appliance.routing.lookup_questions import HostAnswer
from appliance.stack import Stack
from appliance.transport.flow import UDP, Flow
from tests.flows.wire import read
from tests.stack_bench import ALICE, BOB, NOW, answer_to, register, request, sent, stack

CALL = request("INVITE", "sip:bob@192.0.2.60")


def with_bug_at(counter: int) -> Stack:
    one = stack()
    one.counters[counter] = cast(Any, None)
    return one


def statuses(one: Stack) -> list[int]:
    return [message.status for message in sent(one) if message.status]


def expect_faults(one: Stack, count: int = 1) -> None:
    """When all timers have fired, nothing is left, the worker may go on, and there were so many faults."""
    now = NOW
    while now < NOW + 400:
        now = max(now, one.next_timer())
        one.handle_timers(now)
        one.datagrams_to_send(now)
    assert one.gauges()["transactions"] == one.gauges()["waiting"] == 0
    assert one.is_sound
    assert one.counters[counters.SOFTWARE_FAULTS] == count


def test_a_fault_in_one_message_of_a_batch_costs_that_message() -> None:
    """The flow names a listener that does not exist."""
    one = stack()
    one.receive_datagrams([(CALL, Flow(UDP, 9, ("192.0.2.101", 5060))), (register(), ALICE)], NOW)
    assert statuses(one) == [500, 200]
    expect_faults(one)


def test_a_half_made_server_transaction_ends_with_500() -> None:
    one = with_bug_at(counters.CALLS_STARTED)
    one.receive_datagrams([(CALL, ALICE)], NOW)
    trying, refusal = sent(one)
    assert (trying.status, refusal.status) == (100, 500)
    ack = CALL.replace(b"INVITE sip", b"ACK sip").replace(b"1 INVITE", b"1 ACK")
    ack = ack.replace(b"To: <sip:bob@192.0.2.60>", b"To: " + refusal.first("To").encode())
    one.receive_datagrams([(ack, ALICE)], NOW)
    assert sent(one) == []
    expect_faults(one)


def test_a_call_whose_answer_is_lost_to_a_fault_ends_with_500() -> None:
    one = with_bug_at(counters.CALLS_ANSWERED)
    one.receive_datagrams([(CALL, ALICE)], NOW)
    (invite,) = [message for message in sent(one) if message.is_request]
    one.receive_datagrams([(answer_to(invite, "180 Ringing"), BOB), (answer_to(invite, "200 OK"), BOB)], NOW)
    assert statuses(one) == [180, 500]
    expect_faults(one)


def test_a_call_whose_next_group_is_lost_to_a_fault_ends_with_500() -> None:
    """RFC 3261 16.6: the time of the first phone is over, and the next one has asked for a pause (21.5.4)."""
    one = stack()
    one.receive_datagrams([(request("INVITE", "sip:bob@192.0.2.61", "paused"), ALICE)], NOW)
    (paused,) = [message for message in sent(one) if message.is_request]
    refusal = answer_to(paused, "503 Service Unavailable").replace(b"CSeq:", b"Retry-After: 300\r\nCSeq:", 1)
    one.receive_datagrams([(refusal, Flow(UDP, 0, ("192.0.2.61", 5060)))], NOW)
    for number, q in ((60, "1.0"), (61, "0.5")):
        contact = f"<sip:alice@192.0.2.{number}:5060>;q={q}"
        one.receive_datagrams([(register(f"reg{number}", contact), ALICE)], NOW)
    sent(one)
    one.receive_datagrams([(request("INVITE", "sip:alice@example.com"), ALICE)], NOW)
    assert statuses(one) == [100]
    one.counters[counters.HOPS_UNAVAILABLE] = cast(Any, None)
    one.handle_timers(NOW + 21)
    answers = [message for message in sent(one) if message.status and message.first("Call-ID") != "paused"]
    assert [message.status for message in answers] == [500]
    expect_faults(one)


def test_the_other_branches_of_a_call_that_ends_by_a_fault_are_cancelled() -> None:
    one = with_bug_at(counters.CALLS_ANSWERED)
    for number in (60, 61):
        contact = f"<sip:alice@192.0.2.{number}:5060>"
        one.receive_datagrams([(register(f"reg{number}", contact), ALICE)], NOW)
    one.receive_datagrams([(request("INVITE", "sip:alice@example.com"), ALICE)], NOW)
    first, second = [message for message in sent(one) if message.is_request]
    ringing = answer_to(second, "180 Ringing")
    one.receive_datagrams([(ringing, BOB), (answer_to(first, "200 OK"), BOB)], NOW)
    left = sent(one)
    assert [message.status for message in left if message.status] == [180, 500]
    assert [message.method for message in left if message.is_request] == ["CANCEL"]
    expect_faults(one)


def test_a_timer_that_fails_ends_its_call_and_spares_the_others() -> None:
    one = with_bug_at(counters.RETRANSMISSIONS_SENT)
    one.receive_datagrams([(CALL, ALICE)], NOW)
    sent(one)
    one.handle_timers(NOW + 0.6)
    assert [read(outgoing.data).status for outgoing in one.datagrams_to_send(NOW + 0.6)] == [500]
    one.receive_datagrams([(register(), ALICE)], NOW + 0.6)
    assert [read(outgoing.data).status for outgoing in one.datagrams_to_send(NOW + 0.6)] == [200]
    # The 500 is repeated by timer G, whose bug is the same.
    expect_faults(one, 2)


def test_each_of_those_that_wait_for_an_answer_bears_its_own_fault() -> None:
    one = with_bug_at(counters.DNS_FAILED)
    for call in ("call-1", "call-2"):
        one.receive_datagrams([(request("INVITE", "sip:bob@gate.example.net:5060", call), ALICE)], NOW)
    assert statuses(one) == [100, 100]
    (question,) = one.questions_to_ask()
    one.receive_answers([HostAnswer(question.id, (), True, 10.0)], NOW)
    assert statuses(one) == [500, 500]
    expect_faults(one, 2)


def test_a_bus_message_that_fails_is_lost_alone() -> None:
    one = stack()
    astray = HandedOver(CALL, Flow(UDP, 9, ("192.0.2.101", 5060)), 0)
    one.receive_messages([(1, astray), (-1, DryRun("sip:bob@example.com", known=None, id=7))], NOW)
    assert statuses(one) == [500]
    (told,) = [message for _, message in one.messages_to_send(NOW) if isinstance(message, Refusal)]
    assert told.id == 7 and "software fault" in told.sentence
    expect_faults(one, 2)


@pytest.mark.parametrize("count", [1, 50])
def test_faults_are_logged_with_the_hash_of_the_message_and_bounded(count: int) -> None:
    one = stack()
    one.receive_datagrams([(CALL, Flow(UDP, 9, ("192.0.2.101", 5060)))] * count, NOW)
    faults = one.faults_to_log()
    assert len(faults) == min(count, 10)
    assert all(fault.doing == "a message" and len(fault.digest) == 16 for fault in faults)
    assert one.faults_to_log() == []
    one.receive_datagrams([(CALL, Flow(UDP, 9, ("192.0.2.101", 5060)))], NOW + 61)
    assert len(one.faults_to_log()) == 1


def test_the_alarm_clears_after_ten_minutes_without_a_fault() -> None:
    one = stack()
    assert one.alarms(NOW) == []
    one.receive_datagrams([(CALL, Flow(UDP, 9, ("192.0.2.101", 5060)))], NOW)
    (alarm,) = one.alarms(NOW + 599)
    assert alarm.startswith("software-fault Software fault while processing a message: IndexError, hash ")
    assert one.alarms(NOW + 601) == []
