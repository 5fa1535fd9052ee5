"""Domains that are served elsewhere: exact, alias, below."""

from __future__ import annotations

import pytest

from appliance.catalogue.errors import ConfigError
from appliance.catalogue.routing_settings import DomainRouteSettings
from appliance.catalogue.settings import Settings
from appliance.routing.domain_routes import DomainRoutes

WIDE = DomainRouteSettings("wide.example", subdomains=True, aliases=("alias.example",))
OWN = DomainRouteSettings("own.wide.example")
ROUTES = DomainRoutes((WIDE, OWN, DomainRouteSettings("[2001:DB8::1]".lower())))


@pytest.mark.parametrize(
    ("host", "name"),
    [
        (b"wide.example", "wide.example"),
        (b"a.b.wide.example", "wide.example"),
        (b"x.alias.example", "wide.example"),
        (b"own.wide.example", "own.wide.example"),
        # Own.wide.example has no route for what is below it, and the domain above has.
        (b"a.own.wide.example", "wide.example"),
        (b"[2001:db8::1]", "[2001:db8::1]"),
        (b"example", ""),
        (b"narrowwide.example", ""),
        (b"[2001:db8::2]", ""),
    ],
)
def test_nearest_route_is_found(host: bytes, name: str) -> None:
    found = ROUTES.find(host)
    assert (found.name if found else "") == name


def test_domain_has_one_route() -> None:
    with pytest.raises(ConfigError, match=r"alias\.example is already domain-route wide.example"):
        Settings(domain_routes=(WIDE, DomainRouteSettings("alias.example")))
    with pytest.raises(ConfigError, match=r"wide\.example is already a domain of this appliance"):
        Settings(domains=("wide.example",), domain_routes=(WIDE,))
