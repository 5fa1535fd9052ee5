"""Every setting, declared once: its name, words, kind, default, effect, help and RFC.

A `Settings` that exists is valid: values out of range and settings that contradict each other are a
ConfigError with all the faults. `Settings()` is what an appliance without a configuration has.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.catalogue import choices
from appliance.catalogue.authentication_settings import DigestSettings, LockoutSettings, PasswordSettings
from appliance.catalogue.certificate_settings import CertificateSettings, TlsSettings
from appliance.catalogue.checked_settings import CheckedSettings
from appliance.catalogue.cluster_settings import ClusterSettings, NodeSettings, VirtualAddressSettings
from appliance.catalogue.condition_settings import ConditionSettings
from appliance.catalogue.dns_settings import DnsSettings
from appliance.catalogue.limit_settings import LimitSettings, RateLimitSettings
from appliance.catalogue.lookup_settings import LookupSettings
from appliance.catalogue.machine_values import InterfaceLine, LogHost
from appliance.catalogue.operator_settings import AliasSettings, OperatorSettings
from appliance.catalogue.outbound_settings import OutboundSettings
from appliance.catalogue.overload_settings import OverloadSettings
from appliance.catalogue.password_hash import SecretHash
from appliance.catalogue.peers import Peer
from appliance.catalogue.proxy_settings import ProxySettings, SyntaxSettings, TimerSettings
from appliance.catalogue.region_settings import RegionSettings
from appliance.catalogue.registrar_settings import PersistSettings, RegistrarSettings
from appliance.catalogue.route_table_settings import RouteTableSettings
from appliance.catalogue.routing_settings import DomainRouteSettings, RoutePolicySettings
from appliance.catalogue.setting_declaration import (
    DRAIN,
    LIVE,
    RESTART,
    name_of_section,
    named_sections,
    section,
    setting,
)
from appliance.catalogue.snmp_settings import SnmpSettings
from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.catalogue.translation_settings import TranslationSettings
from appliance.catalogue.transports import SIP_PORT, TCP, UDP
from appliance.catalogue.value_types import Address, DatabaseUrl, Host, Integer, Name, Remark, Switch, Text, TimeZone
from appliance.catalogue.web_origin import WebOrigin

WORKERS_MAX = 64
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
        "The transports of the listener. A proxy must support UDP and TCP. Of tcp, tls, ws and wss a port has one.",
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
    relay_private: bool = setting(
        False, "relay-private-networks", Switch(), LIVE,
        "Let these senders, peers aside, name hosts in private networks (RFC 1918, RFC 4193, RFC 6598, link-local). A "
        "listener at such an address always does, unless `advertise` names another one.")
    advertise: str = setting(
        "", "advertise", Host(is_optional=True), DRAIN,
        "The address to put into Via and Record-Route instead of the local one, for a listener behind NAT.",
        "RFC 3261 18.1.1")
    certificates: tuple[str, ...] = setting(
        (), "certificate", Name(), LIVE,
        "A certificate of the listener, by the name of its section; tls and wss require one.", "RFC 3261 26.3.1",
        is_many=True)
    client_certificate: str = setting(
        "none", "client-certificate", choices.CLIENT_CERTIFICATE, LIVE,
        "Certificates of clients, which `tls trust` must vouch for.", "RFC 5922 7.4")
    origins: tuple[str, ...] = setting(
        (), "origin", WebOrigin(), LIVE,
        "The web pages whose phones may connect by ws or wss; by default, all. Phones that are no pages have none.",
        "RFC 6455 10.2", is_many=True)
    peers: tuple[str, ...] = setting(
        (), "peer", Peer(), LIVE,
        "A trusted neighbor: its requests are not challenged, may go to foreign domains, and may assert identities "
        "(RFC 3325). A port applies to UDP only.", is_many=True)
    description: str = setting("", "description", Remark(80), LIVE, "A description for operators.")
    is_shut_down: bool = setting(
        False, "shutdown", Switch(), DRAIN, "Close the sockets of the listener; its configuration is kept.")
    standing: int = field(default=OPEN, metadata={"standing": True})




























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
        (), "logging host", LogHost(), LIVE,
        "A syslog server, by default at UDP port 514; TCP has port 601, TLS 6514. `tls trust` holds for TLS.",
        "RFC 5424, 5425, 5426, 6587", is_many=True)
    logging_queue_max: int = setting(
        2000, "logging queue", Integer(10, 100000, "lines"), LIVE,
        "Lines that wait in each process for a syslog server that is not reached by TCP or TLS; then the oldest go.")
    logging_buffered: int = setting(
        100, "logging buffered", Integer(1, 10000, "lines"), LIVE, "Lines that `show logging` shows by default.")
    timezone: str = setting(
        "", "clock timezone", TimeZone(), LIVE,
        "The time zone of displayed and logged times, such as Europe/Berlin or UTC; by default, that of the machine.")
    interfaces: tuple[str, ...] = setting(
        (), "interface", InterfaceLine(), LIVE,
        "An address or default gateway of a network interface, where the machine was made from the disk image. "
        "Elsewhere the network is the host's.", is_many=True)
    name_servers: tuple[str, ...] = setting(
        (), "name-server", Address(), LIVE, "A DNS server of the machine, where it was made from the disk image.",
        is_many=True)
    ntp_servers: tuple[str, ...] = setting(
        (), "ntp server", Host(), LIVE, "An NTP server of the machine, where it was made from the disk image.",
        "RFC 5905", is_many=True)
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
    conditions: tuple[ConditionSettings, ...] = named_sections(
        ConditionSettings, (), "condition", LIVE, "To which calls rows of route tables apply.")
    regions: tuple[RegionSettings, ...] = named_sections(
        RegionSettings, (), "region", LIVE, "A part of the routes with operators of its own.")
    route_tables: tuple[RouteTableSettings, ...] = named_sections(
        RouteTableSettings, (), "route-table", LIVE, "A route table whose rows are read from a database.")
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
