"""The status of a cluster as one node knows it: made by the supervisor, drawn by every view.

Each field has a default, so that a part of the node that is not there leaves its fields as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

PRESENT: Final = "present"
ABSENT: Final = "absent"
UNKNOWN: Final = "unknown"
"""Of a member while etcd does not answer."""
LINKED: Final = "up"
UNLINKED: Final = "down"


@dataclass(slots=True)
class MemberStatus:
    """A member. `kind`: node or witness; `is_self`: this one; `state`: PRESENT, ABSENT or UNKNOWN by etcd.

    `version`: of its software; `since`: unix time of its start, 0 for unknown; `clock_ms`: what its clock is ahead
    of the clock of this node, None for unknown; `commit`: the number of the configuration in force on it, 0 for
    unknown. `link`: LINKED, UNLINKED, or "" for this node, a witness, and while it is not known; `is_in_sync`: are
    registrations the same on both; `lag`: changes of this node that it has not acknowledged, None without a link.
    `sealing_key`: the number of the newest sealing key that all its workers have, None for unknown.
    """

    number: int = 0
    name: str = ""
    kind: str = ""
    is_self: bool = False
    state: str = UNKNOWN
    host: str = ""
    port: int = 0
    link_port: int = 0
    version: str = ""
    since: float = 0.0
    clock_ms: int | None = None
    commit: int = 0
    link: str = ""
    is_in_sync: bool | None = None
    lag: int | None = None
    sealing_key: int | None = None


@dataclass(slots=True)
class EtcdServerStatus:
    """A server of etcd. `state`: healthy, leader, or why it is not; `size`: octets of its database."""

    url: str = ""
    state: str = UNKNOWN
    version: str = ""
    size: int = 0


@dataclass(slots=True)
class TakeOverRow:
    """A take-over of a virtual address, as operators see it. `is_recorded`: has etcd got it?"""

    wall_time: float = 0.0
    address: str = ""
    epoch: int = 0
    owner: str = ""
    last_owner: str = ""
    reason: str = ""
    gap_ms: int = 0
    is_recorded: bool = True


@dataclass(slots=True)
class AddressStatus:
    """A virtual address. `owner`: the name of a node, "" for none; `since`: unix time at which this node learned it;
    `stance`: what this node does about it; `is_elsewhere`: a machine outside of the cluster answers for it.
    """

    name: str = ""
    addresses: list[str] = field(default_factory=list)
    interface: str = ""
    owner: str = ""
    since: float = 0.0
    epoch: int = 0
    stance: str = ""
    is_elsewhere: bool = False


@dataclass(slots=True)
class ClusterStatus:
    """The cluster. `membership`: the version of its members; `node`: the name of this one; `etcd`: a sentence."""

    name: str = ""
    node: str = ""
    membership: int = 0
    etcd: str = ""
    unrecorded: int = 0
    """Take-overs that etcd has not got yet."""
    members: list[MemberStatus] = field(default_factory=list)
    etcd_servers: list[EtcdServerStatus] = field(default_factory=list)
    addresses: list[AddressStatus] = field(default_factory=list)
    drained: list[str] = field(default_factory=list)
    """Names of the nodes that shall own no virtual address."""
    is_maintained: bool = False
    """Do virtual addresses move by order only?"""
    sealing_key: int = 0
    """The number of the key that seals tokens; it grows with each rotation."""
    sealing_key_since: float = 0.0
    """Unix time since when, 0 for since the cluster was created."""
    sealing_key_waits_for: list[str] = field(default_factory=list)
    """Names of the nodes that have not taken the last step of a rotation yet."""
