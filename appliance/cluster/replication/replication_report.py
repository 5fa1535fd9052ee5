"""The report of the replication to the supervisor: the state with each node, and alarms for the operator. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from appliance.catalogue.alarms import NODE_UNREACHABLE, NOT_IN_SYNC, REPLICATION_LAGGING
from appliance.cluster.replication.peer import Peer
from appliance.messages.link_messages import PeerReplication, ReplicationAlarm
from appliance.messages.membership import Member

LAGGING_S: Final = 1.0
UNSOUND_S: Final = 10.0


def row_of(peer: Peer, member: Member, last_seq: int, octets: tuple[int, int], fault: str) -> PeerReplication:
    """How it is with a node; `fault`: why there is no link."""
    return PeerReplication(
        member.number,
        member.name,
        peer.is_up,
        peer.is_in_sync,
        max(0, last_seq - peer.sender.acknowledged) if peer.sender.is_started else 0,
        peer.sender.acknowledged,
        octets[0],
        octets[1],
        peer.walk.walked if peer.walk is not None else peer.walked,
        peer.last_error if peer.is_up else fault,
    )


def alarms_of(
    peers: Mapping[int, Peer], rows: Mapping[int, PeerReplication], members: Mapping[int, Member], now: float
) -> Iterator[ReplicationAlarm]:
    """The alarms that are true."""
    for number, peer in peers.items():
        member, row = members[number], rows[number]
        if not peer.is_up:
            if peer.is_away(now):
                where = f"{member.host} port {member.link_port}"
                sentence = f"There is no link to node {member.name} at {where}: {row.last_error or 'it was lost'}."
                yield ReplicationAlarm(NODE_UNREACHABLE, member.name, sentence)
            continue
        waits_s = peer.sender.waits_s(now)
        if waits_s > LAGGING_S:
            sentence = f"Node {member.name} has not acknowledged {row.lag} changes, the first one for {waits_s:.0f} s."
            yield ReplicationAlarm(REPLICATION_LAGGING, member.name, sentence)
        if not peer.is_in_sync and now - peer.unsound_since > UNSOUND_S:
            why = f": {row.last_error}" if row.last_error else ""
            sentence = f"Tables are not in sync with node {member.name}, {row.walked} addresses are compared{why}."
            yield ReplicationAlarm(NOT_IN_SYNC, member.name, sentence)
