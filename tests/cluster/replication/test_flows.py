"""A phone's connection is used by all nodes: requests go out by the node that holds it (RFC 3261 18.1.1, design 4)."""

from __future__ import annotations

import pytest

from appliance.catalogue import counters
from appliance.catalogue.settings import Settings
from appliance.messages.flow_messages import ResponseReturned, WorkerConnections
from appliance.transport.flow import TCP, Flow
from appliance.transport.process_id import process_id
from tests.cluster.replication.flow_nodes import NOW, SETTINGS, TURNED, Network, Node
from tests.flows.wire import Message
from tests.stack_bench import ALICE, answer, request

# Behind NAT: what it writes of itself leads nowhere.
CONTACT = "<sip:bob@10.0.0.7:5060;transport=tcp>"


@pytest.fixture(params=[SETTINGS, TURNED], ids=["same places", "other places"])
def net(request: pytest.FixtureRequest) -> Network:
    return Network(request.param)


def alice_of(node: Node) -> Flow:
    return Flow(ALICE.transport, node.place, ALICE.remote)


def bob_registers(node: Node) -> Flow:
    """By TCP; returns his connection."""
    flow = node.connection(77)
    data = request("REGISTER", "sip:example.com", "reg", f"Contact: {CONTACT}").replace(
        b"To: <sip:alice", b"To: <sip:bob"
    )
    data = data.replace(b"UDP 192.0.2.101:5060", b"TCP 10.0.0.7:5060")
    (accepted,) = node.receive(data, flow)
    assert accepted.status == 200
    return flow


def invited(net: Network, by: Node) -> Message:
    """Alice calls at a node; the INVITE that Bob gets by the other one."""
    by.stack.receive_datagrams([(request("INVITE", "sip:bob@example.com"), alice_of(by))], NOW)
    sent = net.carry()
    assert [message.status for message in sent[by.number]] == [100]
    (invite,) = sent[3 - by.number]
    return invite


def accepted(invite: Message) -> bytes:
    said = answer(invite, 200).replace(b"Content-Length", f"Contact: {CONTACT}\r\nContent-Length".encode())
    return said.replace(b"To: <sip:bob@example.com>", b"To: <sip:bob@example.com>;tag=b")


def test_a_call_goes_to_the_phone_by_the_node_that_holds_its_connection(net: Network) -> None:
    """RFC 3261 18.1.1, 16.7: the INVITE goes out there, and its responses come back to the node that has the call."""
    one, two = net.nodes.values()
    flow = bob_registers(one)
    invite = invited(net, two)
    assert net.flows[-1] == flow or flow in net.flows
    for status in (180, 200):
        one.stack.receive_datagrams([(accepted(invite) if status == 200 else answer(invite, 180), flow)], NOW)
        sent = net.carry()
        assert sent[1] == []
        assert [message.status for message in sent[2]] == [status]
    assert one.stack.counters[counters.RETURNED_TO_NODE] == 2
    assert two.stack.counters[counters.SENT_BY_NODE] == 1
    assert two.stack.counters[counters.CALLS_ANSWERED] == 1


def test_a_refused_call_is_acknowledged_by_the_same_way(net: Network) -> None:
    """RFC 3261 17.1.1.3: the ACK of a final response other than 2xx."""
    one, two = net.nodes.values()
    flow = bob_registers(one)
    invite = invited(net, two)
    one.stack.receive_datagrams([(answer(invite, 486), flow)], NOW)
    sent = net.carry()
    assert [message.method for message in sent[1]] == ["ACK"]
    assert sent[1][0].first("Via") == invite.first("Via")
    assert [message.status for message in sent[2]] == [486]


def test_a_request_in_the_dialog_goes_by_the_open_connection(net: Network) -> None:
    """The contact is the address and port of the connection: a BYE to it goes by that, and its answer comes back."""
    one, two = net.nodes.values()
    flow = one.connection(78, 40001)
    net.carry()
    bye = request("BYE", "sip:bob@198.51.100.7:40001;transport=tcp")
    two.stack.receive_datagrams([(bye, alice_of(two))], NOW)
    (forwarded,) = net.carry()[1]
    assert forwarded.method == "BYE"
    one.stack.receive_datagrams([(answer(forwarded, 200), flow)], NOW)
    assert [message.status for message in net.carry()[2]] == [200]


def test_a_connection_that_was_closed_is_not_used(net: Network) -> None:
    """RFC 3261 16.9: the contact is tried instead, from the node that has the call."""
    one, two = net.nodes.values()
    flow = bob_registers(one)
    one.close(flow)
    net.carry()
    two.stack.receive_datagrams([(request("INVITE", "sip:bob@example.com"), alice_of(two))], NOW)
    sent = net.carry()
    assert sent[1] == []
    assert [message.method for message in sent[2] if message.is_request] == ["INVITE"]


