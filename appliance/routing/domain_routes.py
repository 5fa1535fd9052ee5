"""Domains that are served elsewhere, and the next hops that lead there (docs/routing.md)."""

from __future__ import annotations

from appliance.catalogue.routing_settings import DomainRouteSettings
from appliance.sip.uri import canonical_host


class DomainRoute:
    """One domain. `routes`: values of Route, one for each next hop."""

    __slots__ = ("has_subdomains", "name", "routes", "table", "translation")

    def __init__(self, settings: DomainRouteSettings) -> None:
        self.name = settings.name
        self.table = settings.table
        self.translation = settings.translation
        self.has_subdomains = settings.subdomains
        self.routes = tuple(b"<" + hop.encode() + b";lr>" for hop in settings.next_hops)


class DomainRoutes:
    """All of one configuration. Never changed."""

    __slots__ = ("_domains",)

    def __init__(self, settings: tuple[DomainRouteSettings, ...]) -> None:
        self._domains: dict[bytes, DomainRoute] = {}
        for each in settings:
            route = DomainRoute(each)
            for name in (each.name, *each.aliases):
                self._domains[canonical_host(name.encode())] = route

    def __len__(self) -> int:
        return len(self._domains)

    def find(self, host: bytes) -> DomainRoute | None:
        """The route of a host as it stands in a URI, in lower case: its own, else that of the nearest domain above."""
        found = self._domains.get(host)
        rest = host
        while found is None and not host.startswith(b"["):
            rest = rest.partition(b".")[2]
            if not rest:
                return None
            above = self._domains.get(rest)
            found = above if above is not None and above.has_subdomains else None
        return found
