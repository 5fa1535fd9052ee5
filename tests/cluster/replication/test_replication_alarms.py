"""The alarms of replication: raised when a node cannot be reached, lags or differs for a while, and over afterwards."""

from __future__ import annotations

from appliance.catalogue.alarms import NODE_UNREACHABLE, NOT_IN_SYNC, REPLICATION_LAGGING
from appliance.cluster.replication.replication_report import LAGGING_S, UNSOUND_S, alarms_of, row_of
from appliance.messages.membership import Member
from tests.cluster.replication.replicated_nodes import Network

MEMBERS = {number: Member(number, f"sip{number}", f"192.0.2.{number}", 7560, False, 7561) for number in (1, 2)}
FAULT = "connection refused"


def alarms(network: Network) -> list[tuple[str, str]]:
    """Name and sentence of each one at node 1."""
    node = network.nodes[1]
    peers = node.replication.peers
    rows = {n: row_of(peer, MEMBERS[n], node.table.last_seq, (0, 0), FAULT) for n, peer in peers.items()}
    return [(alarm.name, alarm.sentence) for alarm in alarms_of(peers, rows, MEMBERS, network.now)]


def in_sync() -> Network:
    network = Network(2)
    network.run_until_in_sync()
    assert alarms(network) == []
    return network


def test_a_node_is_unreachable() -> None:
    network = in_sync()
    network.cut.add(frozenset((1, 2)))
    network.break_all(1)
    network.run(30.0)
    assert alarms(network) == [
        (NODE_UNREACHABLE, f"There is no link to node sip2 at 192.0.2.2 port 7561: {FAULT}.")
    ]
    network.cut.clear()
    network.run_until_in_sync()
    assert alarms(network) == []


def test_a_node_acknowledges_nothing() -> None:
    network = in_sync()
    network.nodes[2].is_frozen = True
    network.nodes[1].register(1)
    network.run(LAGGING_S / 2)
    assert alarms(network) == []
    network.run(LAGGING_S)
    assert [name for name, _ in alarms(network)] == [REPLICATION_LAGGING]
    assert "Node sip2 has not acknowledged 1 changes" in alarms(network)[0][1]
    network.nodes[2].is_frozen = False
    network.run_until_in_sync()
    assert alarms(network) == []


def test_a_node_has_other_registrations() -> None:
    """The comparison of the tables does not end."""
    network = Network(2)
    while not network.is_up(1, 2):
        network.step()
    network.nodes[2].is_frozen = True
    network.run(UNSOUND_S - 1)
    assert NOT_IN_SYNC not in [name for name, _ in alarms(network)]
    network.run(2.0)
    assert (NOT_IN_SYNC, "Tables are not in sync with node sip2, 0 addresses are compared.") in alarms(network)
    network.nodes[2].is_frozen = False
    network.run_until_in_sync()
    assert alarms(network) == []
