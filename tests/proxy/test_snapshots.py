"""What a snapshot has to know of a call at the moment it is made (ARCHITECTURE: When a worker dies)."""

from __future__ import annotations

from appliance.catalogue.settings import Settings
from appliance.routing.lookup_questions import HostAnswer
from appliance.stack import Stack
from appliance.transport.flow import TCP, UDP, Flow
from tests.flows.wire import Message
from tests.proxy.test_review_ways import (
    ALICE,
    BOB,
    NOW,
    SETTINGS,
    WALL_TIME,
    binding,
    request,
    response,
    sent,
    stack,
)
from tests.tables import new_table, table_with


def kept_of(one: Stack) -> dict[bytes, bytes]:
    """What the flight recorder is to have of the calls that have come further."""
    return {key: snapshot for key, _, snapshot in one.snapshots_to_keep()}


def heir_of(kept: dict[bytes, bytes], settings: Settings = SETTINGS) -> Stack:
    """Another worker, which adopts these calls."""
    heir = Stack(settings, 1, b"0123456789abcdef", new_table(), NOW, WALL_TIME)
    heir.adopt(list(kept.values()), NOW)
    return heir


def requests_of(one: Stack) -> list[tuple[Message, Flow]]:
    return [(message, flow) for message, flow in sent(one) if message.is_request]


def test_the_hop_that_was_found_by_name_is_known_to_who_goes_on() -> None:
    """RFC 3261 16.6 step 8: the hop is part of the branch, and DNS may answer the next one otherwise."""
    one = stack()
    one.receive_datagrams([(request("INVITE", uri="sip:bob@gate.example.net:5060"), ALICE)], NOW)
    kept = kept_of(one)
    (question,) = one.questions_to_ask()
    one.receive_answers([HostAnswer(question.id, ("192.0.2.102", "192.0.2.103"), False, 60.0)], NOW)
    ((invite, flow),) = requests_of(one)
    assert flow == BOB
    heir = heir_of(kept | kept_of(one))
    assert heir.questions_to_ask() == []
    heir.receive_datagrams([(response(invite, "486 Busy Here"), BOB)], NOW)
    assert [message.status for message, _ in sent(heir) if not message.is_request] == [486]


def test_who_goes_on_keeps_to_the_flow_of_a_phone() -> None:
    """RFC 5626 7: whatever its Contact says, and the other flow of the phone is the next one."""
    flows = [Flow(UDP, 0, ("198.51.100.1", port)) for port in (1024, 1025)]
    bindings = [binding(b"sip:bob@192.0.2.99", flow=flow, reg_id=number) for number, flow in enumerate(flows, 1)]
    one = stack(table_with(*bindings))
    one.receive_datagrams([(request("INVITE"), ALICE)], NOW)
    ((invite, flow),) = requests_of(one)
    assert flow == flows[1]
    heir = heir_of(kept_of(one))
    heir.receive_datagrams([(response(invite, "430 Flow Failed"), flows[1])], NOW)
    assert [flow for message, flow in requests_of(heir) if message.method == "INVITE"] == [flows[0]]


def test_the_hop_behind_a_connection_that_failed_is_known_to_who_goes_on() -> None:
    """RFC 3261 16.9: the contact is tried anew, by a branch of its own."""
    connection = Flow(TCP, 0, ("192.0.2.102", 40001), 0, 7)
    one = stack(table_with(binding(b"sip:bob@192.0.2.102", flow=connection)))
    one.connections_changed([connection], [])
    one.receive_datagrams([(request("INVITE"), ALICE)], NOW)
    kept = kept_of(one)
    (failed,) = [outgoing for outgoing in one.datagrams_to_send(NOW) if outgoing.flow == connection]
    one.receive_failures([failed], NOW)
    ((invite, flow),) = requests_of(one)
    assert flow == BOB
    heir = heir_of(kept | kept_of(one))
    heir.receive_datagrams([(response(invite, "486 Busy Here"), BOB)], NOW)
    assert [message.status for message, _ in sent(heir) if not message.is_request] == [486]
