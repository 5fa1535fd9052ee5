"""Events of calls and registrations: none without a consumer, bounded in one turn; the flows have what they say."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.catalogue import counters
from appliance.messages.worker_requests import ClearRegistration, DryRun
from appliance.proxy.events import (
    EVENTS_PER_TURN_MAX,
    CallAnswered,
    CallEvent,
    CallFailed,
    CallStarted,
    ContactChange,
    Event,
    RegistrationChanged,
)
from appliance.stack import Stack
from tests.flows.wire import read
from tests.stack_bench import ALICE, BOB, NOW, answer_to, register, request, stack

CALL = request("INVITE", "sip:bob@192.0.2.60")


def watched() -> Stack:
    one = stack()
    one.make_events(True)
    return one


def events(one: Stack) -> Sequence[Event]:
    return one.outputs(NOW).events


def test_without_a_consumer_there_are_none() -> None:
    one = stack()
    one.receive_datagrams([(CALL, ALICE), (register(), ALICE)], NOW)
    assert events(one) == ()
    one.make_events(True)
    one.make_events(False)
    one.receive_datagrams([(request("INVITE", "sip:bob@192.0.2.60", "other"), ALICE)], NOW)
    assert events(one) == ()


def test_they_leave_with_the_outputs_of_the_turn() -> None:
    one = watched()
    one.receive_datagrams([(CALL, ALICE)], NOW)
    outputs = one.outputs(NOW)
    (started,) = outputs.events
    assert type(started) is CallStarted and started.source == ALICE
    assert events(one) == ()
    (invite,) = [data for data in (read(outgoing.data) for outgoing in outputs.outgoings) if data.is_request]
    one.receive_datagrams([(answer_to(invite, "200 OK"), BOB)], NOW)
    (answered,) = events(one)
    assert type(answered) is CallAnswered and answered.hop == BOB


def test_one_turn_has_so_many() -> None:
    one = watched()
    batch = [(request("INVITE", "sip:bob@192.0.2.60", f"call-{n}"), ALICE) for n in range(EVENTS_PER_TURN_MAX + 3)]
    one.receive_datagrams(batch, NOW)
    assert len(events(one)) == EVENTS_PER_TURN_MAX
    assert one.counters[counters.EVENTS_DROPPED] == 3
    one.receive_datagrams([(request("INVITE", "sip:bob@192.0.2.60", "next"), ALICE)], NOW)
    assert len(events(one)) == 1


def test_a_fault_of_ours_ends_a_call() -> None:
    one = watched()
    one.receive_datagrams([(CALL, ALICE)], NOW)
    outputs = one.outputs(NOW)
    (invite,) = [data for data in (read(outgoing.data) for outgoing in outputs.outgoings) if data.is_request]
    one.counters[counters.CALLS_ANSWERED] = None  # type: ignore[call-overload]
    one.receive_datagrams([(answer_to(invite, "200 OK"), BOB)], NOW)
    (failed,) = events(one)
    assert isinstance(failed, CallFailed) and (failed.status, failed.is_made_here) == (500, True)


def test_addresses_that_cannot_be_read_cost_no_call() -> None:
    one = watched()
    one.receive_datagrams([(CALL.replace(b"To: <sip:bob@192.0.2.60>", b"To: <nonsense>"), ALICE)], NOW)
    assert all(isinstance(event, CallEvent) for event in events(one))
    assert one.counters[counters.SOFTWARE_FAULTS] == 0


def test_what_an_operator_removes_is_told_as_that() -> None:
    one = watched()
    one.receive_datagrams([(register(), ALICE)], NOW)
    assert [_change(event) for event in events(one)] == [(ContactChange.ADDED, False)]
    one.receive_messages([(1, ClearRegistration("alice@example.com"))], NOW)
    assert [_change(event) for event in events(one)] == [(ContactChange.REMOVED, True)]
    one.receive_datagrams([(register("again"), ALICE)], NOW)
    assert [_change(event) for event in events(one)] == [(ContactChange.ADDED, False)]
    one.end_registrations(b"alice", b"example.com", NOW)
    one.end_registrations(b"alice", b"example.com", NOW)
    assert [_change(event) for event in events(one)] == [(ContactChange.REMOVED, True)]


def test_a_dry_run_makes_none() -> None:
    one = watched()
    dry_run = DryRun(request("INVITE", "sip:bob@192.0.2.60").decode())
    one.receive_messages([(1, dry_run)], NOW)
    assert events(one) == ()


def _change(event: Event) -> tuple[ContactChange, bool]:
    assert isinstance(event, RegistrationChanged)
    return event.change, event.is_by_operator
