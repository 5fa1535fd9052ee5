"""What a worker's stack answers when an operator asks it: one row for each request (messages/worker_requests.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from appliance.inspection import dns_tables, routing_tables, tables
from appliance.inspection.dry_run import dry_run
from appliance.inspection.ping import ping
from appliance.location.deregistration import removal_of
from appliance.location.registration_table import REFUSED
from appliance.location.table_store import TableUnsound
from appliance.messages.bus_messages import BusReply, BusRequest, Cleared, Refusal
from appliance.messages.dns_messages import ClearDnsCache, ListDnsCache, ListHops
from appliance.messages.routing_messages import ClearRouteCounts, ListLookupCaches, ListRouteCounts, ListRoutingFailures
from appliance.messages.worker_requests import (
    ClearRegistration,
    DryRun,
    Hello,
    HelloReply,
    ListCalls,
    ListRateLimits,
    ListRegistrations,
    ListTransactions,
    Ping,
    RateLimitRows,
)
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.location_service import note_unreadable
from appliance.proxy.proxy import Proxy
from appliance.proxy.registration_events import publish
from appliance.sip.parser import SyntaxLimits
from appliance.sip.uri import canonical_user
from appliance.transport.process_id import node_of
from appliance.worker_group.slot_ownership import SlotOwnership


@dataclass(frozen=True, slots=True)
class Inspected:
    """The parts of a stack that operators may ask about."""

    node: ProxyEnvironment
    proxy: Proxy
    slot_ownership: SlotOwnership
    syntax: SyntaxLimits


def answer_request(inspected: Inspected, request: BusRequest[Any], now: float) -> BusReply:
    """The reply; a Refusal when the request is invalid, or is not for a worker."""
    answer = ANSWERS.get(type(request))
    if answer is None:
        return Refusal(f"A worker does not answer {type(request).__name__}.")
    try:
        return answer(inspected, request, now)
    except TableUnsound as fault:
        note_unreadable(fault, inspected.node)
        return Refusal("The registration table cannot be read.", "try again in a moment: it is made anew")
    except ValueError as fault:
        return Refusal(f"Invalid request: {fault}.", "type USER@DOMAIN, or a SIP URI")


def _hello(inspected: Inspected, request: Hello, now: float) -> HelloReply:
    return HelloReply()


def _registrations(inspected: Inspected, request: ListRegistrations, now: float) -> BusReply:
    node, address, limit = inspected.node, request.address, request.limit
    if request.after is None:
        return tables.registrations(node, address, limit, now)
    return tables.registrations_part(node, address, limit, request.after, now)


def _clear_registration(inspected: Inspected, request: ClearRegistration, now: float) -> BusReply:
    """End the registrations of an address."""
    node = inspected.node
    aor = tables.aor_of_text(node, request.address)
    change = removal_of(aor, node.bindings.entries(aor), node.wall_time(now), node_of(node.process))
    if change is None:
        return Refusal(f"{request.address} has no registration.", "see `show registrations`")
    cleared = len(change.bindings)
    if publish(change, node, now, is_by_operator=True) == REFUSED:
        return Refusal("The registration table cannot be written to.", "try again in a moment")
    return Cleared(cleared)


def _transactions(inspected: Inspected, request: ListTransactions, now: float) -> BusReply:
    return tables.transactions(inspected.node, request.limit, request.offset)


def _calls(inspected: Inspected, request: ListCalls, now: float) -> BusReply:
    return tables.calls(inspected.node, request.limit, request.offset)


def _rate_limits(inspected: Inspected, request: ListRateLimits, now: float) -> BusReply:
    return RateLimitRows(inspected.node.rate_limits.rows())


def _dns_cache(inspected: Inspected, request: ListDnsCache, now: float) -> BusReply:
    return dns_tables.dns_cache(inspected.node, request.limit, request.offset, now)


def _clear_dns_cache(inspected: Inspected, request: ClearDnsCache, now: float) -> BusReply:
    return Cleared(dns_tables.clear_dns_cache(inspected.node, request.name))


def _hops(inspected: Inspected, request: ListHops, now: float) -> BusReply:
    return dns_tables.hops(inspected.node, request.limit, request.offset, now)


def _lookup_caches(inspected: Inspected, request: ListLookupCaches, now: float) -> BusReply:
    return routing_tables.lookup_caches(inspected.node)


def _routing_failures(inspected: Inspected, request: ListRoutingFailures, now: float) -> BusReply:
    return routing_tables.routing_failures(inspected.node, request.limit, request.offset)


def _route_counts(inspected: Inspected, request: ListRouteCounts, now: float) -> BusReply:
    return routing_tables.route_counts(inspected.node, request.table, request.limit, request.offset)


def _clear_route_counts(inspected: Inspected, request: ClearRouteCounts, now: float) -> BusReply:
    return Cleared(inspected.node.router.counts.clear())


def _dry_run(inspected: Inspected, request: DryRun, now: float) -> BusReply:
    return dry_run(inspected.node, request, inspected.syntax, now)


def _ping(inspected: Inspected, request: Ping, now: float) -> BusReply:
    return ping(inspected.proxy, inspected.node, inspected.slot_ownership, inspected.syntax, request, now)


ANSWERS: Final[dict[type[BusRequest[Any]], Callable[[Inspected, Any, float], BusReply]]] = {
    Hello: _hello,
    ListRegistrations: _registrations,
    ClearRegistration: _clear_registration,
    ListTransactions: _transactions,
    ListCalls: _calls,
    ListRateLimits: _rate_limits,
    ListDnsCache: _dns_cache,
    ClearDnsCache: _clear_dns_cache,
    ListHops: _hops,
    ListLookupCaches: _lookup_caches,
    ListRoutingFailures: _routing_failures,
    ListRouteCounts: _route_counts,
    ClearRouteCounts: _clear_route_counts,
    DryRun: _dry_run,
    Ping: _ping,
}


def end_registrations(node: ProxyEnvironment, username: bytes, realm: bytes, now: float) -> None:
    """End the registrations of a removed subscriber, and forget what the database said of it."""
    node.subscribers.forget(username)
    aor = node.names.aor_of(canonical_user(username), realm)
    change = removal_of(aor, node.bindings.entries(aor), node.wall_time(now), node_of(node.process))
    if change is not None:
        publish(change, node, now, is_by_operator=True)
