"""Every setting, declared once: its name, words, kind, default, effect, help and RFC.

A `Settings` that exists is valid: values out of range and settings that contradict each other are a
ConfigError with all the faults. `Settings()` is what an appliance without a configuration has.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.catalogue.contradictions import contradictions
from appliance.catalogue.errors import ConfigError
from appliance.catalogue.password_hash import SecretHash
from appliance.catalogue.peers import Peer
from appliance.catalogue.setting_declaration import (
    DRAIN,
    LIVE,
    RESTART,
    START,
    name_of_section,
    named_sections,
    section,
    setting,
    value_faults,
)
from appliance.catalogue.value_types import (
    Address,
    Choice,
    Choices,
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
# The standings of a listener: in the configuration; gone from it, with calls that still need it; gone.
OPEN, ENDING, GONE = range(3)


@dataclass(frozen=True, slots=True)
class _Checked:
    def __post_init__(self) -> None:
        faults = value_faults(self)
        if not faults:
            faults = [found.fault_in_code() for found in contradictions(type(self).__name__, self)]
        if faults:
            raise ConfigError(faults)


# ruff: noqa: RUF009 -- `section` and its like make a field; nothing is shared that can change
# fmt: off
@dataclass(frozen=True, slots=True)
class ListenerSettings(_Checked):
    """A local address on which messages come and go. `transports`: 0 UDP, 1 TCP.

    `standing` is no setting: it says whether the listener is still in the configuration (see places.py).
    """

    name: str = name_of_section("local", Name())
    address: str = setting("127.0.0.1", "address", Address(), DRAIN, "The local address to listen on.")
    port: int = setting(5060, "port", Integer(1, 65535), DRAIN, "The local port.", "RFC 3261 18.1.1")
    transports: tuple[int, ...] = setting(
        (0, 1), "transport", Choices(("udp", "tcp"), (0, 1)), DRAIN,
        "What is spoken there; a proxy has to speak both.", "RFC 3261 18")
    role: str = setting(
        "user", "role", Choice(("user",)), LIVE,
        "Which stages a request passes: `user` is a registrar and proxy for phones.")
    authenticate: bool = setting(
        True, "authenticate", Switch(), LIVE,
        "Requests must prove a subscriber's password before they get anywhere. Without it any sender can register any "
        "address.", "RFC 3261 22")
    assert_identity: bool = setting(
        False, "assert-identity", Switch(), LIVE,
        "Put the address that the caller has proved by digest into forwarded requests (P-Asserted-Identity).",
        "RFC 3325 5")
    relay: str = setting(
        "authenticated", "relay", Choice(("none", "authenticated", "any")), LIVE,
        "Who may send requests to foreign domains, and be led there by contacts and redirects: no sender, subscribers "
        "and peers, or any sender (an open relay).",
        "RFC 3261 26.1")
    advertise: str = setting(
        "", "advertise", Host(is_optional=True), DRAIN,
        "The address that peers shall use in its place, where the listener is behind an address translation.",
        "RFC 3261 18.1.1")
    peers: tuple[str, ...] = setting(
        (), "peer", Peer(), LIVE,
        "A trusted previous or next hop: not challenged, free to use foreign domains, and believed what it asserts of "
        "identities. A port is that of datagrams.", is_many=True)
    description: str = setting(DESCRIPTION, "description", REMARK, LIVE, "A remark for those who operate it.")
    is_shut_down: bool = setting(
        False, "shutdown", Switch(), DRAIN, "The listener stays configured, and its sockets are closed.")
    standing: int = field(default=OPEN, metadata={"standing": True})


@dataclass(frozen=True, slots=True)
class OperatorSettings(_Checked):
    """An account of somebody who operates the appliance."""

    name: str = name_of_section("operator", Name())
    description: str = setting(DESCRIPTION, "description", REMARK, LIVE, "A remark for those who operate it.")
    role: str = setting(
        "look", "role", Choice(("look", "admin")), LIVE,
        "What the operator may do: `look` at everything, or, as `admin` after `enable`, change it.")
    secret: str = setting(
        "", "secret", SecretHash(), LIVE,
        "The hash of the password; without one nobody can log in by this name.", "RFC 7914")


@dataclass(frozen=True, slots=True)
class AliasSettings(_Checked):
    """A word of the operators for a command of the shell."""

    name: str = name_of_section("alias", Name())
    command: str = setting(
        "", "command", Text(256, "TEXT"), LIVE,
        "The command at the first prompt, in double quotes; what is typed behind the alias follows it.")


@dataclass(frozen=True, slots=True)
class RateLimitSettings(_Checked):
    """A bound on how many requests of a kind are let in a second, over all workers."""

    name: str = name_of_section("limit", Name())
    description: str = setting(DESCRIPTION, "description", REMARK, LIVE, "A remark for those who operate it.")
    of: str = setting(
        "requests", "of", Choice(("requests", "registrations")), LIVE,
        "What is counted: requests that start something, or REGISTER requests.")
    per: str = setting(
        "source", "per", Choice(("source", "domain", "listener", "total")), LIVE,
        "What has a bucket of its own: each source address, domain of the Request-URI or listener, or all together.")
    rate_per_s: int = setting(
        100, "rate", Integer(1, 1000000, "per second"), LIVE, "How many are let in for each of these, a second.")
    burst: int = setting(
        50, "burst", Integer(1, 1000000), LIVE, "How many may come at once after a pause.")
    action: str = setting(
        "refuse", "action", Choice(("refuse", "drop", "count")), LIVE,
        "What happens to those beyond it: they are answered 503 with Retry-After, dropped, or only counted.",
        "RFC 3261 21.5.4")


@dataclass(frozen=True, slots=True)
class RegistrarSettings(_Checked):
    """Registrations (RFC 3261 10)."""

    expires_min_s: int = setting(
        60, "expires minimum", Integer(1, 86400, "seconds"), LIVE,
        "Shorter registrations are refused with 423.", "RFC 3261 10.3 step 7")
    expires_default_s: int = setting(
        3600, "expires default", Integer(1, 604800, "seconds"), LIVE,
        "How long a registration lasts that does not say.", "RFC 3261 10.3 step 7")
    expires_max_s: int = setting(
        7200, "expires maximum", Integer(1, 604800, "seconds"), LIVE,
        "Longer registrations are shortened to this.", "RFC 3261 10.3 step 7")
    contacts_max: int = setting(
        10, "contacts", Integer(1, 100), LIVE, "Contacts that one address may have at a time.")
    changes_max: int = setting(
        600, "changes", Integer(1, 1000000, "a minute"), LIVE,
        "Contacts that one address may add, refresh and remove in a minute, at each worker; more are refused with 503 "
        "and Retry-After.", "RFC 3261 21.5.4")
    contacts_allowed: tuple[str, ...] = setting(
        (), "contacts-allowed", NetworkOrDomain(), LIVE,
        "A network or domain that contacts may lead to, from any caller; contacts elsewhere are refused with 403. "
        "Without any, all are registered but those at addresses of this machine, and at ports below 1024 of another "
        "address than the REGISTER came from; and a contact that leads elsewhere than where it registered from is "
        "reached only by its connection, or by callers that `relay` allows. Loopback addresses are allowed only on a "
        "listener that is on loopback itself.", "RFC 3261 26.1", is_many=True)
    own_contacts: bool = setting(
        False, "own-contacts", Switch(), LIVE,
        "Accept contacts, and Paths, that name this appliance itself, where `contacts-allowed` lists them: calls to "
        "one address then go on to another one here.", "RFC 5393 3")


@dataclass(frozen=True, slots=True)
class DigestSettings(_Checked):
    """Digest authentication (RFC 7616, RFC 8760)."""

    realm: str = setting(
        "", "realm", Text(128), RESTART,
        "One realm for all domains, which makes them names of one and the same set of subscribers; "
        "without it each domain is a realm of its own. Registrations are kept by realm: phones have to register anew.",
        "RFC 3261 22.1")
    algorithms: tuple[str, ...] = setting(
        ("sha-256", "md5"), "algorithm", Choices(("sha-256", "md5"), ("sha-256", "md5")), LIVE,
        "Algorithms to offer, the preferred one first. Some phones fail when they see one they do not know: offer them "
        "`md5` alone.", "RFC 8760 2.4")
    nonce_lifetime_s: int = setting(
        300, "nonce lifetime", Integer(10, 86400, "seconds"), LIVE,
        "How long a challenge may be answered; after it the client is told to try again.", "RFC 7616 3.3")
    bind_source: bool = setting(
        True, "nonce bind-source", Switch(), LIVE,
        "A challenge is good only for the address to which it was sent; from another one the client is told to try "
        "again. Turn it off for phones whose address changes from request to request.", "RFC 7616 3.3")
    check_uri: bool = setting(
        True, "check-uri", Switch(), LIVE,
        "The `uri` of credentials must be equivalent to the Request-URI, else the request is answered 400. Turn it off "
        "behind a server that rewrites Request-URIs.", "RFC 7616 3.4.6")
    cache_s: int = setting(
        60, "cache", Integer(1, 86400, "seconds"), LIVE,
        "How long the answer of the subscriber database is believed.")


@dataclass(frozen=True, slots=True)
class LockoutSettings(_Checked):
    """What becomes of wrong passwords (RFC 3261 26.1). A source is an IPv4 address or an IPv6 prefix of 64 bits."""

    attempts_max: int = setting(
        5, "attempts", Integer(1, 1000), LIVE,
        "Wrong passwords of one source for one user; beyond them it waits after each, twice as long as before.")
    source_attempts_max: int = setting(
        50, "source-attempts", Integer(1, 100000), LIVE,
        "Wrong passwords of one source for all users; beyond them its passwords are refused with 503 for `time`. "
        "Phones that are registered from there are not.")
    user_attempts_max: int = setting(
        30, "user-attempts", Integer(1, 100000), LIVE,
        "Wrong passwords for one user from all sources; beyond them a source that sends another one is refused for "
        "`time`. A source that sends the right one never is.")
    time_s: int = setting(
        300, "time", Integer(1, 86400, "seconds"), LIVE, "The longest time for which a source is refused.")
    forget_s: int = setting(
        60, "forget", Integer(1, 86400, "seconds"), LIVE, "After each such time one wrong password is forgotten.")


@dataclass(frozen=True, slots=True)
class PasswordSettings(_Checked):
    """Which passwords subscribers may have; those that are stored already are not looked at."""

    length_min: int = setting(
        8, "length", Integer(1, 128, "characters"), LIVE, "The shortest password that is accepted.")
    is_user_name_allowed: bool = setting(
        False, "user-name", Switch(), LIVE, "Accept a password that is the user name, or holds nothing else.")


@dataclass(frozen=True, slots=True)
class ProxySettings(_Checked):
    """Forwarding (RFC 3261 16)."""

    fork: str = setting(
        "by-q", "fork", Choice(("by-q", "parallel", "sequential")), LIVE,
        "How several contacts are tried: those of equal preference together, all together, or one after another.",
        "RFC 3261 16.6")
    targets_max: int = setting(
        20, "targets", Integer(1, 100), LIVE, "Contacts that one request may be forwarded to in all.", "RFC 5393 5")
    max_forwards: int = setting(
        70, "max-forwards", Integer(1, 255), LIVE, "Hops for a request that comes without Max-Forwards.",
        "RFC 3261 16.6 step 3")
    retry_after_max_s: int = setting(
        600, "retry-after maximum", Integer(1, 86400, "seconds"), LIVE,
        "A target that answers 503 with Retry-After gets no new request for that time, and for this time at most.",
        "RFC 3261 21.5.4")
    record_route: bool = setting(
        True, "record-route", Switch(), LIVE, "Stay on the way of later requests of a call.", "RFC 3261 16.6 step 4")
    dialog_lifetime_s: int = setting(
        86400, "dialog lifetime", Integer(60, 2592000, "seconds"), LIVE,
        "How long the Record-Route entry of a call or subscription admits its later requests without authentication; "
        "after it they are treated as new requests. A route set is fixed at set-up, so it cannot be renewed.",
        "RFC 3261 12.2.1.1")
    recurse_on_redirect: bool = setting(
        False, "recurse", Switch(), LIVE, "Follow a 3xx in the caller's place.", "RFC 3261 16.7 step 4")


@dataclass(frozen=True, slots=True)
class TimerSettings(_Checked):
    """Transaction timers (RFC 3261 17)."""

    t1_ms: int = setting(
        500, "t1", Integer(10, 10000, "milliseconds"), LIVE, "Estimate of the round-trip time.", "RFC 3261 17.1.1.1")
    t2_ms: int = setting(
        4000, "t2", Integer(10, 60000, "milliseconds"), LIVE,
        "Longest pause between retransmissions of anything but INVITE requests.", "RFC 3261 17.1.2.2")
    t4_ms: int = setting(
        5000, "t4", Integer(10, 60000, "milliseconds"), LIVE,
        "How long a message may stay in the network.", "RFC 3261 17.1.2.2")
    c_s: int = setting(
        181, "c", Integer(1, 3600, "seconds"), LIVE,
        "How long a call may ring without news before it is given up; the RFC wants more than three minutes.",
        "RFC 3261 16.6 step 11")


@dataclass(frozen=True, slots=True)
class SyntaxSettings(_Checked):
    """The largest messages that are read; larger ones are refused or dropped."""

    message_len_max: int = setting(
        65535, "length", Integer(1300, 1048576, "bytes"), LIVE, "Longest message.", "RFC 3261 18.1.1")
    header_count_max: int = setting(200, "headers", Integer(10, 10000), LIVE, "Header fields of one message.")
    header_len_max: int = setting(
        8192, "header-length", Integer(64, 65535, "bytes"), LIVE, "Longest header field, folds included.")
    uri_len_max: int = setting(2048, "uri-length", Integer(64, 65535, "bytes"), LIVE, "Longest URI.")


@dataclass(frozen=True, slots=True)
class LimitSettings(_Checked):
    """The size of every table and queue, for each worker where nothing else is said."""

    transactions_max: int = setting(
        100000, "transactions", Integer(1, 10000000), LIVE, "Transactions; more are refused with 503.")
    lookups_waiting_max: int = setting(
        10000, "lookup waiting", Integer(1, 1000000), LIVE, "Requests that wait for DNS; more are refused.")
    queries_waiting_max: int = setting(
        10000, "query waiting", Integer(1, 1000000), LIVE,
        "Requests that wait for the subscriber database; more are refused.")
    waiting_per_source_max: int = setting(
        2000, "waiting per-source", Integer(1, 1000000), LIVE,
        "Requests of one source (an IPv4 address, an IPv6 prefix of 64 bits) that wait for DNS, and as many for the "
        "database; more are refused. Trusted peers are not bounded by it.")
    waiting_per_subscriber_max: int = setting(
        100, "waiting per-subscriber", Integer(1, 1000000), LIVE,
        "Requests of one subscriber that wait for DNS, and as many for the database; more are refused.")
    bindings_max: int = setting(
        1000000, "bindings", Integer(1, 10000000), LIVE, "Registered contacts of the whole appliance.")
    nonces_max: int = setting(
        1000000, "nonces", Integer(1, 100000000), START,
        "Uses of challenges that the whole node remembers, so that each is accepted once; each takes 16 to 32 octets. "
        "At the limit the oldest are forgotten, and their phones are challenged anew.", "RFC 7616 5.4")
    subscribers_cached_max: int = setting(
        100000, "subscribers cached", Integer(1, 10000000), LIVE, "Subscribers remembered from the database.")
    hosts_cached_max: int = setting(
        10000, "hosts cached", Integer(1, 1000000), LIVE, "Host names remembered from DNS.")
    unavailable_hops_max: int = setting(
        10000, "unavailable", Integer(1, 1000000), LIVE,
        "Targets remembered that asked for a pause by 503 with Retry-After; at the limit the oldest is forgotten.")
    lookups_max: int = setting(
        100, "lookups", Integer(1, 10000), LIVE,
        "Questions to DNS at a time; the names of one source have three quarters of them at most.")
    lookup_timeout_ms: int = setting(
        3000, "lookup timeout", Integer(10, 60000, "milliseconds"), LIVE, "How long DNS may take for one answer.")
    queries_max: int = setting(
        100, "queries", Integer(1, 10000), LIVE,
        "Questions to the subscriber database at a time; the users of one source have three quarters of them at most.")
    query_timeout_ms: int = setting(
        3000, "query timeout", Integer(10, 60000, "milliseconds"), LIVE,
        "How long the subscriber database may take for one answer.")
    connections_max: int = setting(
        10000, "connections", Integer(1, 1000000), LIVE,
        "TCP connections; at the limit a new one takes the place of one that has proved nothing, or is closed at once. "
        "The limit of open files (RLIMIT_NOFILE) may allow less.")
    connections_per_source_max: int = setting(
        500, "connection per-source", Integer(1, 1000000), LIVE,
        "TCP connections that one source may have at each worker, an IPv6 /64 counting as one. Peers may have more.")
    connect_timeout_ms: int = setting(
        5000, "connection timeout", Integer(10, 60000, "milliseconds"), LIVE,
        "How long opening a TCP connection may take.")
    connection_idle_s: int = setting(
        900, "connection idle", Integer(1, 86400, "seconds"), LIVE,
        "A TCP connection on which nothing came for so long is closed.", "RFC 3261 18")
    connection_unproven_s: int = setting(
        60, "connection unproven", Integer(1, 86400, "seconds"), LIVE,
        "The same for a connection on which nothing was accepted yet: no registration, no call. Keep-alives do not "
        "count.")
    connection_queue_kib: int = setting(
        1024, "connection queue", Integer(1, 1048576, "KiB"), LIVE,
        "Bytes waiting for a peer that does not read; more and the connection is closed.")
    partial_message_s: int = setting(
        15, "message partial", Integer(1, 3600, "seconds"), LIVE,
        "How long a message may take to arrive on a TCP connection, from its first byte to its last.")
    replication_wait_ms: int = setting(
        500, "replication wait", Integer(1, 10000, "milliseconds"), LIVE,
        "How long the answer to a REGISTER waits until every worker has the change.")
    recording_mib: int = setting(
        64, "recording", Integer(1, 4096, "MiB"), START,
        "Memory in which calls that are being set up are recorded, so that another worker can go on with them; "
        "each takes 1 to 4 KiB.")
    receive_buffer_kib: int = setting(
        4096, "receive buffer", Integer(64, 1048576, "KiB"), LIVE, "Datagrams the kernel keeps for a socket, at most.")


@dataclass(frozen=True, slots=True)
class OverloadSettings(_Checked):
    """What is done when more comes than can be done: new requests are refused, calls that are up go on."""

    delay_target_ms: int = setting(
        20, "delay target", Integer(1, 10000, "milliseconds"), LIVE,
        "How long a message may have waited to be read; more for a while, and a part of the new requests is refused.",
        "RFC 6357")
    delay_limit_ms: int = setting(
        150, "delay limit", Integer(1, 10000, "milliseconds"), LIVE,
        "Beyond this delay every new request is refused, until it is shorter again.")
    retry_after_min_s: int = setting(
        1, "retry-after minimum", Integer(1, 3600, "seconds"), LIVE, "When a refused sender may try again.",
        "RFC 3261 20.33")
    retry_after_max_s: int = setting(
        60, "retry-after maximum", Integer(1, 3600, "seconds"), LIVE,
        "Registrations that are refused are told different times, up to this one.", "RFC 3261 20.33")
    requests_per_source: int = setting(
        500, "requests per-source", Integer(1, 1000000, "per second", zero_word="unlimited"), LIVE,
        "Requests that one source may start, over all workers (rate limit `default-requests`), and twice as many at "
        "once; more are refused with 503. Loopback sources and peers are not limited.", "RFC 3261 21.5.4")
    registrations_per_source: int = setting(
        100, "registrations per-source", Integer(1, 1000000, "per second", zero_word="unlimited"), LIVE,
        "The same for REGISTER requests (rate limit `default-registrations`).", "RFC 3261 21.5.4")


@dataclass(frozen=True, slots=True)
class SupervisionSettings(_Checked):
    """How workers are fed, watched, restarted and stopped."""

    steering: bool = setting(
        True, "steering", Switch(), LIVE,
        "Let the kernel give each datagram to the worker that owns its Call-ID; without it, the workers pass them on.")
    heartbeat_ms: int = setting(
        200, "heartbeat", Integer(10, 10000, "milliseconds"), LIVE,
        "How often a worker shows that it lives; every fifth time, or once a second, it tells its counters as well.")
    hang_ms: int = setting(
        700, "hang", Integer(50, 60000, "milliseconds"), LIVE,
        "A worker that has been silent for so long, and not for want of a processor, is ended; its calls go to others.")
    start_timeout_s: int = setting(
        30, "start timeout", Integer(1, 600, "seconds"), LIVE, "How long a worker may take to start.")
    restart_delay_min_ms: int = setting(
        200, "restart delay minimum", Integer(0, 60000, "milliseconds"), LIVE,
        "The pause before a dead worker is started again; it doubles with every death that follows soon.")
    restart_delay_max_ms: int = setting(
        30000, "restart delay maximum", Integer(1, 600000, "milliseconds"), LIVE, "The longest such pause.")
    drain_s: int = setting(
        32, "drain", Integer(0, 3600, "seconds"), LIVE,
        "How long a worker that is drained may take to finish what it has.", "RFC 3261 17.1.1.2")
    stop_s: int = setting(
        5, "stop", Integer(1, 600, "seconds"), LIVE, "How long a worker may take to stop; after it, it is killed.")


@dataclass(frozen=True, slots=True)
class JournalSettings(_Checked):
    """How registrations are kept in the state folder."""

    segment_kib: int = setting(
        16384, "segment", Integer(16, 1048576, "KiB"), LIVE,
        "Changes that one file holds; when it is full the live registrations are written anew and old files go.")
    sync_ms: int = setting(
        200, "sync", Integer(0, 60000, "milliseconds"), LIVE,
        "How often changes are forced to the disk: what a power cut may lose. A crash of the appliance loses nothing.")
    pace_kib_per_s: int = setting(
        8192, "pace", Integer(64, 1048576, "KiB"), LIVE,
        "The most that is written a second while they are written anew.")


@dataclass(frozen=True, slots=True)
class Settings(_Checked):
    """All settings of one appliance. `workers` 0: one for each processor, found out when it starts."""

    hostname: str = setting("signalbox", "hostname", Name(), LIVE, "What its operators call this appliance.")
    workers: int = setting(
        0, "workers", Integer(1, WORKERS_MAX, zero_word="auto"), LIVE,
        "Worker processes; `auto` is one for each processor.")
    domains: tuple[str, ...] = setting(
        (), "domain", Host(is_bracketed=True), LIVE,
        "A domain whose subscribers are served here. The addresses of the listeners are domains, too.",
        "RFC 3261 16.5", is_many=True)
    subscribers_url: str = setting(
        "", "subscribers database", DatabaseUrl(), RESTART,
        "Where the subscribers are; without it, a SQLite file in the state folder. A worker opens it when it starts.")
    listeners: tuple[ListenerSettings, ...] = named_sections(
        ListenerSettings, (ListenerSettings(),), "listener", DRAIN,
        "A local address and what is done with what comes there. Without any, one named `local` listens on 127.0.0.1.")
    logging_level: str = setting(
        "info", "logging level", Choice(("debug", "info", "warning", "error")), LIVE,
        "The least of what is written to the log.")
    logging_hosts: tuple[str, ...] = setting(
        (), "logging host", Address(), LIVE,
        "A host that gets the log by syslog, UDP port 514.", "RFC 5424", is_many=True)
    logging_buffered: int = setting(
        100, "logging buffered", Integer(1, 10000, "lines"), LIVE, "Lines that `show logging` shows by default.")
    timezone: str = setting(
        "", "clock timezone", TimeZone(), LIVE,
        "The time zone of all times shown and logged, such as Europe/Berlin or UTC; without it, that of the machine.")
    enable_secret: str = setting(
        "", "enable secret", SecretHash(), LIVE,
        "The hash of what has to be typed after `enable`; without one, it is not asked for.", "RFC 7914")
    exec_timeout_min: int = setting(
        10, "exec-timeout", Integer(0, 35791, "minutes"), LIVE,
        "How long a session may be idle before it is ended; 0 is for ever.")
    operators: tuple[OperatorSettings, ...] = named_sections(
        OperatorSettings, (), "operator", LIVE,
        "An account for the control socket. Root and the user the appliance runs as need none.")
    banner: tuple[str, ...] = setting(
        (), "banner", Text(200, "TEXT"), LIVE, "A line shown before a login, in double quotes.", is_many=True)
    aliases: tuple[AliasSettings, ...] = named_sections(
        AliasSettings, (), "alias", LIVE, "A word that stands for a command of the shell.")
    rate_limits: tuple[RateLimitSettings, ...] = named_sections(
        RateLimitSettings, (), "rate-limit", LIVE,
        "A bound on what is let in each second; the sum over all workers keeps to it.")
    registrar: RegistrarSettings = section(RegistrarSettings(), "registrar", "Registrations.")
    digest: DigestSettings = section(DigestSettings(), "digest", "Authentication by password.")
    lockout: LockoutSettings = section(LockoutSettings(), "lockout", "How guessing of passwords is slowed and refused.")
    passwords: PasswordSettings = section(PasswordSettings(), "passwords", "Which passwords subscribers may have.")
    proxy: ProxySettings = section(ProxySettings(), "proxy", "Forwarding.")
    timers: TimerSettings = section(TimerSettings(), "timers", "Transaction timers.")
    syntax: SyntaxSettings = section(SyntaxSettings(), "message", "The largest messages that are read.")
    limits: LimitSettings = section(LimitSettings(), "limits", "Sizes of tables and queues, for each worker.")
    overload: OverloadSettings = section(OverloadSettings(), "overload", "What is refused when too much comes.")
    supervision: SupervisionSettings = section(
        SupervisionSettings(), "supervision", "How workers are watched and restarted.")
    journal: JournalSettings = section(
        JournalSettings(), "journal", "How registrations are kept over a restart.")
# fmt: on
