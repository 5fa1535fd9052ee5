"""Next hops are told from other hosts by their addresses, whatever the names (docs/routing.md)."""

from __future__ import annotations

import pytest

from appliance.catalogue.routing_settings import DomainRouteSettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.routing.gateways import (
    ASKED_AT_ONCE_MAX,
    FRESH_S,
    RETRY_S,
    SILENCES_MAX,
    Gateways,
    GatewayUnknown,
)
from appliance.routing.host_cache import HostCache
from appliance.routing.lookup_questions import HostAnswer, LookupHost, LookupServers, Question
from appliance.routing.next_hops import NextHops
from appliance.routing.route_csv import read_csv
from appliance.routing.route_rows import COLUMNS
from appliance.routing.route_tables import RouteTables
from appliance.routing.server_cache import ServerCache
from appliance.routing.server_location import LocationUnknown
from appliance.sip.siphash import SipHash
from appliance.transport.flow import UDP, Flow

NOW = 1000.0
SETTINGS = Settings()
LISTENER = ListenerSettings(name="main", address="192.0.2.1")
NEVER = float("inf")


def tables(*actions: str) -> RouteTables:
    rows = [f"default,+{number},{action}" for number, action in enumerate(actions)]
    return RouteTables(memoryview(read_csv([",".join(COLUMNS), *rows]).octets()))


def gateways(*actions: str, hops: tuple[str, ...] = ()) -> Gateways:
    found = Gateways()
    found.use((DomainRouteSettings("partner.example", next_hops=hops),), tables(*actions) if actions else None)
    return found


class Dns:
    """What is kept of DNS, and what of it failed."""

    def __init__(self) -> None:
        self.hosts, self.servers = HostCache(SETTINGS), ServerCache(SETTINGS)
        self.next_hops = NextHops((LISTENER,), self.hosts, self.servers, SipHash(bytes(16)))
        self.failed: set[Question] = set()

    def host(self, name: bytes, *addresses: str, ttl_s: float = 60.0) -> None:
        self.hosts.keep(LookupHost(name), HostAnswer(1, addresses, False, ttl_s), NOW)

    def records(self, record_type: bytes, name: bytes, *records: str) -> None:
        question = LookupServers(record_type, name)
        self.servers.keep(question, question.answer_of(records, 60.0), NOW)


def left(found: Gateways, *addresses: str, dns: Dns | None = None, now: float = NOW) -> list[str]:
    known = dns or Dns()
    hops = [Flow(UDP, 0, (address, 5060)) for address in addresses]
    return [hop.remote[0] for hop in found.without(hops, known.next_hops, now, known.failed)]


def test_addresses_of_rows_and_of_domains_are_gateways() -> None:
    found = gateways(
        "sip:192.0.2.7:5070;transport=tcp",
        "sips:[2001:DB8:0::7]",
        "redirect sip:192.0.2.9",
        "reject 403",
        hops=("sip:192.0.2.8",),
    )
    addresses = ("192.0.2.7", "192.0.2.8", "192.0.2.9", "2001:db8::7", "::ffff:192.0.2.7")
    assert left(found, *addresses) == ["192.0.2.9"]


def test_a_name_is_asked_for_first_and_stands_for_what_dns_said_last() -> None:
    dns, found = Dns(), gateways("sip:GW.example.net:5060")
    with pytest.raises(GatewayUnknown) as unknown:
        left(found, "192.0.2.7", dns=dns)
    assert unknown.value.questions == [LookupHost(b"gw.example.net")]
    dns.host(b"gw.example.net", "192.0.2.7", "192.0.2.8", ttl_s=5.0)
    assert left(found, "192.0.2.7", "192.0.2.8", "192.0.2.9", dns=dns) == ["192.0.2.9"]
    assert left(found, "192.0.2.7", dns=dns, now=NOW + 3600) == []


