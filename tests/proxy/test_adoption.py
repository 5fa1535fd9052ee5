"""Calls that other workers go on with: of the dead, and when slots move between the living (ARCHITECTURE: when a
worker dies)."""

from __future__ import annotations

from dataclasses import replace

from appliance.catalogue.settings import LimitSettings
from appliance.routing.questions import SubscriberAnswer
from appliance.stack import Stack
from appliance.transport.flow import UDP, Flow
from tests.flows.wire import Message
from tests.test_stack import ALICE, NOW, SETTINGS, answer, request, sent, stack

BOB, DESK = Flow(UDP, 0, ("192.0.2.60", 5060)), Flow(UDP, 0, ("192.0.2.61", 5060))


def forked(one: Stack, call_id: str = "call-1") -> list[Message]:
    """A call to both phones of bob; the INVITE that each got."""
    for number, flow in enumerate((BOB, DESK), 1):
        contact = f"Contact: <sip:bob@{flow.remote[0]}:5060>"
        registration = request("REGISTER", "sip:example.com", f"r{number}", contact)
        one.receive_datagrams([(registration.replace(b"alice@", b"bob@"), flow)], NOW)
    one.receive_datagrams([(request("INVITE", "sip:bob@example.com", call_id), ALICE)], NOW)
    one.receive_answers([SubscriberAnswer(question.id, True, False) for question in one.questions_to_ask()], NOW)
    return [message for message in sent(one) if message.method == "INVITE" and message.is_request]


def snapshots(one: Stack) -> list[bytes]:
    """What it wants to be recorded now; b"" where nothing is left to go on with."""
    return [snapshot for _, _, snapshot in one.snapshots_to_keep()]


def test_a_branch_that_ends_at_once_in_another_worker_may_be_the_last_one() -> None:
    """RFC 3261 16.7 step 6: a phone is busy, and for the other one the heir has no room. The caller hears of it."""
    dead, heir = stack(0), stack(1, replace(SETTINGS, limits=LimitSettings(transactions_max=1)))
    _, second = forked(dead)
    dead.receive_datagrams([(answer(second, 486), DESK)], NOW)
    heir.adopt(snapshots(dead), NOW)
    assert [message.status for message in sent(heir)] == [486]
    heir.handle_timers(NOW + 64)
    assert heir.gauges()["transactions"] == 0
