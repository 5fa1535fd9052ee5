"""Next hops are told from other hosts by their addresses, whatever the names (docs/routing.md)."""

from __future__ import annotations

import pytest

from appliance.catalogue.routing_settings import DomainRouteSettings
from appliance.routing.gateways import RETRY_S, Gateways, GatewayUnknown
from appliance.routing.host_cache import HostCache
from appliance.routing.route_csv import COLUMNS, RouteReader
from appliance.routing.route_tables import RouteTables
from appliance.transport.flow import UDP, Flow

NOW = 1000.0
NEVER = float("inf")


def tables(*actions: str) -> RouteTables:
    rows = [f"default,+{number},{action}" for number, action in enumerate(actions)]
    return RouteTables(memoryview(RouteReader().read([",".join(COLUMNS), *rows]).octets()))


def gateways(hosts: HostCache, *actions: str, hops: tuple[str, ...] = ()) -> Gateways:
    found = Gateways(hosts)
    found.use((DomainRouteSettings("partner.example", next_hops=hops),), tables(*actions) if actions else None)
    return found


def left(found: Gateways, *addresses: str, now: float = NOW) -> list[str]:
    hops = [Flow(UDP, 0, (address, 5060)) for address in addresses]
    return [hop.remote[0] for hop in found.without(hops, now)]


def test_addresses_of_rows_and_of_domains_are_gateways() -> None:
    found = gateways(
        HostCache(10),
        "sip:192.0.2.7:5070;transport=tcp",
        "sips:[2001:DB8:0::7]",
        "redirect sip:192.0.2.9",
        "reject 403",
        hops=("sip:192.0.2.8",),
    )
    addresses = ("192.0.2.7", "192.0.2.8", "192.0.2.9", "2001:db8::7", "::ffff:192.0.2.7")
    assert left(found, *addresses) == ["192.0.2.9"]


def test_a_name_is_asked_for_first_and_stands_for_what_dns_said_last() -> None:
    hosts = HostCache(10)
    found = gateways(hosts, "sip:GW.example.net")
    with pytest.raises(GatewayUnknown) as unknown:
        left(found, "192.0.2.7")
    assert unknown.value.host == b"gw.example.net"
    found.note_asked(b"gw.example.net", NOW)
    hosts.remember(b"gw.example.net", ("192.0.2.7", "192.0.2.8"), NOW + 5)
    assert left(found, "192.0.2.7", "192.0.2.8", "192.0.2.9") == ["192.0.2.9"]
    assert left(found, "192.0.2.7", now=NOW + 3600) == []


def test_a_name_that_dns_does_not_know_is_asked_for_once_a_minute() -> None:
    found = gateways(HostCache(10), "sip:gw.example.net")
    found.note_asked(b"gw.example.net", NOW)
    assert left(found, "192.0.2.7", now=NOW + RETRY_S - 1) == ["192.0.2.7"]
    with pytest.raises(GatewayUnknown):
        left(found, "192.0.2.7", now=NOW + RETRY_S)


def test_other_tables_have_other_gateways() -> None:
    found = gateways(HostCache(10), "sip:192.0.2.7")
    assert left(found, "192.0.2.7") == []
    found.use((), tables("sip:192.0.2.8"))
    assert left(found, "192.0.2.7", "192.0.2.8") == ["192.0.2.7"]
    found.use((), None)
    assert left(found, "192.0.2.8") == ["192.0.2.8"]
