"""A phone behind NAT lets in datagrams from one address only: requests leave by the node that owns it.

RFC 3261 18.1.1: a request goes out from the address that the phone registered at, and its responses arrive there.
RFC 5626 5.3, 7: a phone that is reached by its flow only is reached by no other way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import pytest

from appliance.catalogue import counters
from appliance.cluster.replication.flows import FlowReplication
from appliance.messages.bus_messages import BusMessage
from appliance.messages.flow_messages import NamedFlow, SendByNode, SendByNodeFailed, WorkerConnections
from appliance.transport.flow import UDP, Flow
from appliance.transport.process_id import ProcessId, process_id
from tests.cluster.replication.flow_nodes import NOW, SETTINGS, TURNED, Network, Node
from tests.flows.wire import Message
from tests.stack_bench import ALICE, answer, request

# The listener `phones` is at one virtual address, `other` at another one.
PHONES, OTHER = 7, 8
CONTACT = "<sip:bob@10.0.0.7:5060>"
NAT = ("198.51.100.7", 40000)


@pytest.fixture(params=[SETTINGS, TURNED], ids=["same places", "other places"])
def net(request: pytest.FixtureRequest) -> Network:
    net = Network(request.param)
    own(net, 1)
    return net


def own(net: Network, phones: int, other: int = 2) -> None:
    """All nodes hear which node owns the addresses; 0 for none."""
    for node in net.nodes.values():
        numbers = [OTHER, OTHER]
        numbers[node.place] = PHONES
        node.stack.node_flows.owners.use(numbers)
        node.stack.node_flows.owners.told([PHONES, OTHER], [phones, other])


def nat_of(node: Node) -> Flow:
    """Bob, as a node sees him at the address that his NAT knows."""
    return Flow(UDP, node.place, NAT)


def alice_of(node: Node) -> Flow:
    """Alice calls at the other address."""
    return Flow(ALICE.transport, 1 - node.place, ALICE.remote)


def bob_registers(node: Node, *lines: str) -> None:
    contact = f"Contact: {CONTACT}" if not lines else lines[0]
    data = request("REGISTER", "sip:example.com", "reg", contact, *lines[1:]).replace(
        b"To: <sip:alice", b"To: <sip:bob"
    )
    (accepted,) = node.receive(data.replace(b"UDP 192.0.2.101:5060", b"UDP 10.0.0.7:5060"), nat_of(node))
    assert accepted.status == 200


def bob_uses_outbound(node: Node) -> None:
    contact = f'Contact: {CONTACT};reg-id=1;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"'
    bob_registers(node, contact, "Supported: outbound, path")


def invite(net: Network, by: Node) -> dict[int, list[Message]]:
    """Alice calls at a node; what each node sends to the network."""
    by.stack.receive_datagrams([(request("INVITE", "sip:bob@example.com"), alice_of(by))], NOW)
    return net.carry()


def requests(messages: list[Message]) -> list[str]:
    return [message.method for message in messages if message.is_request]


def statuses(messages: list[Message]) -> list[int]:
    return [message.status for message in messages if not message.is_request]


def accepted(invite: Message) -> bytes:
    said = answer(invite, 200).replace(b"Content-Length", f"Contact: {CONTACT}\r\nContent-Length".encode())
    return said.replace(b"To: <sip:bob@example.com>", b"To: <sip:bob@example.com>;tag=b")


def test_a_call_leaves_from_the_address_that_the_phone_registered_at(net: Network) -> None:
    """RFC 3261 18.1.1, 16.7: by the owner of the address; its responses come back to the node that has the call."""
    one, two = net.nodes.values()
    bob_registers(one)
    sent = invite(net, two)
    assert statuses(sent[2]) == [100]
    (forwarded,) = sent[1]
    assert nat_of(one) in net.flows
    for status in (180, 200):
        said = accepted(forwarded) if status == 200 else answer(forwarded, 180)
        one.stack.receive_datagrams([(said, nat_of(one))], NOW)
        sent = net.carry()
        assert (sent[1], statuses(sent[2])) == ([], [status])
    assert one.stack.counters[counters.RETURNED_TO_NODE] == 2
    assert two.stack.counters[counters.SENT_BY_NODE] == 1


def test_the_owner_itself_sends_from_here(net: Network) -> None:
    one, _ = net.nodes.values()
    bob_registers(one)
    sent = invite(net, one)
    assert (requests(sent[1]), requests(sent[2])) == (["INVITE"], [])
    assert one.stack.counters[counters.SENT_BY_NODE] == 0


def test_a_refused_call_is_acknowledged_from_the_same_address(net: Network) -> None:
    """RFC 3261 17.1.1.3: the ACK of a final response other than 2xx."""
    one, two = net.nodes.values()
    bob_registers(one)
    (forwarded,) = invite(net, two)[1]
    one.stack.receive_datagrams([(answer(forwarded, 486), nat_of(one))], NOW)
    sent = net.carry()
    assert (requests(sent[1]), statuses(sent[2])) == (["ACK"], [486])


def test_a_call_is_cancelled_from_the_same_address(net: Network) -> None:
    """RFC 3261 9.1: the CANCEL goes where its INVITE went."""
    one, two = net.nodes.values()
    bob_registers(one)
    (forwarded,) = invite(net, two)[1]
    one.stack.receive_datagrams([(answer(forwarded, 180), nat_of(one))], NOW)
    net.carry()
    cancel = request("CANCEL", "sip:bob@example.com").replace(b"call-1CANCEL", b"call-1INVITE")
    two.stack.receive_datagrams([(cancel, alice_of(two))], NOW)
    sent = net.carry()
    assert (requests(sent[1]), requests(sent[2])) == (["CANCEL"], [])
    one.stack.receive_datagrams([(answer(forwarded, 487), nat_of(one))], NOW)
    sent = net.carry()
    assert (requests(sent[1]), statuses(sent[2])) == (["ACK"], [487])


def test_an_invite_is_repeated_by_the_owner_of_that_moment(net: Network) -> None:
    """RFC 3261 17.1.1.2, timer A: the former owner has died, and this node has taken the address over."""
    one, two = net.nodes.values()
    bob_registers(one)
    assert requests(invite(net, two)[1]) == ["INVITE"]
    net.part()
    own(net, 0)
    assert net.carry()[2] == []
    two.stack.handle_timers(NOW + 0.5)
    sent = net.carry()
    assert (sent[1], sent[2]) == ([], [])
    assert two.stack.counters[counters.ADDRESS_OWNER_UNREACHED] == 1
    own(net, 2)
    two.stack.handle_timers(NOW + 1.5)
    (repeated,) = net.carry()[2]
    assert repeated.method == "INVITE"
    two.stack.receive_datagrams([(answer(repeated, 180), nat_of(two))], NOW + 1.6)
    assert statuses(net.carry()[2]) == [180]


def test_without_an_owner_a_phone_is_not_reached_by_its_flow(net: Network) -> None:
    """RFC 5626 7: 430 here; there is no other flow, so the caller hears 480."""
    one, two = net.nodes.values()
    bob_uses_outbound(one)
    own(net, 0)
    sent = invite(net, two)
    assert (requests(sent[1]), requests(sent[2])) == ([], [])
    assert statuses(sent[2]) == [100, 480]
    assert two.stack.counters[counters.ADDRESS_OWNER_UNREACHED] == 1
    assert two.stack.counters[counters.FLOWS_FAILED] == 1


def test_an_owner_without_a_link_is_not_reached(net: Network) -> None:
    one, two = net.nodes.values()
    bob_uses_outbound(one)
    net.part()
    sent = invite(net, two)
    assert (requests(sent[1]), requests(sent[2])) == ([], [])
    assert statuses(sent[2]) == [100, 480]


def test_a_full_link_fails_the_request(net: Network) -> None:
    """RFC 3261 16.9, 16.7 step 6: as a 503, of which the caller hears as a 500."""
    one, two = net.nodes.values()
    bob_registers(one)
    two.is_link_full = True
    sent = invite(net, two)
    assert (requests(sent[1]), statuses(sent[2])) == ([], [100, 500])


def test_a_full_link_fails_the_flow_of_a_phone_that_has_no_other(net: Network) -> None:
    """RFC 5626 7: 430 here, and the caller hears 480."""
    one, two = net.nodes.values()
    bob_uses_outbound(one)
    two.is_link_full = True
    sent = invite(net, two)
    assert (requests(sent[1]), statuses(sent[2])) == ([], [100, 480])
    assert two.stack.counters[counters.FLOWS_FAILED] == 1


def test_a_node_that_cannot_send_the_datagram_says_so(net: Network) -> None:
    """RFC 3261 18.4: the kernel knows no way to the hop."""
    one, two = net.nodes.values()
    bob_registers(one)
    two.stack.receive_datagrams([(request("INVITE", "sip:bob@example.com"), alice_of(two))], NOW)
    two.take()
    one.flows.tick(NOW)
    refused = one.stack.datagrams_to_send(NOW)
    assert len(refused) == 1
    one.stack.receive_failures(refused, NOW)
    assert statuses(net.carry()[2]) == [100, 500]


def test_an_ack_to_a_2xx_and_a_bye_leave_from_that_address(net: Network) -> None:
    """RFC 3261 13.2.2.4, 12.2.1.1: by the Record-Route entries, which name the flow of Bob (RFC 5626 5.3)."""
    one, two = net.nodes.values()
    bob_registers(one)
    (forwarded,) = invite(net, two)[1]
    one.stack.receive_datagrams([(accepted(forwarded), nat_of(one))], NOW)
    (answered,) = net.carry()[2]
    routes = [f"Route: {value}" for value in reversed(answered.values("Record-Route"))]
    for method in ("ACK", "BYE"):
        in_dialog = request(method, CONTACT[1:-1], "call-1", *routes).replace(
            b"To: <sip:bob@10.0.0.7:5060>", b"To: <sip:bob@example.com>;tag=b"
        )
        two.stack.receive_datagrams([(in_dialog, alice_of(two))], NOW)
        sent = net.carry()
        assert (requests(sent[1]), sent[2]) == ([method], [])
        assert [flow.remote for flow in net.flows] == [NAT]


def test_any_worker_of_the_owner_sends_a_datagram() -> None:
    """The other node may have more workers, and one of this node's may not take it (RFC 3261 18.4)."""
    told: list[tuple[ProcessId, BusMessage]] = []
    deaf = {process_id(2, 1)}

    def tell(worker: ProcessId, messages: Sequence[BusMessage]) -> bool:
        if worker in deaf:
            return False
        told.extend((worker, message) for message in messages if isinstance(message, SendByNode))
        return True

    flows = FlowReplication(2, 2, NoLinks(), tell)
    for number in range(2):
        flows.receive_from_worker(process_id(2, number), WorkerConnections(process_id(2, number), is_anew=True))
    datagram = NamedFlow(UDP, "phones", *NAT, 0)
    wanted = SendByNode(process_id(2, 5), process_id(1, 5), datagram, b"INVITE", b"branch")
    flows.receive(1, wanted, NOW)
    flows.tick(NOW)
    assert told == [(process_id(2, 0), wanted)]
    deaf.add(process_id(2, 0))
    flows.receive(1, wanted, NOW)
    flows.tick(NOW)
    flows.tick(NOW)
    assert NoLinks.sent == [SendByNodeFailed(process_id(1, 5), b"branch")]


class NoLinks:
    """Links that take everything."""

    members = (1,)
    sent: ClassVar[list[BusMessage]] = []

    def is_up(self, member: int) -> bool:
        return True

    def send(self, member: int, messages: Sequence[BusMessage]) -> bool:
        self.sent.extend(message for message in messages if isinstance(message, SendByNodeFailed))
        return True
