"""Connections that another node had when its virtual address came here: whose phones have to be told."""

from __future__ import annotations

from appliance.messages.flow_messages import NamedFlow, WorkerConnections
from appliance.transport.flow import TCP
from appliance.transport.process_id import process_id
from appliance.worker_group.lost_connections import KEPT_S
from appliance.worker_group.node_connections import NodeConnections

HERE, THERE = process_id(2, 0), process_id(1, 0)
NOW = 100.0


def known(*numbers: int) -> NodeConnections:
    """Listener `phones` has place 1; node 1 has these connections."""
    connections = NodeConnections(HERE)
    connections.use_names(("other", "phones"))
    connections.use_links(lambda node: True)
    opened = [NamedFlow(TCP, "phones", "192.0.2.7", 40000 + number, number) for number in numbers]
    connections.receive(WorkerConnections(THERE, opened), NOW)
    return connections


def lost(connections: NodeConnections, now: float = NOW, place: int = 1, node: int = 1) -> list[int]:
    return [flow.connection for flow in connections.lost_by(node, (place,), now)]


def test_those_of_a_node_that_is_gone_are_remembered_for_a_while() -> None:
    connections = known(1, 2)
    connections.receive(WorkerConnections(THERE, is_anew=True, is_gone=True), NOW)
    assert len(connections) == 0
    assert lost(connections) == [1, 2]
    assert lost(connections, place=0) == lost(connections, node=3) == []
    assert lost(connections, NOW + KEPT_S + 1.0) == []


def test_those_that_the_node_still_names_count_as_well() -> None:
    """The address has been given away, and the news of what was closed by that are on their way."""
    connections = known(1, 2)
    connections.receive(WorkerConnections(THERE, [], [2]), NOW)
    assert sorted(lost(connections)) == [1, 2]


def test_a_list_of_all_loses_only_what_is_not_in_it() -> None:
    connections = known(1, 2)
    again = NamedFlow(TCP, "phones", "192.0.2.7", 40001, 1)
    connections.receive(WorkerConnections(THERE, [again], is_anew=True), NOW)
    assert len(connections) == 1
    assert lost(connections) == [2, 1]
