"""What the supervisor and the cluster process tell each other, and what operators ask the supervisor about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.catalogue.alarms import Condition
from appliance.catalogue.cluster_status import ClusterStatus, TakeOverRow
from appliance.messages.bus_messages import BusMessage, BusReply, BusRequest


@dataclass(slots=True)
class ClusterReport(BusMessage):
    """From the cluster process, at once after a change of the members, and every second: what it knows.

    The cluster file is that of `status.membership`. `is_member`: is this node still in the cluster? `alarms`: what
    is wrong now. `etcd_fault`: why etcd takes no changes, "" when it does. `sealing_step`: of the keys that seal
    tokens, as the state folder has them; -1 while it is not known whether etcd holds newer ones.
    """

    kind = 201
    version = 3
    status: ClusterStatus
    is_member: bool
    alarms: list[Condition] = field(default_factory=list)
    etcd_fault: str = ""
    sealing_step: int = -1


@dataclass(slots=True)
class TakeOver(BusMessage):
    """To the cluster process: this node has taken a virtual address over; etcd shall have it.

    `address`: its number, `name`: its name; `owner`, `last_owner`: numbers of members, 0 for none; `gap_ms`: for how
    long it had no owner; `wall_time`: unix time. Address and epoch name it: told twice, it is recorded once.
    """

    kind = 202
    address: int
    name: str
    epoch: int
    owner: int
    last_owner: int
    reason: str
    gap_ms: int
    wall_time: float


@dataclass(slots=True)
class VersionInForce(BusMessage):
    """To the cluster process, again and again: the version of the members by which alone the lease process of this node
    helps an owner; 0 while that is not known.
    """

    kind = 200
    members_version: int


@dataclass(slots=True)
class TakeOverKey:
    """One take-over."""

    address: int
    epoch: int


@dataclass(slots=True)
class TakeOversRecorded(BusMessage):
    """From the cluster process: etcd has these."""

    kind = 203
    recorded: list[TakeOverKey]


@dataclass(slots=True)
class TakeOverHistory(BusMessage):
    """From the cluster process: what etcd holds, the newest last."""

    kind = 204
    rows: list[TakeOverRow]


@dataclass(slots=True)
class ClusterConfiguration(BusMessage):
    """To the cluster process: a configuration is in force, as text."""

    kind = 205
    config_text: str


@dataclass(slots=True)
class ClusterReply(BusReply):
    """How the cluster is."""

    kind = 207
    version = 3
    status: ClusterStatus


@dataclass(slots=True)
class ShowCluster(BusRequest[ClusterReply]):
    """How is the cluster?"""

    kind = 206


@dataclass(slots=True)
class TakeOverRows(BusReply):
    """The last take-overs, the newest last; `total`: how many are known."""

    kind = 209
    total: int
    rows: list[TakeOverRow]


@dataclass(slots=True)
class ListTakeOvers(BusRequest[TakeOverRows]):
    """Which take-overs were there?"""

    kind = 208
    limit: int
