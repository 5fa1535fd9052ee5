"""The members as operators see them, by what etcd holds."""

from __future__ import annotations

from collections.abc import Mapping

from appliance.catalogue.cluster_status import ABSENT, PRESENT, UNKNOWN, MemberStatus
from appliance.cluster.coordination.key_store import Entry
from appliance.cluster.coordination.keys import ClusterKeys
from appliance.cluster.coordination.presence import ClockDifferences, Presence
from appliance.messages.membership import Member, Membership
from appliance.messages.sealing_keys import newest_number


def member_statuses(
    membership: Membership,
    me: int,
    entries: Mapping[str, Entry],
    keys: ClusterKeys,
    clocks: ClockDifferences,
    is_known: bool,
) -> list[MemberStatus]:
    """Each member. `is_known`: does etcd answer? Otherwise it is not known which members are present."""
    return [
        _status(member, me, entries.get(keys.presence(member.number)), clocks, is_known)
        for member in membership.members
    ]


def _status(member: Member, me: int, entry: Entry | None, clocks: ClockDifferences, is_known: bool) -> MemberStatus:
    presence = Presence.from_octets(entry.value) if entry is not None else None
    difference = 0.0 if member.number == me else clocks.of(member.number)
    return MemberStatus(
        number=member.number,
        name=member.name,
        kind="witness" if member.is_witness else "node",
        is_self=member.number == me,
        state=(ABSENT if entry is None else PRESENT) if is_known else UNKNOWN,
        host=member.host,
        port=member.port,
        link_port=member.link_port,
        version=presence.version if presence else "",
        since=presence.since if presence else 0.0,
        commit=presence.commit if presence else 0,
        sealing_key=newest_number(presence.sealing_step) if presence and presence.sealing_step >= 0 else None,
        clock_ms=None if difference is None else round(difference * 1000),
    )
