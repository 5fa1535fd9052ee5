"""Rules between settings: values that are right by themselves and wrong together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from itertools import pairwise
from typing import Any

from appliance.catalogue.cluster_contradictions import (
    address_contradictions,
    cluster_contradictions,
    lease_contradictions,
    node_contradictions,
)
from appliance.catalogue.cluster_values import listener_address_of
from appliance.catalogue.contradiction import Contradiction
from appliance.catalogue.lookup_contradictions import lookup_contradictions
from appliance.catalogue.routing_contradictions import condition_contradictions, routing_contradictions
from appliance.catalogue.snmp_values import target_of
from appliance.catalogue.transports import BY_WEB_SOCKET, TRANSPORT_NAMES, TRANSPORTS


def contradictions(class_name: str, settings: Any) -> list[Contradiction]:
    """The contradictions inside one section, or in the whole, given by the attributes of `settings`."""
    rule = _RULES.get(class_name)
    return list(rule(settings)) if rule is not None else []


def _in_order(settings: Any, *names: tuple[str, str]) -> Iterator[Contradiction]:
    """Each of the (attribute, words) must not be greater than the next."""
    for (less, less_words), (more, more_words) in pairwise(names):
        low, high = getattr(settings, less), getattr(settings, more)
        if low > high:
            problem = f"`{less_words}` {low} is more than `{more_words}` {high}"
            yield Contradiction((less, more), problem, f"lower `{less_words}` or raise `{more_words}`")


def _registrar(settings: Any) -> Iterator[Contradiction]:
    # RFC 3261 10.3 step 7
    yield from _in_order(
        settings,
        ("expires_min_s", "expires minimum"),
        ("expires_default_s", "expires default"),
        ("expires_max_s", "expires maximum"),
    )


def _timers(settings: Any) -> Iterator[Contradiction]:
    # RFC 3261 17.1.2.2
    yield from _in_order(settings, ("t1_ms", "t1"), ("t2_ms", "t2"))


def _syntax(settings: Any) -> Iterator[Contradiction]:
    yield from _in_order(settings, ("header_len_max", "header-length"), ("message_len_max", "length"))
    yield from _in_order(settings, ("uri_len_max", "uri-length"), ("message_len_max", "length"))


def _overload(settings: Any) -> Iterator[Contradiction]:
    yield from _in_order(settings, ("delay_target_ms", "delay target"), ("delay_limit_ms", "delay limit"))
    names = ("retry_after_min_s", "retry-after minimum"), ("retry_after_max_s", "retry-after maximum")
    yield from _in_order(settings, *names)


def _supervision(settings: Any) -> Iterator[Contradiction]:
    names = ("restart_delay_min_ms", "restart delay minimum"), ("restart_delay_max_ms", "restart delay maximum")
    yield from _in_order(settings, *names)
    least_ms = 2 * settings.heartbeat_ms
    if settings.hang_ms < least_ms:
        problem = f"`hang` {settings.hang_ms} is too short for a heartbeat every {settings.heartbeat_ms} milliseconds"
        yield Contradiction(("hang_ms", "heartbeat_ms"), problem, f"type `hang {least_ms}` or more")


def _listener(settings: Any) -> Iterator[Contradiction]:
    if not settings.advertise and ip_address(settings.address).is_unspecified:
        problem = f"{settings.address} would be in every Via, and is not reachable"
        remedy = "add `advertise HOST`, or type one address of this machine"
        yield Contradiction(("address", "advertise"), problem, remedy)
    yield from _twice("peers", "peer", settings.peers)
    yield from _twice("certificates", "certificate", settings.certificates)
    yield from _twice("origins", "origin", settings.origins)
    streams = [TRANSPORTS[number] for number in settings.transports if TRANSPORTS[number].is_stream]
    if len(streams) > 1:
        first, *others = (row.name for row in streams)
        problem = f"{first} and {others[0]} cannot have the same port"
        remedy = f"delete {others[0]}, and add a listener with `transport {others[0]}` and a port of its own"
        yield Contradiction(("transports",), problem, remedy)
    secure = next((row.name for row in streams if row.is_secure), "")
    if secure and not settings.certificates:
        yield Contradiction(("transports", "certificates"), f"{secure} needs a certificate", "add `certificate NAME`")
    if settings.origins and not any(row.framing == BY_WEB_SOCKET for row in streams):
        problem = "only connections by ws and wss have an origin"
        yield Contradiction(("origins", "transports"), problem, "type `no origin`, or `transport wss`")
    if settings.client_certificate == "none" and any("certificate-name" in peer for peer in settings.peers):
        problem = "a peer with a certificate name must show its certificate"
        remedy = "type `client-certificate request` or `client-certificate require`"
        yield Contradiction(("peers", "client_certificate"), problem, remedy)


def _snmp(settings: Any) -> Iterator[Contradiction]:
    for attribute, word in (("listen", "listen"), ("communities", "community"), ("users", "user")):
        yield from _same_beginnings(attribute, word, getattr(settings, attribute), 3 if attribute == "listen" else 1)
    yield from _same_beginnings("targets", "target", settings.targets, 1)
    yield from _same_beginnings("status_thresholds", "status-threshold", settings.status_thresholds, 2)
    users = {value.split()[0] for value in settings.users}
    for place, value in enumerate(settings.targets):
        target = target_of(value)
        if target.user and target.user not in users:
            problem = f"target {target.name}: there is no user {target.user}"
            yield Contradiction(("targets", "users"), problem, f"add `user {target.user} ...`", place)


def _same_beginnings(
    attribute: str, word: str, values: tuple[str, ...], word_count: int
) -> Iterator[Contradiction]:
    names = [" ".join(value.split()[:word_count]) for value in values]
    for place, name in enumerate(names):
        if name in names[:place]:
            yield Contradiction((attribute,), f"`{word} {name}` is present twice", "delete one of them", place)


def _twice(attribute: str, word: str, values: tuple[str, ...]) -> Iterator[Contradiction]:
    for place, value in enumerate(values):
        if value in values[:place]:
            yield Contradiction((attribute,), f"`{word} {value}` is present twice", "delete one of them", place)


def _whole(settings: Any) -> Iterator[Contradiction]:
    yield from _twice("domains", "domain", settings.domains)
    if any(getattr(listener, "standing", 0) for listener in settings.listeners):
        # The listeners of a running node: those that are gone from its configuration contradict nothing.
        return
    if not settings.listeners:
        yield Contradiction(("listeners",), "there is no listener", "add a section `listener NAME`")
    elif all(listener.is_shut_down for listener in settings.listeners):
        remedy = "type `no shutdown` in one of them"
        yield Contradiction(("listeners",), "every listener is shut down", remedy, 0, "is_shut_down")
    for attribute, word in _NAMED:
        yield from _same_names(attribute, word, getattr(settings, attribute))
    yield from _same_addresses(settings.listeners, {})
    for node in settings.nodes:
        own = dict(map(listener_address_of, node.listeners))
        yield from _same_addresses(settings.listeners, own, f" on node {node.name}")
    yield from cluster_contradictions(settings)
    yield from routing_contradictions(settings)
    yield from _unknown_certificates(settings)


def _unknown_certificates(settings: Any) -> Iterator[Contradiction]:
    known = {certificate.name for certificate in settings.certificates}
    for place, listener in enumerate(settings.listeners):
        for name in listener.certificates:
            if name not in known:
                problem = f"listener {listener.name}: there is no certificate {name}"
                remedy = f"add a section `certificate {name}`"
                yield Contradiction(("listeners", "certificates"), problem, remedy, place, "certificates")
    wanted = settings.tls.client_certificate
    if wanted and wanted not in known:
        problem = f"`client certificate {wanted}`: there is no certificate {wanted}"
        yield Contradiction(("tls", "certificates"), problem, f"add a section `certificate {wanted}`")


def _same_names(attribute: str, word: str, items: tuple[Any, ...]) -> Iterator[Contradiction]:
    names = [item.name for item in items]
    for place, name in enumerate(names):
        if name in names[:place]:
            yield Contradiction((attribute,), f"there are two {word}s {name}", "rename one of them", place)


def _same_addresses(listeners: tuple[Any, ...], own: Mapping[str, str], where: str = "") -> Iterator[Contradiction]:
    """`own`: addresses in place of those of the listeners, by name."""
    owners: dict[tuple[str, int, int], str] = {}
    for place, listener in enumerate(listeners):
        if listener.is_shut_down:
            continue
        address = own.get(listener.name, listener.address)
        taken = [
            transport
            for transport in listener.transports
            if owners.setdefault((address, listener.port, transport), listener.name) != listener.name
        ]
        if taken:
            owner = owners[address, listener.port, taken[0]]
            words = " and ".join(TRANSPORT_NAMES[transport] for transport in taken)
            problem = f"{address} port {listener.port} {words} is already used by listener {owner}{where}"
            yield Contradiction(("listeners",), problem, "change the address, port or transport", place, "port")


# The attributes of Settings that have sections with names, and what one is called.
_NAMED = (
    ("listeners", "listener"),
    ("certificates", "certificate"),
    ("operators", "operator"),
    ("rate_limits", "rate limit"),
    ("route_policies", "route policy"),
    ("domain_routes", "domain route"),
    ("translations", "translation"),
    ("conditions", "condition"),
    ("regions", "region"),
    ("lookups", "lookup"),
    ("route_tables", "route table"),
    ("virtual_addresses", "virtual address"),
    ("nodes", "node"),
)


_RULES = {
    "RegistrarSettings": _registrar,
    "TimerSettings": _timers,
    "SyntaxSettings": _syntax,
    "OverloadSettings": _overload,
    "SupervisionSettings": _supervision,
    "ListenerSettings": _listener,
    "SnmpSettings": _snmp,
    "ClusterSettings": lease_contradictions,
    "VirtualAddressSettings": address_contradictions,
    "NodeSettings": node_contradictions,
    "LookupSettings": lookup_contradictions,
    "ConditionSettings": condition_contradictions,
    "Settings": _whole,
}
