"""The target set of a request (RFC 3261 16.5).

A target is where one branch goes: a Request-URI, the route set of its binding, the stream
connection it registered over, its q, and its origin (see contact_policy.py).
"""

from __future__ import annotations

from collections.abc import Iterable

from appliance.location.binding import Binding
from appliance.routing.contact_policy import AT_SOURCE, NAMED, ContactPolicy
from appliance.sip.uri import Uri, parse_uri
from appliance.transport.flow import Flow
from appliance.transport.transport_table import is_opened_here

Q_MAX = 1000


class Target:
    """One member of the target set. `breadth`: its part of the request's Max-Breadth, 0 as long as it has none.

    `spares`: what is tried in its place when it fails: other contacts of the same instance (RFC 5626 7, RFC 5627 6.1),
    or the next hops of a route table that come after it.
    `is_secure`: it is reached by secure transports only (RFC 5630 5.3).
    `is_flow_bound`: it is reached by its flow only (RFC 5626 7, RFC 7118 5).
    `translation`: the name of the one that changes header fields of its request (translations.py), "" for none.
    """

    __slots__ = (
        "breadth",
        "flow",
        "is_flow_bound",
        "is_secure",
        "origin",
        "path",
        "q",
        "spares",
        "translation",
        "uri",
        "uri_text",
    )

    def __init__(
        self, uri: Uri, q: int = Q_MAX, path: tuple[bytes, ...] = (), flow: Flow | None = None, origin: int = NAMED
    ) -> None:
        self.uri = uri
        self.uri_text = self.uri.without_headers()
        self.q = q
        self.path = path
        self.flow = flow
        self.origin = origin
        self.is_secure = uri.scheme == b"sips"
        self.is_flow_bound = False
        self.breadth = 0
        self.spares: tuple[Target, ...] = ()
        self.translation = ""

    def name_by(self, uri: Uri) -> None:
        """Have another Request-URI; how it is reached stays as it is."""
        self.uri = uri
        self.uri_text = uri.without_headers()


def is_only_way(flow: Flow, reg_id: int) -> bool:
    """Is a binding with this flow reached by it and by nothing else?"""
    return reg_id != 0 or not is_opened_here(flow.transport)


def targets_of_bindings(bindings: Iterable[Binding], policy: ContactPolicy) -> list[Target]:
    """The bindings a proxy can forward to, in their order; others are passed over (16.5)."""
    targets: list[Target] = []
    for binding in bindings:
        uri = parse_uri(binding.uri)
        if uri.has_sip_scheme():
            kept = binding.flow
            # RFC 5626 7, RFC 7118 5: whatever its Contact says.
            is_flow_bound = kept is not None and not binding.path_text and is_only_way(kept, binding.reg_id)
            flow = policy.marks.flow_of(kept) if kept is not None else None
            # Of most phones the contact is the address that they registered from.
            is_own = uri.host == binding.source_ip.encode() and not binding.path_text and b"maddr" not in uri.parameters
            origin = AT_SOURCE if is_own or is_flow_bound else policy.origin_of(binding, uri)
            target = Target(uri, binding.q, binding.path, flow, origin)
            target.is_flow_bound = is_flow_bound
            targets.append(target)
    return targets


def next_group(targets: list[Target], fork: str) -> list[Target]:
    """Take the targets to try next out of the set (RFC 3261 16.6): those of the highest q together.

    `fork` is `by-q`, `parallel` (all at once, whatever their q) or `sequential` (one after another).
    """
    if len(targets) == 1 or fork == "parallel":
        group = targets[:]
    else:
        q_highest = max([target.q for target in targets])
        group = [target for target in targets if target.q == q_highest]
        if fork == "sequential":
            del group[1:]
    for target in group:
        targets.remove(target)
    return group
