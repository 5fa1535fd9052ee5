"""Every alarm, declared once: its name, severity, cause, effect and action.

An alarm is raised about a subject (a worker, a table, a listener) and cleared when its condition has passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CRITICAL: Final = "critical"
MAJOR: Final = "major"
MINOR: Final = "minor"
WARNING: Final = "warning"


@dataclass(frozen=True, slots=True)
class Alarm:
    """`cause`, `effect` and `action` are sentences for the operator."""

    name: str
    severity: str
    cause: str
    effect: str
    action: str


@dataclass(frozen=True, slots=True)
class Condition:
    """An alarm that is true now: `subject` says of what, `text` is a sentence with the particulars."""

    name: str
    subject: str
    text: str


WORKER_DOWN: Final = "worker-down"
WORKER_RESTARTING: Final = "worker-restarting"
MANAGEMENT_DOWN: Final = "management-down"
PERSISTER_DOWN: Final = "persister-down"
SNMP_AGENT_DOWN: Final = "snmp-agent-down"
TABLE_WRITER_KILLED: Final = "table-writer-killed"
TABLE_REBUILT: Final = "table-rebuilt"
TABLE_NEAR_LIMIT: Final = "table-near-limit"
OVERLOAD: Final = "overload"
RATE_LIMIT_ACTING: Final = "rate-limit-acting"
CONFIGURATION_UNCONFIRMED: Final = "configuration-unconfirmed"
STATE_STORE_FAILING: Final = "state-store-failing"
REGISTRATION_TABLE_FULL: Final = "registration-table-full"
REGISTRATION_TABLE_UNSOUND: Final = "registration-table-unsound"
LISTENER_FAILED: Final = "listener-failed"
STEERING_REFUSED: Final = "steering-refused"
START_REMARK: Final = "start-remark"
CLOCK_STEPPED: Final = "clock-stepped"
LISTENER_UNAUTHENTICATED: Final = "listener-unauthenticated"
ROUTES_UNUSABLE: Final = "routes-unusable"
ROUTE_SOURCE_FAILING: Final = "route-source-failing"
LOOKUP_SERVER_DOWN: Final = "lookup-server-down"
SOFTWARE_FAULT: Final = "software-fault"
PASSWORD_GUESSING: Final = "password-guessing"
SUBSCRIBER_DATABASE_FAILING: Final = "subscriber-database-failing"
NODE_UNREACHABLE: Final = "node-unreachable"
REPLICATION_LAGGING: Final = "replication-lagging"
NOT_IN_SYNC: Final = "not-in-sync"
REPLICATOR_DOWN: Final = "replicator-down"
CERTIFICATE_EXPIRED: Final = "certificate-expired"
CERTIFICATE_EXPIRES_SOON: Final = "certificate-expires-soon"
CERTIFICATE_EXPIRES: Final = "certificate-expires"
CERTIFICATE_NAME_WRONG: Final = "certificate-name-wrong"
CERTIFICATE_UNUSABLE: Final = "certificate-unusable"
ETCD_UNAVAILABLE: Final = "etcd-unavailable"
ETCD_DEGRADED: Final = "etcd-degraded"
CLOCK_APART: Final = "clock-apart"
CLUSTER_PROCESS_DOWN: Final = "cluster-process-down"
CONFIGURATION_DIFFERS: Final = "configuration-differs"
ETCD_CERTIFICATE_EXPIRES: Final = "etcd-certificate-expires"
KEY_ROTATION_STALLED: Final = "key-rotation-stalled"
ADDRESS_WITHOUT_OWNER: Final = "address-without-owner"
ADDRESS_ELSEWHERE: Final = "address-elsewhere"
ADDRESS_WITHOUT_INTERFACE: Final = "address-without-interface"
SPLIT_OBSERVED: Final = "split-observed"
LEASE_PROCESS_DOWN: Final = "lease-process-down"
LEASE_NOT_REAL_TIME: Final = "lease-not-real-time"
LOG_HOST_UNREACHABLE: Final = "log-host-unreachable"
REVOCATION_LIST_DUE: Final = "revocation-list-due"

# fmt: off
ALARMS: Final[tuple[Alarm, ...]] = (
    Alarm(WORKER_DOWN, MAJOR,
          "A worker process exited, or was killed because it sent no heartbeat.",
          "The other workers take over its calls. Capacity is reduced until it is up again.",
          "None; it is restarted. See `show logging` for the cause."),
    Alarm(WORKER_RESTARTING, CRITICAL,
          "A worker exited several times shortly after it was started.",
          "It accepts no calls. The delay before each restart increases.",
          "See `show logging` for the cause. If a commit caused it, use `rollback`."),
    Alarm(MANAGEMENT_DOWN, MINOR,
          "The management process exited.",
          "Operators cannot connect until it is restarted. Calls are not affected.",
          "None; it is restarted. See the log for the cause."),
    Alarm(PERSISTER_DOWN, MAJOR,
          "The process that writes registrations to disk exited.",
          "Registrations are kept in memory. A power failure loses changes made since then. Calls are not affected.",
          "None; it is restarted. See `show logging` for the cause."),
    Alarm(SNMP_AGENT_DOWN, MINOR,
          "The SNMP agent exited, or its address and port cannot be opened.",
          "Managers get no answers until it runs again; notifications wait. Calls are not affected.",
          "If it is about an address or port, see which program uses it, or change `snmp listen`. Otherwise none; it "
          "is restarted."),
    Alarm(TABLE_WRITER_KILLED, MAJOR,
          "A process held the lock of the registration table for more than 200 ms without progress and was killed.",
          "No registration was lost; changes were delayed. If a worker was killed, the other workers take over its "
          "calls.",
          "Report it if it recurs. The alarm clears after 10 minutes."),
    Alarm(TABLE_REBUILT, MAJOR,
          "The registration table in memory was damaged and was rebuilt from the copy on disk.",
          "Registrations of the last moments before can be lost; those phones are reached again when they register "
          "again.",
          "Check the memory of the machine. The alarm clears after 24 hours."),
    Alarm(TABLE_NEAR_LIMIT, WARNING,
          "A table of a worker is 90 % full.",
          "At the limit, new entries are rejected or the oldest entry is deleted.",
          "Raise the limit, or find the source of the load (`show counters`, `show transactions`)."),
    Alarm(OVERLOAD, MAJOR,
          "More messages arrive than the workers can process in time.",
          "New calls are rejected with 503 and Retry-After. Established calls continue.",
          "Find the source (`show counters`), limit it by `rate-limit`, or add workers or processors."),
    Alarm(RATE_LIMIT_ACTING, WARNING,
          "Requests exceed a rate limit.",
          "Excess requests are rejected, dropped or only counted, according to its `action`.",
          "See `show rate-limits` for the sources. Raise `rate` if the traffic is legitimate. The `default-` limits "
          "are configured by `overload requests per-source` and `overload registrations per-source`."),
    Alarm(CONFIGURATION_UNCONFIRMED, WARNING,
          "A commit is waiting for confirmation.",
          "At the given time the configuration reverts to the previous one.",
          "Type `confirm` to keep it, or `rollback` to revert now."),
    Alarm(STATE_STORE_FAILING, CRITICAL,
          "The state folder is not writable: the disk is full or faulty.",
          "A restart can lose registrations made since then. Commits are rejected.",
          "Free disk space, or check the kernel log for disk errors."),
    Alarm(REGISTRATION_TABLE_FULL, CRITICAL,
          "The registration table cannot grow: the memory of the machine, or `limits bindings`, is used up.",
          "REGISTER requests that need room are rejected with 503. Calls and stored registrations continue.",
          "Free memory (/dev/shm), or raise `limits bindings`. The alarm clears 1 minute after the last rejection."),
    Alarm(REGISTRATION_TABLE_UNSOUND, CRITICAL,
          "The registration table in memory is damaged.",
          "Requests that need it are rejected with 503 until it has been rebuilt from the copy on disk.",
          "None; it is rebuilt. Check the memory of the machine if it recurs."),
    Alarm(LISTENER_FAILED, CRITICAL,
          "A socket of a listener cannot be opened.",
          "The worker cannot start.",
          "Check whether another program uses the port, and whether the address is configured on an interface."),
    Alarm(STEERING_REFUSED, MINOR,
          "The kernel rejected the BPF program that steers datagrams to workers.",
          "Workers forward more messages to each other, which takes processor time. Service is not affected.",
          "Set the sysctl that the text names, if it names one. Restart the appliance if the number of workers was "
          "changed. Otherwise check the kernel version."),
    Alarm(SUBSCRIBER_DATABASE_FAILING, CRITICAL,
          "The subscriber database does not respond, or returns errors.",
          "Requests of subscribers that are not cached are rejected with 503. Registrations and calls continue.",
          "Start the database, or correct `subscribers database`. The alarm clears automatically."),
    Alarm(PASSWORD_GUESSING, MAJOR,
          "Authentication failed many times for a source or a user.",
          "The source is blocked for a time. Registered phones continue, and correct passwords are accepted.",
          "See `show authentication failures`. Block the source in the firewall, or correct the password in the "
          "phone, then use `clear authentication failures`."),
    Alarm(START_REMARK, WARNING,
          "Stored data was damaged or missing when the appliance started.",
          "Stated in the text of the alarm.",
          "Restore what is missing: the alarm clears then. Examine a file that was set aside: the alarm clears after "
          "24 hours."),
    Alarm(CLOCK_STEPPED, WARNING,
          "The system clock was changed.",
          "Registrations keep their lifetimes. Times in logs and records jump and can differ from other systems.",
          "Check the time and NTP. The alarm clears after 1 hour."),
    Alarm(LISTENER_UNAUTHENTICATED, WARNING,
          "A listener on an address other than loopback does not authenticate.",
          "Any sender can register any address of its domains and receive its calls.",
          "Configure `authenticate` in the listener, or use a loopback address."),
    Alarm(ROUTES_UNUSABLE, MAJOR,
          "The route tables in force cannot be read.",
          "Calls go by the tables of before; after a restart there are none, and calls to telephone numbers are "
          "rejected with 404.",
          "Use `signalbox routes import FILE.csv` or `signalbox routes rollback`. The alarm clears automatically."),
    Alarm(ROUTE_SOURCE_FAILING, MAJOR,
          "A route table cannot be read from its database, or its rows are refused.",
          "Calls go by the rows that were read last.",
          "Correct what the text of the alarm names, then type `refresh route-table`. The alarm clears with the next "
          "read that succeeds."),
    Alarm(LOOKUP_SERVER_DOWN, MAJOR,
          "The lookup server exited.",
          "Route tables are not read from databases until it runs again.",
          "None; it is restarted. If it recurs, see `show logging`."),
    Alarm(SOFTWARE_FAULT, MAJOR,
          "A software fault occurred while a message, timer or response was processed.",
          "That event was lost: a request was rejected with 500, or a call in setup was ended. Other traffic "
          "continues.",
          "Report it with the traceback in `show logging`. The alarm clears after 10 minutes without a fault."),
    Alarm(CERTIFICATE_EXPIRED, CRITICAL,
          "A certificate expires within a day, or is not valid any more.",
          "Phones and peers refuse TLS connections to the listeners that show it.",
          "Renew the certificate and replace its files; they are read again within 10 seconds."),
    Alarm(CERTIFICATE_EXPIRES_SOON, MAJOR,
          "A certificate expires within 7 days.",
          "After that, phones and peers refuse TLS connections to the listeners that show it.",
          "Renew the certificate and replace its files; they are read again within 10 seconds."),
    Alarm(CERTIFICATE_EXPIRES, MINOR,
          "A certificate expires within 30 days.",
          "After that, phones and peers refuse TLS connections to the listeners that show it.",
          "Renew the certificate and replace its files; they are read again within 10 seconds."),
    Alarm(CERTIFICATE_NAME_WRONG, MAJOR,
          "A peer or a server has shown a certificate with another name (RFC 5922 7.3, 7.4).",
          "The connection was refused: requests to that server fail, and those of that peer do not arrive.",
          "Compare the name in the alarm with the certificate of the other end. The alarm clears after 10 minutes."),
    Alarm(CERTIFICATE_UNUSABLE, MAJOR,
          "A certificate, a private key or the trust store cannot be used.",
          "The listeners of that certificate accept no TLS connections, or none are opened.",
          "Correct the file that the alarm names, then commit."),
    Alarm(REVOCATION_LIST_DUE, MAJOR,
          "A revocation list in `tls revoked` is overdue, or will be within a day.",
          "Once it is overdue no certificate of its issuer is accepted, of peers, servers or clients.",
          "Replace the file by one with the new list of that issuer; it is read again within 10 seconds."),
    Alarm(ETCD_UNAVAILABLE, MAJOR,
          "etcd does not answer, or a majority of its members is missing.",
          "Calls, registrations and take-overs continue. Members and the configuration cannot be changed; take-overs "
          "are recorded later.",
          "Start the members of etcd again: `systemctl status etcd` on each. The alarm clears automatically."),
    Alarm(ETCD_DEGRADED, MINOR,
          "etcd answers, but one of its members does not, it is full, or what it holds cannot be used.",
          "Stated in the text of the alarm. Calls, registrations and take-overs continue.",
          "See `show cluster`. Start the missing member; make room in a full etcd (docs/cluster.md)."),
    Alarm(CLOCK_APART, MINOR,
          "The clock of another member differs by more than 5 seconds from that of this node.",
          "Of two registrations of one phone on two nodes, the wrong one can count as the later. Times in logs differ.",
          "Check NTP on both machines. The alarm clears automatically."),
    Alarm(CLUSTER_PROCESS_DOWN, MINOR,
          "The process that talks to etcd exited, or the node was removed from the cluster.",
          "The members as of before stay in force. Calls, registrations and take-overs continue.",
          "None; it is restarted. See `show logging` for the cause."),
    Alarm(CONFIGURATION_DIFFERS, MAJOR,
          "This node cannot put the configuration of the cluster in force, as when a port is in use on it.",
          "It goes by its last commit; the other nodes go by a newer one.",
          "Remove the cause that the alarm tells; it tries again every 10 seconds. Or commit a configuration that it "
          "can take on another node."),
    Alarm(ETCD_CERTIFICATE_EXPIRES, MAJOR,
          "The certificate that this node shows to etcd expires within 30 days, or has expired.",
          "After that etcd refuses this node: members and configuration cannot be changed. Calls, registrations and "
          "take-overs continue.",
          "Renew the certificate and replace its file, then restart the node."),
    Alarm(KEY_ROTATION_STALLED, MAJOR,
          "A node has not taken a new key that seals tokens for a minute after `cluster rotate-key`.",
          "The former key stays valid, and no other rotation can begin. After `cluster rotate-key force` the node "
          "treats requests of calls that other nodes have set up as new ones.",
          "Look at that node: its alarms, its workers, its way to etcd. Stop it where it cannot be repaired; or type "
          "`cluster rotate-key force` to use the new key without it."),
    Alarm(ADDRESS_WITHOUT_OWNER, CRITICAL,
          "No node owns a virtual address: no node that may own it hears a majority of the members and is ready.",
          "Requests to the address are not answered.",
          "See `show cluster`: start more members, or use `cluster undrain` or `cluster maintenance off`."),
    Alarm(ADDRESS_ELSEWHERE, CRITICAL,
          "A machine outside of the cluster has a virtual address, or a node has it without the cluster.",
          "This node does not take the address. Callers reach the other machine.",
          "Find the machine by its ARP entry and remove the address there. The alarm clears within 10 seconds."),
    Alarm(ADDRESS_WITHOUT_INTERFACE, MAJOR,
          "This node has no network interface for a virtual address.",
          "It cannot take the address over.",
          "Configure an address of the same network on an interface, or `interface` in the virtual address."),
    Alarm(SPLIT_OBSERVED, MAJOR,
          "This node hears less than half of the other members, or several nodes say that they own one address.",
          "Nodes that hear no majority own no virtual address. A node that lost its address falls silent.",
          "Check the network between the nodes. See `show cluster` on each side."),
    Alarm(LEASE_PROCESS_DOWN, CRITICAL,
          "The process that keeps virtual addresses exited.",
          "This node owns no virtual address until it runs again. Other nodes have taken over.",
          "None; it is restarted. If it recurs, install the package nftables, and run as root, or with CAP_NET_ADMIN "
          "and CAP_NET_RAW; see the journal."),
    Alarm(LEASE_NOT_REAL_TIME, WARNING,
          "The lease process may not run before other processes (CAP_SYS_NICE is missing).",
          "Under high load this node can lose its virtual addresses.",
          "Run as root, or allow CAP_SYS_NICE. In a container, allow real time scheduling."),
    Alarm(NODE_UNREACHABLE, MAJOR,
          "There is no link to another node of the cluster.",
          "Registrations made meanwhile are not on that node. It receives them when it is back.",
          "Start the node, or repair the network between both: TCP to the address that the alarm names. Remove "
          "a node that does not come back by `cluster remove`. The alarm clears automatically."),
    Alarm(REPLICATION_LAGGING, MAJOR,
          "Another node does not acknowledge registrations in time.",
          "REGISTER requests are answered before another node has the registration. They are lost if this node fails "
          "now.",
          "Look for load or full memory on that node, and for loss on the network. The alarm clears automatically."),
    Alarm(NOT_IN_SYNC, MAJOR,
          "The registration tables of this node and another one differ.",
          "If one of both fails, phones may be unreachable until they register again. The tables are being compared.",
          "Wait for the end of the comparison. If the alarm stays, see its text. The alarm clears automatically."),
    Alarm(REPLICATOR_DOWN, MAJOR,
          "The replicator exited or cannot be started.",
          "Registrations are not sent to other nodes, and none come from there.",
          "It is restarted automatically, and sends then what was missed. See the log for the reason."),
    Alarm(LOG_HOST_UNREACHABLE, MINOR,
          "A syslog server of `logging host` is not reached by TCP or TLS.",
          "Lines of the log wait for it, up to `logging queue` in each process; then the oldest are lost (counter "
          "`log-lines-lost`). The log file of the node has all of them.",
          "Start the server, or correct the address, port or certificate. The alarm clears automatically."),
)
# fmt: on


def alarm_named(name: str) -> Alarm:
    """The declaration. Raises KeyError."""
    return _BY_NAME[name]


_BY_NAME: Final = {alarm.name: alarm for alarm in ALARMS}