def test_a_connection_that_fails_is_told_of(net: Network) -> None:
    """RFC 3261 18.4: the holder finds that it is gone, and the contact is tried from the node that has the call."""
    one, two = net.nodes.values()
    bob_registers(one)
    two.stack.receive_datagrams([(request("INVITE", "sip:bob@example.com"), alice_of(two))], NOW)
    assert two.take() and not two.sent[1:]
    one.flows.tick(NOW)
    failed = one.stack.datagrams_to_send(NOW)
    assert len(failed) == 1
    one.stack.receive_failures(failed, NOW)
    assert [message.method for message in net.carry()[2] if message.is_request] == ["INVITE"]
    assert two.stack.counters[counters.SEND_FAILED] == 0


def test_connections_of_a_lost_node_are_gone_at_once(net: Network) -> None:
    """What was sent by it and has no answer fails at once; new calls go to the contact."""
    one, two = net.nodes.values()
    bob_registers(one)
    invited(net, two)
    net.part()
    assert [message.method for message in net.carry()[2] if message.is_request] == ["INVITE"]
    assert len(two.stack.node_flows.connections) == 0


def test_a_link_that_is_back_brings_all_connections(net: Network) -> None:
    one, two = net.nodes.values()
    bob_registers(one)
    net.part()
    net.carry()
    one.connection(79, 40002)
    net.carry()
    net.join()
    net.carry()
    assert len(two.stack.node_flows.connections) == 2
    invited(net, two)


def test_a_phone_is_called_before_the_news_of_its_connection_have_come(net: Network) -> None:
    """Its registration may be in the table sooner: the node that holds the connection is asked."""
    one, two = net.nodes.values()
    two.is_bus_full = True
    flow = bob_registers(one)
    two.is_bus_full = False
    assert len(two.stack.node_flows.connections) == 0
    invite = invited(net, two)
    one.stack.receive_datagrams([(accepted(invite), flow)], NOW)
    assert [message.status for message in net.carry()[2]] == [200]


def test_news_that_a_full_link_refuses_are_told_again(net: Network) -> None:
    """All connections, once the link takes something: those that were closed meanwhile are gone as well."""
    one, two = net.nodes.values()
    gone = one.connection(80, 40003)
    net.carry()
    one.is_link_full = True
    bob_registers(one)
    one.close(gone)
    net.carry()
    assert len(two.stack.node_flows.connections) == 1
    one.is_link_full = False
    one.flows.tick(NOW + 1.0)
    net.carry()
    known = two.stack.node_flows.connections
    ways = [Flow(TCP, two.place, ("198.51.100.7", port)).way() for port in (40000, 40003)]
    assert [known.way_by(way) is not None for way in ways] == [True, False]


def test_a_worker_that_starts_hears_of_the_connections_of_other_nodes(net: Network) -> None:
    one, two = net.nodes.values()
    bob_registers(one)
    two.begin(SETTINGS if two.place == 0 else TURNED)
    net.carry()
    invited(net, two)


def test_connections_of_a_worker_that_starts_again_are_gone(net: Network) -> None:
    one, two = net.nodes.values()
    bob_registers(one)
    one.begin(SETTINGS)
    net.carry()
    assert len(two.stack.node_flows.connections) == 0


def test_a_response_with_a_branch_that_is_not_ours_is_not_passed_on(net: Network) -> None:
    """Any sender could else have a node work for it."""
    one, two = net.nodes.values()
    flow = bob_registers(one)
    invite = invited(net, two)
    branch = invite.first("Via").partition("branch=")[2].partition(";")[0]
    forged = answer(invite, 200).replace(branch.encode(), branch[:-4].encode() + b"0000")
    one.stack.receive_datagrams([(forged, flow)], NOW)
    sent = net.carry()
    assert sent == {1: [], 2: []}
    assert one.stack.counters[counters.RETURNED_TO_NODE] == 0


def test_a_node_speaks_for_its_own_workers_only() -> None:
    net = Network()
    two = net.nodes[2]
    two.flows.receive(1, WorkerConnections(process_id(3, 0), is_anew=True), NOW)
    two.flows.receive(1, ResponseReturned(process_id(3, 0), b"SIP/2.0 200 OK\r\n\r\n"), NOW)
    assert two.flows.counts() == {counters.NODE_MESSAGES_DROPPED: 1}


def test_without_a_link_nothing_of_another_node_is_used() -> None:
    settings: Settings = SETTINGS
    net = Network(settings)
    one, two = net.nodes.values()
    bob_registers(one)
    net.parted.append({1, 2})
    two.stack.receive_datagrams([(request("INVITE", "sip:bob@example.com"), alice_of(two))], NOW)
    sent = net.carry()
    assert sent[1] == []
    assert [message.method for message in sent[2] if message.is_request] == ["INVITE"]