def test_all_servers_of_a_domain_are_gateways() -> None:
    """RFC 3263 4.1, 4.2: those for long requests, and those that most calls do not choose."""
    dns, found = Dns(), gateways("sip:gw.example.net")
    dns.records(b"NAPTR", b"gw.example.net")
    dns.records(b"SRV", b"_sip._udp.gw.example.net", *(f"1 1 5060 udp{each}.example.net" for each in range(12)))
    dns.records(b"SRV", b"_sip._tcp.gw.example.net", "1 1 5060 tcp.example.net")
    for each in range(12):
        dns.host(b"udp%d.example.net" % each, f"192.0.2.{100 + each}")
    with pytest.raises(GatewayUnknown) as unknown:
        left(found, "192.0.2.7", dns=dns)
    assert unknown.value.questions == [LookupHost(b"tcp.example.net")]
    dns.host(b"tcp.example.net", "192.0.2.7")
    dns.host(b"gw.example.net", "192.0.2.9")
    servers = [f"192.0.2.{100 + each}" for each in range(12)]
    assert left(found, "192.0.2.7", "192.0.2.9", *servers, dns=dns) == ["192.0.2.9"]


def test_a_name_that_dns_does_not_know_is_asked_for_once_a_minute() -> None:
    dns, found = Dns(), gateways("sip:gw.example.net:5060")
    dns.failed = {LookupHost(b"gw.example.net")}
    assert left(found, "192.0.2.7", dns=dns) == ["192.0.2.7"]
    dns.failed = set()
    assert left(found, "192.0.2.7", dns=dns, now=NOW + RETRY_S - 1) == ["192.0.2.7"]
    with pytest.raises(GatewayUnknown):
        left(found, "192.0.2.7", dns=dns, now=NOW + RETRY_S)


def test_the_servers_that_dns_knows_are_gateways_while_others_are_not_known() -> None:
    dns, found = Dns(), gateways("sip:gw.example.net;transport=tcp")
    dns.records(b"SRV", b"_sip._tcp.gw.example.net", "1 1 5060 a.example.net", "2 1 5060 b.example.net")
    dns.host(b"a.example.net", "192.0.2.7")
    dns.failed = {LookupHost(b"b.example.net")}
    assert left(found, "192.0.2.7", "192.0.2.8", dns=dns) == ["192.0.2.8"]
    dns.failed = set()
    dns.host(b"a.example.net", "192.0.2.7")
    dns.host(b"b.example.net", "192.0.2.8")
    assert left(found, "192.0.2.7", "192.0.2.8", dns=dns, now=NOW + FRESH_S) == []


NAMES = [b"gw%d.example.net" % each for each in range(SILENCES_MAX + 1)]


def test_where_dns_says_nothing_of_any_name_none_can_be_told() -> None:
    dns, found = Dns(), gateways(*(f"sip:{name.decode()}:5060" for name in NAMES))
    dns.failed = {LookupHost(name) for name in NAMES}
    with pytest.raises(LocationUnknown):
        left(found, "192.0.2.7", dns=dns)


def test_names_that_dns_does_not_know_shut_no_other_host_out() -> None:
    dns, found = Dns(), gateways(*(f"sip:{name.decode()}:5060" for name in (*NAMES, b"here.example.net")))
    dns.failed = {LookupHost(name) for name in NAMES}
    dns.host(b"here.example.net", "192.0.2.8")
    assert left(found, "192.0.2.7", "192.0.2.8", dns=dns) == ["192.0.2.7"]


def test_many_names_are_asked_for_together_and_a_portion_at_a_time() -> None:
    names = [b"gw%02d.example.net" % each for each in range(ASKED_AT_ONCE_MAX + 1)]
    dns, found = Dns(), gateways(*(f"sip:{name.decode()}:5060" for name in names))
    with pytest.raises(GatewayUnknown) as unknown:
        left(found, "192.0.2.7", dns=dns)
    assert unknown.value.questions == [LookupHost(name) for name in names[:-1]]
    for name in names[:-1]:
        dns.host(name, "192.0.2.7")
    with pytest.raises(GatewayUnknown) as unknown:
        left(found, "192.0.2.7", dns=dns)
    assert unknown.value.questions == [LookupHost(names[-1])]


def test_other_tables_have_other_gateways() -> None:
    found = gateways("sip:192.0.2.7")
    assert left(found, "192.0.2.7") == []
    found.use((), tables("sip:192.0.2.8"))
    assert left(found, "192.0.2.7", "192.0.2.8") == ["192.0.2.7"]
    found.use((), None)
    assert left(found, "192.0.2.8") == ["192.0.2.8"]
