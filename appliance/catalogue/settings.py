"""Every setting, declared once: its name, words, kind, default, effect, help and RFC.

A `Settings` that exists is valid: values out of range and settings that contradict each other are a
ConfigError with all the faults. `Settings()` is what an appliance without a configuration has.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.catalogue import choices
from appliance.catalogue.certificate_settings import CertificateSettings, TlsSettings
from appliance.catalogue.checked_settings import CheckedSettings
from appliance.catalogue.cluster_settings import ClusterSettings, NodeSettings, VirtualAddressSettings
from appliance.catalogue.dns_settings import DnsSettings
from appliance.catalogue.lookup_settings import LookupSettings
from appliance.catalogue.outbound_settings import OutboundSettings
from appliance.catalogue.overload_settings import OverloadSettings
from appliance.catalogue.password_hash import SecretHash
from appliance.catalogue.peers import Peer
from appliance.catalogue.routing_settings import DomainRouteSettings, RoutePolicySettings
from appliance.catalogue.setting_declaration import (
    DRAIN,
    LIVE,
    RESTART,
    START,
    name_of_section,
    named_sections,
    section,
    setting,
)
from appliance.catalogue.snmp_settings import SnmpSettings
from appliance.catalogue.translation_settings import TranslationSettings
from appliance.catalogue.transports import SIP_PORT, TCP, UDP
from appliance.catalogue.value_types import (
    Address,
    DatabaseUrl,
    Host,
    Integer,
    Name,
    NetworkOrDomain,
    Remark,
    Switch,
    Text,
    TimeZone,
)

WORKERS_MAX = 64
DESCRIPTION, REMARK = "", Remark(80)
# The states of a listener: configured; removed, with calls that still need it; closed.
OPEN, ENDING, GONE = range(3)


# ruff: noqa: RUF009 -- `section` and its like make a field; nothing is shared that can change
# fmt: off
@dataclass(frozen=True, slots=True)
class ListenerSettings(CheckedSettings):
    """A local address, with a role. `standing`, no setting, is the state of its place (listener_ids.py)."""

    name: str = name_of_section("local", Name())
    address: str = setting("127.0.0.1", "address", Address(), DRAIN, "The local address to listen on.")
    port: int = setting(SIP_PORT, "port", Integer(1, 65535), DRAIN, "The local port.", "RFC 3261 18.1.1")
    transports: tuple[int, ...] = setting(
        (UDP, TCP), "transport", choices.TRANSPORTS, DRAIN,
        "The transports of the listener. A proxy must support UDP and TCP. TLS needs a port without TCP.",
        "RFC 3261 18")
    role: str = setting("user", "role", choices.LISTENER_ROLE, LIVE, "The processing stages that apply to a request.")
    authenticate: bool = setting(
        True, "authenticate", Switch(), LIVE,
        "Require digest authentication of requests. Without it, any sender can register any address.", "RFC 3261 22")
    assert_identity: bool = setting(
        False, "assert-identity", Switch(), LIVE,
        "Add the authenticated address of the caller to forwarded requests (P-Asserted-Identity).", "RFC 3325 5")
    relay: str = setting(
        "authenticated", "relay", choices.RELAY, LIVE,
        "Senders whose requests are forwarded to foreign domains, including through contacts and redirects.",
        "RFC 3261 26.1")
    advertise: str = setting(
        "", "advertise", Host(is_optional=True), DRAIN,
        "The address to put into Via and Record-Route instead of the local one, for a listener behind NAT.",
        "RFC 3261 18.1.1")
    certificates: tuple[str, ...] = setting(
        (), "certificate", Name(), LIVE,
        "A certificate of the listener, by the name of its section; TLS requires one.", "RFC 3261 26.3.1", is_many=True)
    client_certificate: str = setting(
        "none", "client-certificate", choices.CLIENT_CERTIFICATE, LIVE,
        "Certificates of clients, which `tls trust` must vouch for.", "RFC 5922 7.4")
    peers: tuple[str, ...] = setting(
        (), "peer", Peer(), LIVE,
        "A trusted neighbor: its requests are not challenged, may go to foreign domains, and may assert identities "
        "(RFC 3325). A port applies to UDP only.", is_many=True)
    description: str = setting(DESCRIPTION, "description", REMARK, LIVE, "A description for operators.")
    is_shut_down: bool = setting(
        False, "shutdown", Switch(), DRAIN, "Close the sockets of the listener; its configuration is kept.")
    standing: int = field(default=OPEN, metadata={"standing": True})


@dataclass(frozen=True, slots=True)
class OperatorSettings(CheckedSettings):
    """An account of an operator."""

    name: str = name_of_section("operator", Name())
    description: str = setting(DESCRIPTION, "description", REMARK, LIVE, "A description for operators.")
    role: str = setting("view", "role", choices.OPERATOR_ROLE, LIVE, "The rights of the operator.")
    secret: str = setting(
        "", "secret", SecretHash(), LIVE,
        "The hash of the password. Without it, login by password is disabled for this account.", "RFC 7914")


@dataclass(frozen=True, slots=True)
class AliasSettings(CheckedSettings):
    """A short name for a command."""

    name: str = name_of_section("alias", Name())
    command: str = setting(
        "", "command", Text(256, "TEXT"), LIVE,
        "The exec command, in double quotes. Words typed after the alias are appended.")


@dataclass(frozen=True, slots=True)
class RateLimitSettings(CheckedSettings):
    """A limit on the rate of requests, over all workers."""

    name: str = name_of_section("limit", Name())
    description: str = setting(DESCRIPTION, "description", REMARK, LIVE, "A description for operators.")
    of: str = setting("requests", "of", choices.COUNTED, LIVE, "The requests that count.")
    per: str = setting("source", "per", choices.BUCKET, LIVE, "What has a token bucket of its own.")
    rate_per_s: int = setting(100, "rate", Integer(1, 1000000, "per second"), LIVE, "Requests accepted per second.")
    burst: int = setting(50, "burst", Integer(1, 1000000), LIVE, "Requests accepted in one burst.")
    action: str = setting(
        "refuse", "action", choices.LIMIT_ACTION, LIVE,
        "The action for requests over the limit.", "RFC 3261 21.5.4")


@dataclass(frozen=True, slots=True)
class RegistrarSettings(CheckedSettings):
    """Registrations (RFC 3261 10)."""

    expires_min_s: int = setting(
        60, "expires minimum", Integer(1, 86400, "seconds"), LIVE,
        "The minimum lifetime. Shorter requests are rejected with 423.", "RFC 3261 10.3 step 7")
    expires_default_s: int = setting(
        3600, "expires default", Integer(1, 604800, "seconds"), LIVE,
        "The lifetime if the REGISTER request has none.", "RFC 3261 10.3 step 7")
    expires_max_s: int = setting(
        7200, "expires maximum", Integer(1, 604800, "seconds"), LIVE,
        "The maximum lifetime. Longer requests are reduced to it.", "RFC 3261 10.3 step 7")
    contacts_max: int = setting(10, "contacts", Integer(1, 100), LIVE, "The maximum number of contacts per address.")
    changes_max: int = setting(
        600, "changes", Integer(1, 1000000, "per minute"), LIVE,
        "The maximum number of contacts that one address adds, refreshes and removes per minute, at each worker. More "
        "are rejected with 503 and Retry-After.", "RFC 3261 21.5.4")
    contacts_allowed: tuple[str, ...] = setting(
        (), "contacts-allowed", NetworkOrDomain(), LIVE,
        "A network or domain in which contacts are accepted; other contacts are rejected with 403. By default, "
        "contacts at addresses of this machine are rejected, and so are contacts at a port below 1024 of an address "
        "other than the source of the REGISTER request. By default, a contact at an address other than that source is "
        "reached only over its own connection, or by callers that `relay` allows. Loopback contacts are accepted only "
        "on a loopback listener.", "RFC 3261 26.1", is_many=True)
    own_contacts: bool = setting(
        False, "own-contacts", Switch(), LIVE,
        "Accept Contact and Path values that point to this appliance, if `contacts-allowed` lists them. Calls to one "
        "address are then forwarded to another address of this appliance.", "RFC 5393 3")


@dataclass(frozen=True, slots=True)
class DigestSettings(CheckedSettings):
    """Digest authentication (RFC 7616, RFC 8760)."""

    realm: str = setting(
        "", "realm", Text(128), RESTART,
        "One realm for all domains: they then share one set of subscribers. By default, each domain is its own realm. "
        "Registrations are stored by realm: after a change, phones must register again.", "RFC 3261 22.1")
    algorithms: tuple[str, ...] = setting(
        ("sha-256", "md5"), "algorithm", choices.ALGORITHMS, LIVE,
        "Digest algorithms to offer, the preferred one first. Some phones fail on an unknown algorithm: use `md5` "
        "alone for them.", "RFC 8760 2.4")
    nonce_lifetime_s: int = setting(
        300, "nonce lifetime", Integer(10, 86400, "seconds"), LIVE,
        "The lifetime of a nonce. After it, the client is challenged again with `stale=true`.", "RFC 7616 3.3")
    bind_source: bool = setting(
        True, "nonce bind-source", Switch(), LIVE,
        "Bind each nonce to the source address of the request. Credentials from another address are challenged again "
        "with `stale=true`. Turn this off for phones whose address changes between requests.", "RFC 7616 3.3")
    check_uri: bool = setting(
        True, "check-uri", Switch(), LIVE,
        "Require that the `uri` of credentials is equivalent to the Request-URI; otherwise the request is rejected "
        "with 400. Turn this off behind a server that rewrites Request-URIs.", "RFC 7616 3.4.6")
    cache_s: int = setting(
        60, "cache", Integer(1, 86400, "seconds"), LIVE, "How long an answer of the subscriber database is cached.")


@dataclass(frozen=True, slots=True)
class LockoutSettings(CheckedSettings):
    """Limits on failed authentication (RFC 3261 26.1). A source is an IPv4 address or an IPv6 prefix of 64 bits."""

    attempts_max: int = setting(
        5, "attempts", Integer(1, 1000), LIVE,
        "Failed attempts of one source for one user. After each further failure the source is blocked for this user, "
        "each time for twice as long.")
    source_attempts_max: int = setting(
        50, "source-attempts", Integer(1, 100000), LIVE,
        "Failed attempts of one source for all users. Beyond them, credentials from the source are rejected with 503 "
        "for `time`, except for phones registered from it.")
    user_attempts_max: int = setting(
        30, "user-attempts", Integer(1, 100000), LIVE,
        "Failed attempts for one user from all sources. Beyond them, each source that fails once more is blocked for "
        "`time`. Correct passwords are accepted.")
    time_s: int = setting(300, "time", Integer(1, 86400, "seconds"), LIVE, "The maximum time a source is blocked.")
    forget_s: int = setting(
        60, "forget", Integer(1, 86400, "seconds"), LIVE,
        "The number of failed attempts decreases by one in each such interval.")


@dataclass(frozen=True, slots=True)
class PasswordSettings(CheckedSettings):
    """The password policy for subscribers; stored passwords are not checked."""

    length_min: int = setting(8, "length", Integer(1, 128, "characters"), LIVE, "The minimum length of a new password.")
    is_user_name_allowed: bool = setting(
        False, "user-name", Switch(), LIVE, "Accept a password that equals or repeats the user name.")


@dataclass(frozen=True, slots=True)
class ProxySettings(CheckedSettings):
    """Forwarding (RFC 3261 16)."""

    fork: str = setting(
        "by-q", "fork", choices.FORK, LIVE,
        "The order in which contacts are tried.", "RFC 3261 16.6")
    targets_max: int = setting(
        20, "targets", Integer(1, 100), LIVE,
        "The maximum number of contacts to which one request is forwarded.", "RFC 5393 5")
    target_timeout_s: int = setting(
        20, "target timeout", Integer(1, 3600, "seconds", zero_word="off"), LIVE,
        "The time for which a contact, or a group of equal q, may ring while there is another one to try. It is then "
        "cancelled, and the next is tried. With `off` and for the last one, timer C applies.", "RFC 3261 16.6")
    next_hop_timeout_s: int = setting(
        5, "next-hop timeout", Integer(1, 32, "seconds"), LIVE,
        "The time for a next hop of a route to answer an INVITE with any response while there is another one to try.",
        "RFC 3263 4.3")
    next_hop_pause_s: int = setting(
        30, "next-hop pause", Integer(1, 3600, "seconds", zero_word="off"), LIVE,
        "How long a next hop that failed is tried after the other ones of its domain or route.", "RFC 3263 4.3")
    max_forwards: int = setting(
        70, "max-forwards", Integer(1, 255), LIVE, "Max-Forwards for requests that have none.", "RFC 3261 16.6 step 3")
    retry_after_max_s: int = setting(
        600, "retry-after maximum", Integer(1, 86400, "seconds"), LIVE,
        "The maximum time for which Retry-After in a 503 from a target is honored.", "RFC 3261 21.5.4")
    record_route: bool = setting(
        True, "record-route", Switch(), LIVE,
        "Add Record-Route, to stay in the path of later requests of a dialog.", "RFC 3261 16.6 step 4")
    dialog_lifetime_s: int = setting(
        86400, "dialog lifetime", Integer(60, 2592000, "seconds"), LIVE,
        "How long in-dialog requests are accepted without authentication on the strength of our Record-Route entry. "
        "After it they are treated as new requests. A route set cannot change, so the time cannot be extended.",
        "RFC 3261 12.2.1.1")
    recurse_on_redirect: bool = setting(
        False, "recurse", Switch(), LIVE,
        "Recurse on 3xx responses instead of forwarding them to the caller.", "RFC 3261 16.7 step 4")


@dataclass(frozen=True, slots=True)
class TimerSettings(CheckedSettings):
    """Transaction timers (RFC 3261 17)."""

    t1_ms: int = setting(
        500, "t1", Integer(10, 10000, "milliseconds"), LIVE,
        "Estimate of the round-trip time (T1).", "RFC 3261 17.1.1.1")
    t2_ms: int = setting(
        4000, "t2", Integer(10, 60000, "milliseconds"), LIVE,
        "Maximum retransmit interval of non-INVITE requests (T2).", "RFC 3261 17.1.2.2")
    t4_ms: int = setting(
        5000, "t4", Integer(10, 60000, "milliseconds"), LIVE,
        "Maximum time a message remains in the network (T4).", "RFC 3261 17.1.2.2")
    c_s: int = setting(
        181, "c", Integer(1, 3600, "seconds"), LIVE,
        "Timer C: the call is cancelled if no provisional response arrives for this time. The RFC requires more than 3 "
        "minutes.", "RFC 3261 16.6 step 11")


@dataclass(frozen=True, slots=True)
class SyntaxSettings(CheckedSettings):
    """Limits on message size; larger messages are rejected or dropped."""

    message_len_max: int = setting(
        65535, "length", Integer(1300, 1048576, "bytes"), LIVE, "Maximum message length.", "RFC 3261 18.1.1")
    header_count_max: int = setting(
        200, "headers", Integer(10, 10000), LIVE, "Maximum number of header fields per message.")
    header_len_max: int = setting(
        8192, "header-length", Integer(64, 65535, "bytes"), LIVE, "Maximum length of a header field, folds included.")
    uri_len_max: int = setting(2048, "uri-length", Integer(64, 65535, "bytes"), LIVE, "Maximum URI length.")


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
        "Receive buffer of each UDP socket; the kernel can reduce it.")


@dataclass(frozen=True, slots=True)
class SupervisionSettings(CheckedSettings):
    """How workers are supervised and restarted."""

    steering: bool = setting(
        True, "steering", Switch(), LIVE,
        "The kernel delivers each datagram to the worker that owns its Call-ID. Without it, workers forward datagrams "
        "to each other.")
    heartbeat_ms: int = setting(
        200, "heartbeat", Integer(10, 10000, "milliseconds"), LIVE,
        "Interval of worker heartbeats. Counters are sent with every fifth heartbeat, or once a second.")
    hang_ms: int = setting(
        700, "hang", Integer(50, 60000, "milliseconds"), LIVE,
        "A worker without a heartbeat for this time is killed, unless it lacked processor time. Other workers take "
        "over its calls.")
    start_timeout_s: int = setting(30, "start timeout", Integer(1, 600, "seconds"), LIVE, "Timeout of a worker start.")
    restart_delay_min_ms: int = setting(
        200, "restart delay minimum", Integer(0, 60000, "milliseconds"), LIVE,
        "Delay before a failed worker is restarted; it doubles with every failure in a row.")
    restart_delay_max_ms: int = setting(
        30000, "restart delay maximum", Integer(1, 600000, "milliseconds"), LIVE, "Maximum delay before a restart.")
    drain_s: int = setting(
        32, "drain", Integer(0, 3600, "seconds"), LIVE,
        "Maximum time for a drained worker to finish its transactions.", "RFC 3261 17.1.1.2")
    stop_s: int = setting(
        5, "stop", Integer(1, 600, "seconds"), LIVE, "Maximum time for a worker to stop; then it is killed.")


@dataclass(frozen=True, slots=True)
class PersistSettings(CheckedSettings):
    """How registrations are written to disk."""

    interval_ms: int = setting(
        200, "interval", Integer(10, 60000, "milliseconds"), LIVE,
        "Interval between writes to disk: the most that a power failure can lose. A crash of the appliance loses "
        "nothing.")


@dataclass(frozen=True, slots=True)
class Settings(CheckedSettings):
    """All settings of one appliance. `workers` 0: one for each processor, found out when it starts."""

    hostname: str = setting("signalbox", "hostname", Name(), LIVE, "The name of this appliance.")
    workers: int = setting(
        0, "workers", Integer(1, WORKERS_MAX, zero_word="auto"), LIVE,
        "Number of worker processes; `auto` is one per processor.")
    domains: tuple[str, ...] = setting(
        (), "domain", Host(is_bracketed=True), LIVE,
        "A domain that this appliance serves. The addresses of the listeners are domains, too.",
        "RFC 3261 16.5", is_many=True)
    subscribers_url: str = setting(
        "", "subscribers database", DatabaseUrl(), RESTART,
        "The subscriber database; by default, a SQLite file in the state folder.")
    listeners: tuple[ListenerSettings, ...] = named_sections(
        ListenerSettings, (ListenerSettings(),), "listener", DRAIN,
        "A local address and the rules for its traffic. By default, `local` listens on 127.0.0.1.")
    logging_level: str = setting(
        "info", "logging level", choices.LOG_LEVEL, LIVE, "The minimum severity of log messages.")
    logging_hosts: tuple[str, ...] = setting(
        (), "logging host", Address(), LIVE, "A syslog server, UDP port 514.", "RFC 5424", is_many=True)
    logging_buffered: int = setting(
        100, "logging buffered", Integer(1, 10000, "lines"), LIVE, "Lines that `show logging` shows by default.")
    timezone: str = setting(
        "", "clock timezone", TimeZone(), LIVE,
        "The time zone of displayed and logged times, such as Europe/Berlin or UTC; by default, that of the machine.")
    enable_secret: str = setting(
        "", "enable secret", SecretHash(), LIVE,
        "The hash of the enable secret. Without it, `enable` asks for none.", "RFC 7914")
    exec_timeout_min: int = setting(
        10, "exec-timeout", Integer(0, 35791, "minutes"), LIVE, "Idle timeout of a session; 0 is no timeout.")
    operators: tuple[OperatorSettings, ...] = named_sections(
        OperatorSettings, (), "operator", LIVE,
        "An operator account. Root and the user that runs the appliance need none.")
    banner: tuple[str, ...] = setting(
        (), "banner", Text(200, "TEXT"), LIVE, "A line displayed before login, in double quotes.", is_many=True)
    aliases: tuple[AliasSettings, ...] = named_sections(
        AliasSettings, (), "alias", LIVE, "A short name for a command.")
    rate_limits: tuple[RateLimitSettings, ...] = named_sections(
        RateLimitSettings, (), "rate-limit", LIVE, "A limit on the rate of requests, over all workers.")
    route_policies: tuple[RoutePolicySettings, ...] = named_sections(
        RoutePolicySettings, (), "route-policy", LIVE, "Routing of calls to telephone numbers.")
    translations: tuple[TranslationSettings, ...] = named_sections(
        TranslationSettings, (), "translation", LIVE, "Changes to numbers and header fields on the way to a next hop.")
    lookups: tuple[LookupSettings, ...] = named_sections(
        LookupSettings, (), "lookup", LIVE, "A database or server that is asked where a number is.")
    domain_routes: tuple[DomainRouteSettings, ...] = named_sections(
        DomainRouteSettings, (), "domain-route", LIVE, "Routing of requests for domains that are served elsewhere.")
    certificates: tuple[CertificateSettings, ...] = named_sections(
        CertificateSettings, (), "certificate", LIVE, "A certificate with its private key, for TLS.")
    virtual_addresses: tuple[VirtualAddressSettings, ...] = named_sections(
        VirtualAddressSettings, (), "virtual-address", DRAIN, "Addresses that one node of the cluster owns at a time.")
    nodes: tuple[NodeSettings, ...] = named_sections(
        NodeSettings, (), "node", DRAIN, "What is one node's own in a cluster.")
    cluster: ClusterSettings = section(ClusterSettings(), "cluster", "The times of the leases of virtual addresses.")
    tls: TlsSettings = section(TlsSettings(), "tls", "TLS, for all listeners.")
    registrar: RegistrarSettings = section(RegistrarSettings(), "registrar", "Registrations.")
    digest: DigestSettings = section(DigestSettings(), "digest", "Digest authentication.")
    lockout: LockoutSettings = section(LockoutSettings(), "lockout", "Protection against password guessing.")
    passwords: PasswordSettings = section(PasswordSettings(), "passwords", "Password policy for subscribers.")
    proxy: ProxySettings = section(ProxySettings(), "proxy", "Forwarding.")
    timers: TimerSettings = section(TimerSettings(), "timers", "Transaction timers.")
    syntax: SyntaxSettings = section(SyntaxSettings(), "message", "Limits on message size.")
    limits: LimitSettings = section(LimitSettings(), "limits", "Sizes of tables and queues, per worker.")
    dns: DnsSettings = section(DnsSettings(), "dns", "How long answers of DNS are used.")
    outbound: OutboundSettings = section(OutboundSettings(), "outbound", "Flows that phones keep open.")
    overload: OverloadSettings = section(OverloadSettings(), "overload", "Overload control.")
    supervision: SupervisionSettings = section(
        SupervisionSettings(), "supervision", "How workers are supervised and restarted.")
    persist: PersistSettings = section(PersistSettings(), "persist", "How registrations are written to disk.")
    snmp: SnmpSettings = section(SnmpSettings(), "snmp", "The SNMP agent; it is off without `listen` and `target`.")
# fmt: on
