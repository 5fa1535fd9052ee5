"""How much of everything there may be, and at which rate requests are accepted."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.catalogue import choices
from appliance.catalogue.checked_settings import CheckedSettings
from appliance.catalogue.setting_declaration import LIVE, START, name_of_section, setting
from appliance.catalogue.value_types import Integer, Name, Remark


# fmt: off
@dataclass(frozen=True, slots=True)
class RateLimitSettings(CheckedSettings):
    """A limit on the rate of requests, over all workers."""

    name: str = name_of_section("limit", Name())
    description: str = setting("", "description", Remark(80), LIVE, "A description for operators.")
    of: str = setting("requests", "of", choices.COUNTED, LIVE, "The requests that count.")
    per: str = setting("source", "per", choices.BUCKET, LIVE, "What has a token bucket of its own.")
    rate_per_s: int = setting(100, "rate", Integer(1, 1000000, "per second"), LIVE, "Requests accepted per second.")
    burst: int = setting(50, "burst", Integer(1, 1000000), LIVE, "Requests accepted in one burst.")
    action: str = setting(
        "refuse", "action", choices.LIMIT_ACTION, LIVE,
        "The action for requests over the limit.", "RFC 3261 21.5.4")


@dataclass(frozen=True, slots=True)
class LimitSettings(CheckedSettings):
    """The size of every table and queue, per worker unless stated otherwise."""

    transactions_max: int = setting(
        100000, "transactions", Integer(1, 10000000), LIVE,
        "Maximum number of transactions; more are rejected with 503.")
    lookups_waiting_max: int = setting(
        10000, "lookup waiting", Integer(1, 1000000), LIVE, "Requests waiting for DNS; more are rejected.")
    queries_waiting_max: int = setting(
        10000, "query waiting", Integer(1, 1000000), LIVE,
        "Requests waiting for the subscriber database; more are rejected.")
    waiting_per_source_max: int = setting(
        2000, "waiting per-source", Integer(1, 1000000), LIVE,
        "Requests of one source (an IPv4 address or an IPv6 /64) waiting for DNS, and as many waiting for the "
        "database; more are rejected. Does not apply to peers.")
    waiting_per_subscriber_max: int = setting(
        100, "waiting per-subscriber", Integer(1, 1000000), LIVE,
        "Requests of one subscriber waiting for DNS, and as many waiting for the database; more are rejected.")
    bindings_max: int = setting(
        1000000, "bindings", Integer(1, 10000000), LIVE,
        "Maximum number of registered contacts of the whole appliance.")
    nonces_max: int = setting(
        1000000, "nonces", Integer(1, 100000000), START,
        "Nonce counts stored by the whole node to detect replays, 16 to 32 octets each. At the limit the oldest "
        "entries are deleted, and their phones are challenged again.", "RFC 7616 5.4")
    subscribers_cached_max: int = setting(
        100000, "subscribers cached", Integer(1, 10000000), LIVE, "Subscribers in the cache of the database.")
    hosts_cached_max: int = setting(10000, "hosts cached", Integer(1, 1000000), LIVE, "Host names in the DNS cache.")
    unavailable_hops_max: int = setting(
        10000, "unavailable", Integer(1, 1000000), LIVE,
        "Entries for targets that failed, or answered 503 with Retry-After; at the limit the oldest is deleted.")
    route_counts_max: int = setting(
        0, "routing counters", Integer(1, 1000000, zero_word="off"), LIVE,
        "Entries of route tables whose calls each worker counts, for `show routing counters`. Further entries are "
        "counted together.")
    lookups_max: int = setting(
        100, "lookups", Integer(1, 10000), LIVE,
        "Concurrent DNS queries; at most three quarters for the requests of one source.")
    lookup_timeout_ms: int = setting(
        3000, "lookup timeout", Integer(10, 60000, "milliseconds"), LIVE, "Timeout of a DNS query.")
    queries_max: int = setting(
        100, "queries", Integer(1, 10000), LIVE,
        "Concurrent queries to the subscriber database; at most three quarters for the requests of one source.")
    query_timeout_ms: int = setting(
        3000, "query timeout", Integer(10, 60000, "milliseconds"), LIVE,
        "Timeout of a query to the subscriber database.")
    connections_max: int = setting(
        10000, "connections", Integer(1, 1000000), LIVE,
        "Maximum number of TCP connections. At the limit a new connection replaces an unproven one, or is closed at "
        "once. The limit of open files (RLIMIT_NOFILE) can reduce it.")
    connections_per_source_max: int = setting(
        500, "connection per-source", Integer(1, 1000000), LIVE,
        "Maximum number of TCP connections per source address or IPv6 /64, at each worker. Does not apply to peers.")
    connect_timeout_ms: int = setting(
        5000, "connection timeout", Integer(10, 60000, "milliseconds"), LIVE, "Timeout of a TCP connection attempt.")
    connection_idle_s: int = setting(
        900, "connection idle", Integer(1, 86400, "seconds"), LIVE, "Idle timeout of a TCP connection.", "RFC 3261 18")
    web_socket_ping_s: int = setting(
        60, "connection ping", Integer(5, 3600, "seconds", zero_word="off"), LIVE,
        "The silence after which a WebSocket connection is sent a Ping. It is closed if nothing comes in 15 seconds.",
        "RFC 6455 5.5.2")
    connection_unproven_s: int = setting(
        60, "connection unproven", Integer(1, 86400, "seconds"), LIVE,
        "Idle timeout of a TCP connection without an accepted registration or call. Keep-alives do not count.")
    connection_queue_kib: int = setting(
        1024, "connection queue", Integer(1, 1048576, "KiB"), LIVE,
        "Send queue of a TCP connection, at most 64 KiB while it is unproven; if it exceeds this size, it is closed.")
    partial_message_s: int = setting(
        15, "message partial", Integer(1, 3600, "seconds"), LIVE,
        "Maximum time from the first to the last byte of a message on a TCP connection.")
    registration_wait_ms: int = setting(
        500, "registration wait", Integer(1, 10000, "milliseconds"), LIVE,
        "Maximum delay of the response to REGISTER while another process writes to the registration table; then 503.")
    recording_mib: int = setting(
        64, "recording", Integer(1, 4096, "MiB"), START,
        "Shared memory for the state of calls in setup, so that another worker can take them over; 1 to 4 KiB per "
        "call.")
    receive_buffer_kib: int = setting(
        4096, "receive buffer", Integer(64, 1048576, "KiB"), LIVE,
        "Receive buffer of each UDP socket. A running appliance gets no more than the sysctl net.core.rmem_max allows; "
        "after a restart it gets all of it where it has CAP_NET_ADMIN.")
# fmt: on
