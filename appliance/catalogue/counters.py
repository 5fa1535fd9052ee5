"""Every counter, declared once: its number, its name, its help.

Hot code counts by `counters[DROPPED_MALFORMED] += 1` in a list of its own, one for each worker;
`show counters` adds the lists up and takes the names from `COUNTERS`. A number is the place in that
list. It may change from one version to the next, a name may not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# traffic
REQUESTS_RECEIVED: Final = 0
RESPONSES_RECEIVED: Final = 1
REQUESTS_SENT: Final = 2
RESPONSES_SENT: Final = 3
UDP_MESSAGES_RECEIVED: Final = 4
UDP_MESSAGES_SENT: Final = 5
TCP_MESSAGES_RECEIVED: Final = 6
TCP_MESSAGES_SENT: Final = 7
KEEPALIVES_RECEIVED: Final = 8
RETRANSMISSIONS_RECEIVED: Final = 9
RETRANSMISSIONS_SENT: Final = 10
STRAY_RESPONSES_FORWARDED: Final = 11
# drops
DROPPED_MALFORMED: Final = 12
DROPPED_TRUNCATED: Final = 13
DROPPED_NOT_OUR_VIA: Final = 14
DROPPED_STRAY_RESPONSE: Final = 15
DROPPED_UNROUTABLE: Final = 16
DROPPED_QUEUE_FULL: Final = 17
# refusals
REFUSED_MALFORMED: Final = 18
REFUSED_TABLE_FULL: Final = 19
LOOKUPS_FULL: Final = 20
REFUSED_MERGED: Final = 21
LOOPS_DETECTED: Final = 22
TOO_MANY_HOPS: Final = 23
RELAYS_REFUSED: Final = 24
FORKS_REFUSED: Final = 25
USERS_UNKNOWN: Final = 26
USERS_UNAVAILABLE: Final = 27
# registrations
REGISTRATIONS_ACCEPTED: Final = 28
REGISTRATIONS_REFUSED: Final = 29
BINDINGS_FULL: Final = 30
BINDINGS_EXPIRED: Final = 31
# authentication
CHALLENGES_SENT: Final = 32
AUTHENTICATION_FAILED: Final = 33
IDENTITY_REFUSED: Final = 34
NONCES_STALE: Final = 35
NONCES_REPLAYED: Final = 36
NONCE_TABLE_FULL: Final = 37
# calls
CALLS_STARTED: Final = 38
CALLS_ANSWERED: Final = 39
CALLS_FAILED: Final = 40
CALLS_CANCELLED: Final = 41
TIMED_OUT: Final = 42
HOPS_FAILED_OVER: Final = 43
# connections
CONNECTIONS_ACCEPTED: Final = 44
CONNECTIONS_OPENED: Final = 45
CONNECTIONS_REFUSED: Final = 46
CONNECTIONS_FAILED: Final = 47
CONNECTIONS_CLOSED_IDLE: Final = 48
CONNECTIONS_CLOSED_PARTIAL: Final = 49
CONNECTIONS_CLOSED_SLOW: Final = 50
CONNECTIONS_CLOSED_MALFORMED: Final = 51
# cluster
HANDED_OVER: Final = 52
HANDED_OVER_RECEIVED: Final = 53
SENT_ON: Final = 54
BUS_MALFORMED: Final = 55
BUS_FULL: Final = 56
REGISTRATIONS_LATE: Final = 57
CALLS_ADOPTED: Final = 58
CALLS_NOT_ADOPTED: Final = 59
CALLS_MOVED: Final = 60
CALLS_UNRECORDED: Final = 61
# trouble
SEND_FAILED: Final = 62
DNS_FAILED: Final = 63
STORE_FAILED: Final = 64
REGISTRATIONS_UNSTORED: Final = 65
# rate limits
RATE_LIMITED_REFUSED: Final = 66
DROPPED_RATE_LIMIT: Final = 67
RATE_LIMITED_COUNTED: Final = 68
# overload
REFUSED_OVERLOAD: Final = 69
REGISTRATIONS_DEFERRED: Final = 70
CONNECTIONS_DISPLACED: Final = 71
# requests that wait for DNS or the database
QUERIES_FULL: Final = 72
WAITING_SHARE_EXCEEDED: Final = 73
# digest
DIGEST_URI_MISMATCHED: Final = 74
# requests that waited too long
DROPPED_EXPIRED: Final = 75
# trouble
SOFTWARE_FAULTS: Final = 76
# forks
BREADTH_EXCEEDED: Final = 77
AUTHENTICATION_REFUSED: Final = 78
HOPS_UNAVAILABLE: Final = 79
# changes of contacts
REGISTRATIONS_LIMITED: Final = 80
# look-ups that failed
FAILED_LOOKUPS_FORGOTTEN: Final = 81
# processes of several versions
BUS_SKIPPED: Final = 82
# the registration table
RECORDS_PERSISTED: Final = 83
PERSISTER_PASSES_LATE: Final = 84
STORE_COMPARISONS: Final = 85
TABLE_WRITERS_KILLED: Final = 86
# events
EVENTS_DROPPED: Final = 87
# route tables
CALLS_ROUTED: Final = 88
ROUTES_REJECTED: Final = 89
# the registration table as workers use it
TABLE_WRITES_DELAYED: Final = 90
REGISTRATIONS_UNREADABLE: Final = 91
# TLS
HANDSHAKES_COMPLETED: Final = 92
HANDSHAKES_RESUMED: Final = 93
HANDSHAKES_FAILED: Final = 94
HANDSHAKES_TIMED_OUT: Final = 95
HANDSHAKES_DISPLACED: Final = 96
HANDSHAKES_NOT_TLS: Final = 97
CERTIFICATES_REFUSED: Final = 98
CERTIFICATE_NAMES_REFUSED: Final = 99
# other nodes
CALLS_WITHOUT_LISTENER: Final = 100
REPLICATION_RECORDS_SENT: Final = 101
REPLICATION_RECORDS_RECEIVED: Final = 102
REPLICATION_RECORDS_REFUSED: Final = 103
REPLICATION_RESENT: Final = 104
REPLICATION_COMPARISONS: Final = 105
REGISTRATIONS_UNREPLICATED: Final = 106
LINKS_LOST: Final = 107
LINKS_REFUSED: Final = 108
LINK_BATCHES_DROPPED: Final = 109
CALL_COPIES_SENT: Final = 110
CALL_COPIES_RECEIVED: Final = 111
CALL_COPIES_DROPPED: Final = 112
CALL_COPIES_REFUSED: Final = 113
# DNS
DNS_ANSWERS_OUTLIVED: Final = 114
# Flows of phones
FLOWS_FAILED: Final = 115
FLOW_TOKENS_REFUSED: Final = 116
# routing
ROUTE_LOOKUPS_FAILED: Final = 117
# other nodes, as workers use them
SENT_BY_NODE: Final = 118
RETURNED_TO_NODE: Final = 119
NODE_RESPONSES_REFUSED: Final = 120
NODE_MESSAGES_DROPPED: Final = 121
NODE_CONNECTIONS_REFUSED: Final = 122
LINK_MESSAGES_SKIPPED: Final = 123
CALLS_UNREPLICATED: Final = 124
# the log
LOG_LINES_LOST: Final = 125
# phones of other nodes
CONNECTIONS_PROBED: Final = 126
# WebSocket
WEB_SOCKETS_OPENED: Final = 127
WEB_SOCKETS_NOT_UPGRADED: Final = 128
WEB_SOCKETS_ORIGIN_REFUSED: Final = 129
WEB_SOCKETS_PROTOCOL_REFUSED: Final = 130
WEB_SOCKETS_REFUSED: Final = 131
WEB_SOCKETS_TIMED_OUT: Final = 132
WEB_SOCKET_FRAMES_MALFORMED: Final = 133
WEB_SOCKET_FRAMES_USELESS: Final = 134
WEB_SOCKET_MESSAGES_TOO_LONG: Final = 135
ROUTE_TABLE_READS: Final = 136
ROUTE_TABLE_READS_FAILED: Final = 137
ROUTE_TABLES_CHANGED: Final = 138
# connections that are used both ways
CONNECTIONS_ALIASED: Final = 139
# keep-alives to registered phones
KEEPALIVES_SENT: Final = 140
KEEPALIVES_ANSWERED: Final = 141
KEEPALIVES_UNANSWERED: Final = 142
KEEPALIVES_SKIPPED: Final = 143
KEEPALIVE_ROUNDS_LATE: Final = 144
KEEPALIVE_CONTACTS_REMOVED: Final = 145
# Pings of our own
WEB_SOCKET_PINGS_SENT: Final = 146
WEB_SOCKETS_UNANSWERED: Final = 147
# datagrams from virtual addresses of other nodes
ADDRESS_OWNER_UNREACHED: Final = 148
DROPPED_ADDRESS_LOST: Final = 149
BUS_UNREACHED: Final = 150


@dataclass(frozen=True, slots=True)
class Counter:
    """`id` is the place in a list of counters, `name` the name shown, `help` one line that says what it counts."""

    id: int
    name: str
    group: str
    help: str

    @property
    def is_drop(self) -> bool:
        """Does it count messages that were dropped without a response?"""
        return self.group == "drops"


GROUPS: Final = {
    "traffic": "Messages received and sent.",
    "drops": "Messages dropped without a response, by reason.",
    "refusals": "Requests rejected by this appliance.",
    "registrations": "Registrations.",
    "authentication": "Challenges and credentials.",
    "calls": "Forwarded requests and their results.",
    "connections": "TCP connections.",
    "cluster": "Messages between the processes of the appliance.",
    "trouble": "Failures of the network, the disk, DNS or the database.",
}

# fmt: off
COUNTERS: Final[tuple[Counter, ...]] = (
    Counter(REQUESTS_RECEIVED, "requests-received", "traffic", "Requests received, retransmissions included."),
    Counter(RESPONSES_RECEIVED, "responses-received", "traffic", "Responses received, retransmissions included."),
    Counter(REQUESTS_SENT, "requests-sent", "traffic", "Requests sent, retransmissions included."),
    Counter(RESPONSES_SENT, "responses-sent", "traffic", "Responses sent, retransmissions included."),
    Counter(UDP_MESSAGES_RECEIVED, "udp-messages-received", "traffic", "UDP datagrams received, of any content."),
    Counter(UDP_MESSAGES_SENT, "udp-messages-sent", "traffic", "UDP datagrams sent."),
    Counter(TCP_MESSAGES_RECEIVED, "tcp-messages-received", "traffic",
    "Complete messages received on TCP connections."),
    Counter(TCP_MESSAGES_SENT, "tcp-messages-sent", "traffic", "Messages sent on TCP connections."),
    Counter(KEEPALIVES_RECEIVED, "keepalives-received", "traffic",
            "Keep-alives received: CRLF over UDP or TCP, STUN over UDP (RFC 5626 3.5)."),
    Counter(RETRANSMISSIONS_RECEIVED, "retransmissions-received", "traffic",
            "Retransmitted requests absorbed by their transaction (RFC 3261 17.2)."),
    Counter(RETRANSMISSIONS_SENT, "retransmissions-sent", "traffic",
            "Messages retransmitted because no response was received (RFC 3261 17.1)."),
    Counter(STRAY_RESPONSES_FORWARDED, "stray-responses-forwarded", "traffic",
            "Responses without a transaction, forwarded statelessly by Via (RFC 3261 16.7)."),
    Counter(DROPPED_MALFORMED, "dropped-malformed", "drops", "Malformed messages that cannot be answered."),
    Counter(DROPPED_TRUNCATED, "dropped-truncated", "drops", "UDP datagrams truncated by the kernel."),
    Counter(DROPPED_NOT_OUR_VIA, "dropped-not-our-via", "drops",
            "Responses whose top Via is not ours (RFC 3261 18.1.2)."),
    Counter(DROPPED_STRAY_RESPONSE, "dropped-stray-response", "drops",
            "Responses that match no request of this appliance."),
    Counter(DROPPED_UNROUTABLE, "dropped-unroutable", "drops",
            "ACK requests and stray responses without a reachable next hop."),
    Counter(DROPPED_QUEUE_FULL, "dropped-queue-full", "drops", "Messages dropped because a queue was full."),
    Counter(REFUSED_MALFORMED, "refused-malformed", "refusals",
            "Malformed requests rejected with 400, 505, 513 or a more specific status."),
    Counter(REFUSED_TABLE_FULL, "refused-table-full", "refusals",
            "Requests rejected with 503 because `limits transactions` was reached."),
    Counter(LOOKUPS_FULL, "lookups-full", "refusals",
            "Requests rejected because `limits lookup waiting` was reached."),
    Counter(REFUSED_MERGED, "refused-merged", "refusals",
            "Merged requests (received over two paths), rejected with 482 (RFC 3261 8.2.2.2)."),
    Counter(LOOPS_DETECTED, "loops-detected", "refusals", "Looped requests, rejected with 482 (RFC 5393)."),
    Counter(TOO_MANY_HOPS, "too-many-hops", "refusals", "Requests with Max-Forwards 0, rejected with 483."),
    Counter(RELAYS_REFUSED, "relays-refused", "refusals",
            "Requests for foreign domains that `relay` does not allow, rejected with 403."),
    Counter(FORKS_REFUSED, "forks-refused", "refusals", "Targets not tried because `proxy targets` was reached."),
    Counter(USERS_UNKNOWN, "users-unknown", "refusals", "Requests for an unknown user, rejected with 404."),
    Counter(USERS_UNAVAILABLE, "users-unavailable", "refusals",
            "Requests for a subscriber without a registration, rejected with 480."),
    Counter(REGISTRATIONS_ACCEPTED, "registrations-accepted", "registrations", "REGISTER requests accepted with 200."),
    Counter(REGISTRATIONS_REFUSED, "registrations-refused", "registrations",
            "REGISTER requests rejected by the registrar."),
    Counter(BINDINGS_FULL, "bindings-full", "registrations",
            "REGISTER requests rejected because `limits bindings` was reached."),
    Counter(BINDINGS_EXPIRED, "bindings-expired", "registrations", "Contacts that expired."),
    Counter(CHALLENGES_SENT, "challenges-sent", "authentication", "Challenges sent (401 and 407)."),
    Counter(AUTHENTICATION_FAILED, "authentication-failed", "authentication",
    "Credentials with an unknown user or a wrong password."),
    Counter(IDENTITY_REFUSED, "identity-refused", "authentication",
            "Requests with the address of another subscriber, rejected with 403."),
    Counter(NONCES_STALE, "nonces-stale", "authentication",
            "Credentials with a nonce that expired, or belongs to another source or node (RFC 7616 3.3)."),
    Counter(NONCES_REPLAYED, "nonces-replayed", "authentication", "Replayed credentials (RFC 7616 5.5)."),
    Counter(NONCE_TABLE_FULL, "nonce-table-full", "authentication",
            "Nonce counts deleted early because `limits nonces` was reached."),
    Counter(CALLS_STARTED, "calls-started", "calls", "INVITE requests forwarded."),
    Counter(CALLS_ANSWERED, "calls-answered", "calls", "INVITE requests with a 2xx response."),
    Counter(CALLS_FAILED, "calls-failed", "calls", "INVITE requests with a final response of 300 or higher."),
    Counter(CALLS_CANCELLED, "calls-cancelled", "calls", "INVITE requests cancelled by the caller."),
    Counter(TIMED_OUT, "timed-out", "calls", "Forwarded requests that timed out (RFC 3261 16.8)."),
    Counter(HOPS_FAILED_OVER, "hops-failed-over", "calls",
            "Failovers to the next hop in the list (RFC 3263 4.3)."),
    Counter(CONNECTIONS_ACCEPTED, "connections-accepted", "connections", "TCP connections opened by peers."),
    Counter(CONNECTIONS_OPENED, "connections-opened", "connections", "TCP connections opened by this appliance."),
    Counter(CONNECTIONS_REFUSED, "connections-refused", "connections",
            "TCP connections rejected because `limits connections` or `limits connection per-source` was reached."),
    Counter(CONNECTIONS_FAILED, "connections-failed", "connections", "TCP connections that could not be opened."),
    Counter(CONNECTIONS_CLOSED_IDLE, "connections-closed-idle", "connections",
            "TCP connections closed after `limits connection idle` or `limits connection unproven`."),
    Counter(CONNECTIONS_CLOSED_PARTIAL, "connections-closed-partial", "connections",
            "TCP connections closed because a message was incomplete after `limits message partial`."),
    Counter(CONNECTIONS_CLOSED_SLOW, "connections-closed-slow", "connections",
            "TCP connections closed because the send queue exceeded `limits connection queue`."),
    Counter(CONNECTIONS_CLOSED_MALFORMED, "connections-closed-malformed", "connections",
            "TCP connections closed because message framing failed."),
    Counter(HANDED_OVER, "handed-over", "cluster", "Messages forwarded to the worker that owns the Call-ID."),
    Counter(HANDED_OVER_RECEIVED, "handed-over-received", "cluster", "Messages received from another worker."),
    Counter(SENT_ON, "sent-on", "cluster", "Messages forwarded to the worker that holds the TCP connection."),
    Counter(BUS_MALFORMED, "bus-malformed", "cluster", "Malformed messages between processes."),
    Counter(BUS_FULL, "bus-full", "cluster", "Messages between processes dropped because their queue was full."),
    Counter(REGISTRATIONS_LATE, "registrations-late", "refusals",
            "REGISTER requests rejected with 503 because the table could not be written within `limits registration "
            "wait`."),
    Counter(CALLS_ADOPTED, "calls-adopted", "cluster",
            "Calls in setup taken over from another worker."),
    Counter(CALLS_NOT_ADOPTED, "calls-not-adopted", "cluster",
            "Calls in setup of another worker not taken over: the table was full, or the caller had retried."),
    Counter(CALLS_MOVED, "calls-moved", "cluster",
            "Calls in setup handed to another worker together with their slots."),
    Counter(CALLS_UNRECORDED, "calls-unrecorded", "cluster",
            "Calls in setup without a stored copy, because `limits recording` was reached."),
    Counter(SEND_FAILED, "send-failed", "trouble", "Messages that could not be sent."),
    Counter(DNS_FAILED, "dns-failed", "trouble", "Requests with a name that DNS could not resolve."),
    Counter(STORE_FAILED, "store-failed", "trouble", "Failed queries to the subscriber database."),
    Counter(REGISTRATIONS_UNSTORED, "registrations-unstored", "refusals",
            "REGISTER requests rejected with 503 because the registration table had no memory left."),
    Counter(RATE_LIMITED_REFUSED, "rate-limited-refused", "refusals",
            "Requests over a rate limit, rejected with 503."),
    Counter(DROPPED_RATE_LIMIT, "dropped-rate-limit", "drops",
            "Requests over a rate limit with action `drop`."),
    Counter(RATE_LIMITED_COUNTED, "rate-limited-counted", "trouble",
            "Requests over a rate limit with action `count`; they were accepted."),
    Counter(REFUSED_OVERLOAD, "refused-overload", "refusals",
            "New requests rejected with 503 by overload control."),
    Counter(REGISTRATIONS_DEFERRED, "registrations-deferred", "refusals",
            "REGISTER requests rejected with 503 and Retry-After by overload control."),
    Counter(CONNECTIONS_DISPLACED, "connections-displaced", "connections",
            "Unproven TCP connections closed in favor of new ones."),
    Counter(QUERIES_FULL, "queries-full", "refusals",
            "Requests rejected because `limits query waiting` was reached."),
    Counter(WAITING_SHARE_EXCEEDED, "waiting-share-exceeded", "refusals",
            "Requests rejected because `limits waiting per-source` or `limits waiting per-subscriber` was reached."),
    Counter(DIGEST_URI_MISMATCHED, "digest-uri-mismatched", "authentication",
            "Credentials whose `uri` is not the Request-URI, rejected with 400 (RFC 7616 3.4.6)."),
    Counter(DROPPED_EXPIRED, "dropped-expired", "drops",
            "Requests dropped after waiting longer than the sender's transaction timeout (RFC 3261 17.1.1.2)."),
    Counter(SOFTWARE_FAULTS, "software-faults", "trouble",
            "Software faults; each lost a message, timer or response."),
    Counter(BREADTH_EXCEEDED, "breadth-exceeded", "refusals",
            "Requests whose Max-Breadth is too small, rejected with 440 (RFC 5393 5.3.3)."),
    Counter(AUTHENTICATION_REFUSED, "authentication-refused", "authentication",
            "Credentials rejected with 503 without a check, after too many failures (`lockout`)."),
    Counter(HOPS_UNAVAILABLE, "hops-unavailable", "calls",
            "Next hops skipped because of an earlier failure, or 503 with Retry-After (RFC 3261 21.5.4)."),
    Counter(REGISTRATIONS_LIMITED, "registrations-limited", "refusals",
            "REGISTER requests rejected with 503 because `registrar changes` was reached."),
    Counter(FAILED_LOOKUPS_FORGOTTEN, "failed-lookups-forgotten", "trouble",
            "Requests rejected after a database failure and forgotten early because the table was full."),
    Counter(BUS_SKIPPED, "bus-skipped", "cluster",
            "Messages between processes skipped because another version of Signalbox sent them."),
    Counter(RECORDS_PERSISTED, "records-persisted", "registrations",
            "Registration records written to disk."),
    Counter(PERSISTER_PASSES_LATE, "persister-passes-late", "trouble",
            "Writes of registrations to disk that took longer than `persist interval`."),
    Counter(STORE_COMPARISONS, "store-comparisons", "trouble",
            "Comparisons of the registrations on disk with those in memory."),
    Counter(TABLE_WRITERS_KILLED, "table-writers-killed", "trouble",
            "Processes killed because they held the lock of the registration table."),
    Counter(EVENTS_DROPPED, "events-dropped", "trouble",
            "Events of calls and registrations not reported because there were more than 500 at once."),
    Counter(CALLS_ROUTED, "calls-routed", "calls",
            "Requests to telephone numbers that the route tables sent to a next hop or redirected."),
    Counter(ROUTES_REJECTED, "routes-rejected", "refusals",
            "Requests to telephone numbers that a `reject` row of a route table rejected."),
    Counter(TABLE_WRITES_DELAYED, "table-writes-delayed", "trouble",
            "Writes to the registration table that were tried again because another process was writing."),
    Counter(REGISTRATIONS_UNREADABLE, "registrations-unreadable", "trouble",
            "Requests rejected with 503 because the registration table was damaged."),
    Counter(HANDSHAKES_COMPLETED, "handshakes-completed", "connections", "TLS handshakes completed, resumed ones too."),
    Counter(HANDSHAKES_RESUMED, "handshakes-resumed", "connections",
            "TLS handshakes that resumed an earlier session (RFC 8446 2.2)."),
    Counter(HANDSHAKES_FAILED, "handshakes-failed", "connections",
            "TLS handshakes that failed, except for the certificate of the peer."),
    Counter(HANDSHAKES_TIMED_OUT, "handshakes-timed-out", "connections",
            "TLS handshakes given up after `tls handshake timeout`."),
    Counter(HANDSHAKES_DISPLACED, "handshakes-displaced", "connections",
            "TLS handshakes given up in favor of new ones because `tls handshakes` was reached."),
    Counter(HANDSHAKES_NOT_TLS, "handshakes-not-tls", "connections",
            "Connections to a TLS port on which the peer sent something else."),
    Counter(CERTIFICATES_REFUSED, "certificates-refused", "connections",
            "Peers whose TLS certificate is not trusted or not valid, or was revoked while they were connected."),
    Counter(CERTIFICATE_NAMES_REFUSED, "certificate-names-refused", "connections",
            "TLS handshakes that failed because the certificate of the peer has another name (RFC 5922 7.3)."),
    Counter(CALLS_WITHOUT_LISTENER, "calls-without-listener", "cluster",
            "Calls in setup of another node not taken over: this node has no listener of that name."),
    Counter(REPLICATION_RECORDS_SENT, "replication-records-sent", "cluster",
            "Registration records sent to other nodes."),
    Counter(REPLICATION_RECORDS_RECEIVED, "replication-records-received", "cluster",
            "Registration records received from other nodes."),
    Counter(REPLICATION_RECORDS_REFUSED, "replication-records-refused", "cluster",
            "Registration records of other nodes not stored: they were damaged, or the table was full."),
    Counter(REPLICATION_RESENT, "replication-resent", "cluster",
            "Times that changes were sent again because another node did not acknowledge them within 2 seconds."),
    Counter(REPLICATION_COMPARISONS, "replication-comparisons", "cluster",
            "Comparisons of the registration table with that of another node."),
    Counter(REGISTRATIONS_UNREPLICATED, "registrations-unreplicated", "cluster",
            "REGISTER requests answered before another node had the registration, after `cluster replication-wait`."),
    Counter(LINKS_LOST, "links-lost", "cluster", "Links to other nodes lost."),
    Counter(LINKS_REFUSED, "links-refused", "cluster",
            "Connections for links refused because their key is not that of a member."),
    Counter(LINK_BATCHES_DROPPED, "link-batches-dropped", "cluster",
            "Messages of other nodes dropped because they belonged to an earlier session, or were damaged."),
    Counter(CALL_COPIES_SENT, "call-copies-sent", "cluster",
            "Copies of calls in setup sent to another node."),
    Counter(CALL_COPIES_RECEIVED, "call-copies-received", "cluster",
            "Copies of calls in setup received from other nodes."),
    Counter(CALL_COPIES_DROPPED, "call-copies-dropped", "cluster",
            "Copies of calls in setup not sent because another node did not take them in time."),
    Counter(CALL_COPIES_REFUSED, "call-copies-refused", "cluster",
            "Calls in setup of other nodes not kept: `cluster call-memory` was reached, or they were old."),
    Counter(DNS_ANSWERS_OUTLIVED, "dns-answers-outlived", "trouble",
            "Failed DNS queries for names whose former answer is used instead (`dns stale`)."),
    Counter(FLOWS_FAILED, "flows-failed", "calls",
            "Requests for a phone whose flow was gone: another flow is tried, or the answer is 430 (RFC 5626 7)."),
    Counter(FLOW_TOKENS_REFUSED, "flow-tokens-refused", "refusals",
            "Requests with a changed flow token in their Route, rejected with 403 (RFC 5626 5.3.1)."),
    Counter(ROUTE_LOOKUPS_FAILED, "route-lookups-failed", "trouble",
            "Requests whose number a lookup could not find because it did not respond (`show lookups`)."),
    Counter(SENT_BY_NODE, "sent-by-node", "cluster",
            "Messages given to another node to be sent by a connection that it holds or from an address that it owns."),
    Counter(RETURNED_TO_NODE, "returned-to-node", "cluster",
            "Responses passed to another node, whose request was sent by this one."),
    Counter(NODE_RESPONSES_REFUSED, "node-responses-refused", "cluster",
            "Messages returned by other nodes that were refused because they were no responses."),
    Counter(NODE_MESSAGES_DROPPED, "node-messages-dropped", "cluster",
            "Messages of one node for another that the link or the process did not take, or no process waited for."),
    Counter(NODE_CONNECTIONS_REFUSED, "node-connections-refused", "cluster",
            "Connections of other nodes that were ignored because 262,144 were known already."),
    Counter(LINK_MESSAGES_SKIPPED, "link-messages-skipped", "cluster",
            "Messages of other nodes skipped because they are of another version of Signalbox."),
    Counter(CALLS_UNREPLICATED, "calls-unreplicated", "cluster",
            "Turns whose messages did not wait longer for another node (`cluster calls wait`, `replication-wait`)."),
    Counter(LOG_LINES_LOST, "log-lines-lost", "trouble",
            "Lines of the log that a host of `logging host` did not take by TCP or TLS (`logging queue`)."),
    Counter(CONNECTIONS_PROBED, "connections-probed", "cluster",
            "Phones of the former owner of a virtual address that were sent a segment, so that they connect anew."),
    Counter(WEB_SOCKETS_OPENED, "web-sockets-opened", "connections", "WebSocket handshakes completed (RFC 6455 4)."),
    Counter(WEB_SOCKETS_NOT_UPGRADED, "web-sockets-not-upgraded", "connections",
            "HTTP requests to a WebSocket port that asked for something else, rejected with 426."),
    Counter(WEB_SOCKETS_ORIGIN_REFUSED, "web-sockets-origin-refused", "connections",
            "WebSocket handshakes rejected with 403 because the web page is not in `origin`."),
    Counter(WEB_SOCKETS_PROTOCOL_REFUSED, "web-sockets-protocol-refused", "connections",
            "WebSocket handshakes rejected with 400 because they did not offer the sub-protocol sip (RFC 7118 4)."),
    Counter(WEB_SOCKETS_REFUSED, "web-sockets-refused", "connections",
            "Connections to a WebSocket port closed because they brought no HTTP, or a wrong handshake."),
    Counter(WEB_SOCKETS_TIMED_OUT, "web-sockets-timed-out", "connections",
            "Connections to a WebSocket port closed because the handshake was not complete in time."),
    Counter(WEB_SOCKET_FRAMES_MALFORMED, "web-socket-frames-malformed", "connections",
            "WebSocket connections closed because of a frame that was not masked or not valid (RFC 6455 5)."),
    Counter(WEB_SOCKET_FRAMES_USELESS, "web-socket-frames-useless", "connections",
            "WebSocket connections closed because of many frames with little or nothing in them."),
    Counter(WEB_SOCKET_MESSAGES_TOO_LONG, "web-socket-messages-too-long", "connections",
            "WebSocket connections closed because a message was longer than `message length`."),
    Counter(ROUTE_TABLE_READS, "route-table-reads", "calls", "Reads of route tables from databases."),
    Counter(ROUTE_TABLE_READS_FAILED, "route-table-reads-failed", "trouble",
            "Reads of route tables from databases that failed, or whose rows were refused (`show route-sources`)."),
    Counter(ROUTE_TABLES_CHANGED, "route-tables-changed", "calls",
            "Route tables put in force because their rows in a database had changed."),
    Counter(CONNECTIONS_ALIASED, "connections-aliased", "connections",
            "TLS connections of peers that are reused for requests to them, as their certificate allows (RFC 5923)."),
    Counter(KEEPALIVES_SENT, "keepalives-sent", "calls", "Keep-alives sent to registered phones."),
    Counter(KEEPALIVES_ANSWERED, "keepalives-answered", "calls",
            "Keep-alives answered with any final response to OPTIONS."),
    Counter(KEEPALIVES_UNANSWERED, "keepalives-unanswered", "calls",
            "Keep-alives that were not answered in time, or not sent because the connection of the phone is closed."),
    Counter(KEEPALIVES_SKIPPED, "keepalives-skipped", "trouble",
            "Keep-alives not sent because too many of them, or of all transactions, were without an answer."),
    Counter(KEEPALIVE_ROUNDS_LATE, "keepalive-rounds-late", "trouble",
            "Rounds of keep-alives that took longer than `keepalive-interval` (`registrar keepalive-rate`)."),
    Counter(KEEPALIVE_CONTACTS_REMOVED, "keepalive-contacts-removed", "calls",
            "Contacts removed because their phone did not answer (`registrar keepalive-failures`)."),
    Counter(WEB_SOCKET_PINGS_SENT, "web-socket-pings-sent", "connections",
            "Pings sent on silent WebSocket connections (`limits connection ping`)."),
    Counter(WEB_SOCKETS_UNANSWERED, "web-sockets-unanswered", "connections",
            "WebSocket connections closed because nothing came after a Ping (RFC 6455 5.5.2)."),
    Counter(ADDRESS_OWNER_UNREACHED, "address-owner-unreached", "cluster",
            "Requests not sent from a virtual address of another node because its owner was unknown or unreachable."),
    Counter(DROPPED_ADDRESS_LOST, "dropped-address-lost", "drops",
            "UDP datagrams that came just before this node lost their virtual address."),
    Counter(BUS_UNREACHED, "bus-unreached", "cluster",
            "Messages between processes dropped because one of the two had ended or did not start in time."),
)
# fmt: on
