"""Every counter, declared once: its number, its name, what it says.

Hot code counts by `counters[DROPPED_MALFORMED] += 1` in a list of its own, one for each worker;
whoever shows counters adds the lists up and takes the names from `COUNTERS`. A number is the place
in that list. It may change from one version to the next, a name may not.

Groups: `traffic` (what came and went), `drops` (thrown away without an answer), `refusals`
(answered with an error by this appliance), `registrations`, `authentication`, `calls`,
`connections`, `cluster` (between workers) and `trouble` (the world failed).
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
REPLICATION_LATE: Final = 57
CALLS_ADOPTED: Final = 58
CALLS_NOT_ADOPTED: Final = 59
CALLS_MOVED: Final = 60
CALLS_UNRECORDED: Final = 61
# trouble
SEND_FAILED: Final = 62
DNS_FAILED: Final = 63
STORE_FAILED: Final = 64
JOURNAL_FAILED: Final = 65
# rate limits
RATE_LIMITED_REFUSED: Final = 66
DROPPED_RATE_LIMIT: Final = 67
RATE_LIMITED_COUNTED: Final = 68
# overload
REFUSED_OVERLOAD: Final = 69
REGISTRATIONS_DEFERRED: Final = 70
CONNECTIONS_DISPLACED: Final = 71
# requests that wait for the world
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


@dataclass(frozen=True, slots=True)
class Counter:
    """`id` is the place in a list of counters, `name` what operators see, `help` one line on what it says."""

    id: int
    name: str
    group: str
    help: str

    @property
    def is_drop(self) -> bool:
        """Does it count messages that were thrown away without an answer?"""
        return self.group == "drops"


# fmt: off
COUNTERS: Final[tuple[Counter, ...]] = (
    Counter(REQUESTS_RECEIVED, "requests-received", "traffic", "Requests that could be read, retransmissions too."),
    Counter(RESPONSES_RECEIVED, "responses-received", "traffic", "Responses that could be read, retransmissions too."),
    Counter(REQUESTS_SENT, "requests-sent", "traffic", "Requests sent, retransmissions too."),
    Counter(RESPONSES_SENT, "responses-sent", "traffic", "Responses sent, retransmissions too."),
    Counter(UDP_MESSAGES_RECEIVED, "udp-messages-received", "traffic", "Datagrams that came in, whatever was in them."),
    Counter(UDP_MESSAGES_SENT, "udp-messages-sent", "traffic", "Datagrams given to the kernel."),
    Counter(TCP_MESSAGES_RECEIVED, "tcp-messages-received", "traffic", "Whole messages read from TCP connections."),
    Counter(TCP_MESSAGES_SENT, "tcp-messages-sent", "traffic", "Messages written to TCP connections."),
    Counter(KEEPALIVES_RECEIVED, "keepalives-received", "traffic",
            "Keep-alives: empty lines by UDP or TCP (RFC 5626 3.5.1)."),
    Counter(RETRANSMISSIONS_RECEIVED, "retransmissions-received", "traffic",
            "Requests received again and absorbed by their transaction (RFC 3261 17.2)."),
    Counter(RETRANSMISSIONS_SENT, "retransmissions-sent", "traffic",
            "Messages sent again because no answer had come (RFC 3261 17.1)."),
    Counter(STRAY_RESPONSES_FORWARDED, "stray-responses-forwarded", "traffic",
            "Responses without a transaction, forwarded by their Via (RFC 3261 16.7)."),
    Counter(DROPPED_MALFORMED, "dropped-malformed", "drops", "Messages that could neither be read nor answered."),
    Counter(DROPPED_TRUNCATED, "dropped-truncated", "drops", "Datagrams that the kernel had cut short."),
    Counter(DROPPED_NOT_OUR_VIA, "dropped-not-our-via", "drops",
            "Responses whose top Via is not ours (RFC 3261 18.1.2)."),
    Counter(DROPPED_STRAY_RESPONSE, "dropped-stray-response", "drops",
            "Responses to nothing this appliance has sent."),
    Counter(DROPPED_UNROUTABLE, "dropped-unroutable", "drops",
            "ACKs and stray responses whose next hop cannot be found or reached."),
    Counter(DROPPED_QUEUE_FULL, "dropped-queue-full", "drops", "Messages for which a queue had no room."),
    Counter(REFUSED_MALFORMED, "refused-malformed", "refusals",
            "Malformed requests answered with 400, 505, 513 or another status that says why."),
    Counter(REFUSED_TABLE_FULL, "refused-table-full", "refusals",
            "Requests answered with 503 because `transactions` was reached."),
    Counter(LOOKUPS_FULL, "lookups-full", "refusals",
            "Requests refused because `lookup waiting` was reached."),
    Counter(REFUSED_MERGED, "refused-merged", "refusals",
            "Requests that came twice on different ways, answered with 482 (RFC 3261 8.2.2.2)."),
    Counter(LOOPS_DETECTED, "loops-detected", "refusals", "Requests in a loop, answered with 482 (RFC 5393)."),
    Counter(TOO_MANY_HOPS, "too-many-hops", "refusals", "Requests with Max-Forwards 0, answered with 483."),
    Counter(RELAYS_REFUSED, "relays-refused", "refusals",
            "Requests for foreign domains that `relay` forbids, answered with 403."),
    Counter(FORKS_REFUSED, "forks-refused", "refusals", "Targets left out because `targets` was reached."),
    Counter(USERS_UNKNOWN, "users-unknown", "refusals", "Requests for a user nobody knows, answered with 404."),
    Counter(USERS_UNAVAILABLE, "users-unavailable", "refusals",
            "Requests for a subscriber without a registration, answered with 480."),
    Counter(REGISTRATIONS_ACCEPTED, "registrations-accepted", "registrations", "REGISTER requests answered with 200."),
    Counter(REGISTRATIONS_REFUSED, "registrations-refused", "registrations",
            "REGISTER requests the registrar answered with an error."),
    Counter(BINDINGS_FULL, "bindings-full", "registrations",
            "REGISTER requests refused because `bindings` was reached."),
    Counter(BINDINGS_EXPIRED, "bindings-expired", "registrations", "Contacts whose time ran out."),
    Counter(CHALLENGES_SENT, "challenges-sent", "authentication", "Answers 401 and 407."),
    Counter(AUTHENTICATION_FAILED, "authentication-failed", "authentication", "Wrong user names and wrong passwords."),
    Counter(IDENTITY_REFUSED, "identity-refused", "authentication",
            "Subscribers who tried to use the address of somebody else, answered with 403."),
    Counter(NONCES_STALE, "nonces-stale", "authentication",
            "Credentials whose nonce was too old, for another source, or not of this node (RFC 7616 3.3)."),
    Counter(NONCES_REPLAYED, "nonces-replayed", "authentication", "Credentials used a second time (RFC 7616 5.5)."),
    Counter(NONCE_TABLE_FULL, "nonce-table-full", "authentication",
            "Uses of nonces forgotten early because `nonces` was reached."),
    Counter(CALLS_STARTED, "calls-started", "calls", "INVITE requests forwarded."),
    Counter(CALLS_ANSWERED, "calls-answered", "calls", "INVITE requests that got a 2xx."),
    Counter(CALLS_FAILED, "calls-failed", "calls", "INVITE requests that got a final response from 300 on."),
    Counter(CALLS_CANCELLED, "calls-cancelled", "calls", "INVITE requests taken back by CANCEL."),
    Counter(TIMED_OUT, "timed-out", "calls", "Forwarded requests that nobody answered in time (RFC 3261 16.8)."),
    Counter(HOPS_FAILED_OVER, "hops-failed-over", "calls",
            "Next hops given up for the next one in the list (RFC 3263 4.3)."),
    Counter(CONNECTIONS_ACCEPTED, "connections-accepted", "connections", "TCP connections that peers opened."),
    Counter(CONNECTIONS_OPENED, "connections-opened", "connections", "TCP connections opened by this appliance."),
    Counter(CONNECTIONS_REFUSED, "connections-refused", "connections",
            "TCP connections closed at once because `connections` or `connection per-source` was reached."),
    Counter(CONNECTIONS_FAILED, "connections-failed", "connections", "TCP connections that could not be opened."),
    Counter(CONNECTIONS_CLOSED_IDLE, "connections-closed-idle", "connections",
            "TCP connections closed because nothing came for `connection idle` or `connection unproven`."),
    Counter(CONNECTIONS_CLOSED_PARTIAL, "connections-closed-partial", "connections",
            "TCP connections closed because a message was not complete after `message partial`."),
    Counter(CONNECTIONS_CLOSED_SLOW, "connections-closed-slow", "connections",
            "TCP connections closed because the peer did not read what was sent (`connection queue`)."),
    Counter(CONNECTIONS_CLOSED_MALFORMED, "connections-closed-malformed", "connections",
            "TCP connections closed because the stream could not be cut into messages."),
    Counter(HANDED_OVER, "handed-over", "cluster", "Messages given to the worker that owns their Call-ID."),
    Counter(HANDED_OVER_RECEIVED, "handed-over-received", "cluster", "Messages taken over from another worker."),
    Counter(SENT_ON, "sent-on", "cluster", "Messages given to the worker that holds their TCP connection."),
    Counter(BUS_MALFORMED, "bus-malformed", "cluster", "Messages between processes that could not be read."),
    Counter(BUS_FULL, "bus-full", "cluster", "Messages between processes dropped because their queue was full."),
    Counter(REPLICATION_LATE, "replication-late", "cluster",
            "REGISTER requests answered before every worker had the change (`replication wait`)."),
    Counter(CALLS_ADOPTED, "calls-adopted", "cluster",
            "Calls that were being set up by another worker, and went on here."),
    Counter(CALLS_NOT_ADOPTED, "calls-not-adopted", "cluster",
            "Calls of another worker that could not go on here: no room, or the caller had already tried again."),
    Counter(CALLS_MOVED, "calls-moved", "cluster",
            "Calls that were being set up here, and went on in the worker that took over their slots."),
    Counter(CALLS_UNRECORDED, "calls-unrecorded", "cluster",
            "Calls whose setting up no other worker could go on with: the recording was full."),
    Counter(SEND_FAILED, "send-failed", "trouble", "Messages the kernel or the connection would not send."),
    Counter(DNS_FAILED, "dns-failed", "trouble", "Host names that could not be looked up."),
    Counter(STORE_FAILED, "store-failed", "trouble", "Questions the subscriber database could not answer."),
    Counter(JOURNAL_FAILED, "journal-failed", "trouble",
            "Registrations that could not be written to the state folder."),
    Counter(RATE_LIMITED_REFUSED, "rate-limited-refused", "refusals",
            "Requests answered with 503 because a rate limit was exceeded."),
    Counter(DROPPED_RATE_LIMIT, "dropped-rate-limit", "drops",
            "Requests beyond a rate limit whose action is `drop`."),
    Counter(RATE_LIMITED_COUNTED, "rate-limited-counted", "trouble",
            "Requests beyond a rate limit whose action is `count`: they were let in."),
    Counter(REFUSED_OVERLOAD, "refused-overload", "refusals",
            "New requests answered with 503 because messages had to wait too long."),
    Counter(REGISTRATIONS_DEFERRED, "registrations-deferred", "refusals",
            "Those of them that were registrations, each told when to come again."),
    Counter(CONNECTIONS_DISPLACED, "connections-displaced", "connections",
            "TCP connections that had proved nothing and were closed to make room."),
    Counter(QUERIES_FULL, "queries-full", "refusals",
            "Requests refused because `query waiting` was reached."),
    Counter(WAITING_SHARE_EXCEEDED, "waiting-share-exceeded", "refusals",
            "Requests refused because `waiting per-source` or `waiting per-subscriber` was reached."),
    Counter(DIGEST_URI_MISMATCHED, "digest-uri-mismatched", "authentication",
            "Credentials made for another URI than the Request-URI, answered with 400 (RFC 7616 3.4.6)."),
    Counter(DROPPED_EXPIRED, "dropped-expired", "drops",
            "Requests that had waited for the database until their sender gave up (RFC 3261 17.1.1.2)."),
    Counter(SOFTWARE_FAULTS, "software-faults", "trouble",
            "Messages, timers and answers lost to a fault in the software; requests are answered 500."),
    Counter(BREADTH_EXCEEDED, "breadth-exceeded", "refusals",
            "Requests whose Max-Breadth does not suffice for their contacts, answered with 440 (RFC 5393 5.3.3)."),
    Counter(AUTHENTICATION_REFUSED, "authentication-refused", "authentication",
            "Credentials refused with 503 unread because too many wrong ones had come before (`lockout`)."),
    Counter(HOPS_UNAVAILABLE, "hops-unavailable", "calls",
            "Next hops not tried because they had asked for a pause by 503 with Retry-After (RFC 3261 21.5.4)."),
    Counter(REGISTRATIONS_LIMITED, "registrations-limited", "refusals",
            "REGISTER requests answered with 503 because one address had reached `changes`."),
)
# fmt: on
