"""The objects of SIGNALBOX-MIB: their numbers, syntaxes and descriptions; counters, gauges and alarms by their names.

A number stands for one thing for ever. What is no longer there leaves its number unused: `tests/manual/test_mib.py`
compares with the committed MIB. The agent serves these objects, and `python -m appliance.manual.mib` writes the MIB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Oid = tuple[int, ...]

# The enterprise number of documentation (RFC 5612); no number is registered for Signalbox.
ROOT: Final[Oid] = (1, 3, 6, 1, 4, 1, 32473)
MODULE: Final[Oid] = (*ROOT, 1)
NOTIFICATIONS: Final[Oid] = (*MODULE, 0)
OBJECTS: Final[Oid] = (*MODULE, 1)
NODE: Final[Oid] = (*OBJECTS, 1)
COUNTERS_GROUP: Final[Oid] = (*OBJECTS, 2)
WORKER_TABLE: Final[Oid] = (*OBJECTS, 3)
GAUGE_TABLE: Final[Oid] = (*OBJECTS, 4)
LISTENER_TABLE: Final[Oid] = (*OBJECTS, 5)
PROCESS_TABLE: Final[Oid] = (*OBJECTS, 6)
RATE_LIMIT_TABLE: Final[Oid] = (*OBJECTS, 7)
ALARM_TABLE: Final[Oid] = (*OBJECTS, 8)
CLUSTER: Final[Oid] = (*OBJECTS, 10)
MEMBER_TABLE: Final[Oid] = (*OBJECTS, 11)
ETCD_TABLE: Final[Oid] = (*OBJECTS, 12)
VIRTUAL_ADDRESS_TABLE: Final[Oid] = (*OBJECTS, 13)

TEXT, INTEGER, GAUGE, COUNTER = "SnmpAdminString", "Integer32", "Gauge32", "Counter64"
TICKS, STAMP, OCTETS, TRUTH = "TimeTicks", "TimeStamp", "DateAndTime", "TruthValue"


@dataclass(frozen=True, slots=True)
class MibObject:
    """`number`: below its group or table; `fact`: where its value is in the status, with dots between the names."""

    number: int
    name: str
    syntax: str
    fact: str
    help: str
    units: str = ""


@dataclass(frozen=True, slots=True)
class MibTable:
    """A table with one row for each worker, listener, process, rate limit or alarm, by its number from 1."""

    oid: Oid
    name: str
    help: str
    columns: tuple[MibObject, ...]


# fmt: off
NODE_OBJECTS: Final = (
    MibObject(1, "Hostname", TEXT, "hostname", "The configured name of the appliance."),
    MibObject(2, "State", TEXT, "supervisor.sentence", "The state of the node in a sentence."),
    MibObject(3, "Uptime", TICKS, "supervisor.uptime_s", "Time since the appliance was started."),
    MibObject(4, "Commit", GAUGE, "commit", "The number of the active configuration."),
    MibObject(5, "Reload", TEXT, "reload", "When a reload is scheduled, or empty."),
    MibObject(6, "Epoch", GAUGE, "epoch", "The version of the table of Call-ID slots."),
    MibObject(7, "Registrations", GAUGE, "registrations", "Registered contacts.", "contacts"),
    MibObject(8, "Transactions", GAUGE, "transactions", "Transactions on all workers.", "transactions"),
    MibObject(9, "AlarmsActive", GAUGE, "alarms", "Active alarms.", "alarms"),
    MibObject(10, "CounterDiscontinuity", STAMP, "discontinuity",
              "The value of sysUpTime when the counters last began at zero; 0 if that was before the agent started."),
    MibObject(11, "CommitTime", OCTETS, "commit_time", "When the active configuration was committed."),
    MibObject(12, "CommitConfirmed", TRUTH, "is_confirmed",
              "Whether the active configuration stays; otherwise it waits for `confirm`, and is reverted without it."),
)
WORKERS: Final = MibTable(WORKER_TABLE, "Worker", "The workers; the index is the number of the worker plus 1.", (
    MibObject(2, "WorkerState", TEXT, "state", "The state of the worker in a word."),
    MibObject(3, "WorkerPid", GAUGE, "pid", "Its process ID; 0 if it does not run."),
    MibObject(4, "WorkerUptime", TICKS, "uptime_s", "Time since it was started."),
    MibObject(5, "WorkerRestarts", GAUGE, "restarts", "How often it was restarted.", "restarts"),
    MibObject(6, "WorkerSlots", GAUGE, "slots", "The Call-ID slots that it owns.", "slots"),
    MibObject(7, "WorkerCpuTime", TICKS, "cpu_s", "The processor time that it has used."),
    MibObject(8, "WorkerMemory", GAUGE, "rss", "Its resident memory.", "KiB"),
    MibObject(9, "WorkerTransactions", GAUGE, "transactions", "Its transactions.", "transactions"),
    MibObject(10, "WorkerSilence", GAUGE, "silent_ms", "Time since its last heartbeat.", "milliseconds"),
    MibObject(11, "WorkerLastEnding", TEXT, "last_ending", "Why the process before it ended; empty for none."),
))
LISTENERS: Final = MibTable(LISTENER_TABLE, "Listener", "The listeners; the index is the place plus 1.", (
    MibObject(2, "ListenerName", TEXT, "name", "Its name."),
    MibObject(3, "ListenerAddress", TEXT, "address", "Its address."),
    MibObject(4, "ListenerPort", GAUGE, "port", "Its port."),
    MibObject(5, "ListenerTransports", TEXT, "transports", "Its transports, separated by spaces."),
    MibObject(6, "ListenerRole", TEXT, "role", "Its role."),
    MibObject(7, "ListenerStanding", TEXT, "standing", "`open`, `draining` or `closed`."),
))
PROCESSES: Final = MibTable(PROCESS_TABLE, "Process", "The processes of the node; applIndex has the same values.", (
    MibObject(2, "ProcessName", TEXT, "name", "Its name."),
    MibObject(3, "ProcessPid", GAUGE, "pid", "Its process ID."),
    MibObject(4, "ProcessUptime", TICKS, "uptime_s", "Time since it was started."),
    MibObject(5, "ProcessRestarts", GAUGE, "restarts", "How often it was restarted.", "restarts"),
    MibObject(6, "ProcessCpuTime", TICKS, "cpu_s", "The processor time that it has used."),
    MibObject(7, "ProcessMemory", GAUGE, "rss", "Its resident memory.", "KiB"),
))
RATE_LIMITS: Final = MibTable(RATE_LIMIT_TABLE, "RateLimit", "The configured rate limits, in their order.", (
    MibObject(2, "RateLimitName", TEXT, "name", "Its name."),
    MibObject(3, "RateLimitOf", TEXT, "of", "The requests that count."),
    MibObject(4, "RateLimitPer", TEXT, "per", "What has a token bucket of its own."),
    MibObject(5, "RateLimitRate", GAUGE, "rate_per_s", "Requests accepted per second.", "requests per second"),
    MibObject(6, "RateLimitBurst", GAUGE, "burst", "Requests accepted in one burst.", "requests"),
    MibObject(7, "RateLimitAction", TEXT, "action", "The action for requests over the limit."),
))
ALARMS_ACTIVE: Final = MibTable(ALARM_TABLE, "Alarm", "The active alarms, the oldest first.", (
    MibObject(2, "AlarmName", TEXT, "name", "The name of the alarm."),
    MibObject(3, "AlarmSubject", TEXT, "subject", "What it is raised about: a worker, a table, a listener."),
    MibObject(4, "AlarmSeverity", TEXT, "severity", "`critical`, `major`, `minor` or `warning`."),
    MibObject(5, "AlarmSince", OCTETS, "since", "When it was raised."),
    MibObject(6, "AlarmText", TEXT, "text", "The particulars in a sentence."),
    MibObject(7, "AlarmCause", TEXT, "cause", "The cause."),
    MibObject(8, "AlarmEffect", TEXT, "effect", "The effect."),
    MibObject(9, "AlarmAction", TEXT, "action", "What to do."),
    MibObject(10, "AlarmAcknowledgedBy", TEXT, "acknowledged_by", "The operator who acknowledged it, or empty."),
))
# Of a node that is in no cluster there are none of these.
CLUSTER_OBJECTS: Final = (
    MibObject(1, "ClusterName", TEXT, "name", "The name of the cluster."),
    MibObject(2, "ClusterNode", TEXT, "node", "The name of this node in the cluster."),
    MibObject(3, "ClusterMembership", GAUGE, "membership", "The version of the membership."),
    MibObject(4, "ClusterEtcd", TEXT, "etcd", "Whether etcd answers, in a sentence."),
    MibObject(5, "ClusterUnrecorded", GAUGE, "unrecorded", "Take-overs that etcd has not got yet.", "take-overs"),
    MibObject(6, "ClusterDrained", TEXT, "drained",
              "The nodes that shall own no virtual address, separated by spaces."),
    MibObject(7, "ClusterMaintained", TRUTH, "is_maintained", "Whether virtual addresses move by order only."),
)
MEMBERS: Final = MibTable(MEMBER_TABLE, "Member", "The members of the cluster; the index is their number plus 1.", (
    MibObject(2, "MemberName", TEXT, "name", "Its name."),
    MibObject(3, "MemberKind", TEXT, "kind", "`node` or `witness`."),
    MibObject(4, "MemberIsSelf", TRUTH, "is_self", "Whether it is this node."),
    MibObject(5, "MemberState", TEXT, "state", "`present`, `absent`, or `unknown` while etcd does not answer."),
    MibObject(6, "MemberHost", TEXT, "host", "Its address."),
    MibObject(7, "MemberPort", GAUGE, "port", "Its UDP port of heartbeats."),
    MibObject(8, "MemberLinkPort", GAUGE, "link_port", "Its TCP port of links."),
    MibObject(9, "MemberVersion", TEXT, "version", "The version of its software."),
    MibObject(10, "MemberStarted", OCTETS, "since", "When it was started; 1970 for unknown."),
    MibObject(11, "MemberClockAhead", INTEGER, "clock_ms",
              "What its clock is ahead of that of this node; not there where that is unknown.", "milliseconds"),
    MibObject(12, "MemberCommit", GAUGE, "commit", "The number of the configuration in force on it; 0 for unknown."),
    MibObject(13, "MemberLink", TEXT, "link", "`up` or `down`: the link from this node; empty for itself."),
    MibObject(14, "MemberInSync", TRUTH, "is_in_sync",
              "Whether both nodes have the same registrations; not there where that is unknown."),
    MibObject(15, "MemberLag", GAUGE, "lag",
              "Registration changes of this node that it has not acknowledged; not there without a link.", "changes"),
))
ETCD_SERVERS: Final = MibTable(ETCD_TABLE, "EtcdServer", "The servers of etcd, in their configured order.", (
    MibObject(2, "EtcdServerUrl", TEXT, "url", "Its address."),
    MibObject(3, "EtcdServerState", TEXT, "state", "`leader`, `healthy`, or why it does not answer."),
    MibObject(4, "EtcdServerVersion", TEXT, "version", "Its version."),
    MibObject(5, "EtcdServerSize", GAUGE, "size", "The size of its database.", "KiB"),
))
VIRTUAL_ADDRESSES: Final = MibTable(VIRTUAL_ADDRESS_TABLE, "VirtualAddress", "The virtual addresses, in their order.", (
    MibObject(2, "VirtualAddressName", TEXT, "name", "Its name."),
    MibObject(3, "VirtualAddressAddresses", TEXT, "addresses", "Its IP addresses, separated by spaces."),
    MibObject(4, "VirtualAddressInterface", TEXT, "interface", "The interface that has it."),
    MibObject(5, "VirtualAddressOwner", TEXT, "owner", "The node that owns it; empty for none."),
    MibObject(6, "VirtualAddressSince", OCTETS, "since", "When this node learned of that owner."),
    MibObject(7, "VirtualAddressEpoch", GAUGE, "epoch", "A number that grows with each take-over."),
    MibObject(8, "VirtualAddressStance", TEXT, "stance", "What this node does about it."),
    MibObject(9, "VirtualAddressElsewhere", TRUTH, "is_elsewhere",
              "Whether a machine outside of the cluster answers for it."),
))
# fmt: on
TABLES: Final = (
    *(WORKERS, LISTENERS, PROCESSES, RATE_LIMITS, ALARMS_ACTIVE),
    *(MEMBERS, ETCD_SERVERS, VIRTUAL_ADDRESSES),
)

NOTIFIED: Final[Oid] = (*OBJECTS, 9)
ALARM_KINDS: Final[Oid] = (*MODULE, 3)
TEST_NOTIFICATION: Final[Oid] = (*NOTIFICATIONS, 1)
REVISION: Final = "202611300000Z"
# fmt: off
NOTIFIED_OBJECTS: Final = (
    MibObject(1, "NotifiedNumber", GAUGE, "number", "The number of the notification; a gap is a notification dropped."),
    MibObject(2, "NotifiedAlarm", TEXT, "name", "The name of the alarm."),
    MibObject(3, "NotifiedSubject", TEXT, "subject", "What the alarm is about."),
    MibObject(4, "NotifiedSeverity", TEXT, "severity", "`critical`, `major`, `minor` or `warning`."),
    MibObject(5, "NotifiedText", TEXT, "text", "The particulars in a sentence."),
    MibObject(6, "NotifiedCause", TEXT, "cause", "The cause."),
    MibObject(7, "NotifiedEffect", TEXT, "effect", "The effect."),
    MibObject(8, "NotifiedAction", TEXT, "action", "What to do."),
    MibObject(9, "NotifiedTime", OCTETS, "wall_time", "When it was raised or cleared."),
)
# fmt: on


def camel_case(name: str) -> str:
    """`requests-received` as `RequestsReceived`."""
    return "".join(word.capitalize() for word in name.replace("_", "-").split("-"))
