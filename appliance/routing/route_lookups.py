"""The lookups of one configuration, as the search of the route tables uses them."""

from __future__ import annotations

from typing import Final

from appliance.catalogue.lookup_settings import LookupSettings
from appliance.catalogue.lookup_values import HTTP, parameters_in, placeholders_in, protocol_of
from appliance.routing.called_number import called_number
from appliance.routing.lookup_questions import FindRoutes
from appliance.routing.route_decision import RoutedCall
from appliance.sip.errors import MalformedMessage
from appliance.sip.headers import parse_name_addr
from appliance.sip.message import Request
from appliance.sip.names import P_ASSERTED_IDENTITY

_ALL: Final = frozenset(("caller", "domain"))


class RouteLookup:
    """One lookup. Never changed. `is_required`: where it fails, the call is rejected."""

    __slots__ = ("_name", "_uses", "is_required", "is_trusted")

    def __init__(self, settings: LookupSettings) -> None:
        self._name = settings.name.encode()
        self.is_trusted = settings.is_trusted
        self.is_required = settings.on_failure == "reject"
        self._uses = _names_used(settings)

    def question(self, call: RoutedCall, number: bytes) -> FindRoutes:
        """What is asked for a call; only what the lookup uses, so that equal questions are asked once."""
        caller = caller_number(call.request) if "caller" in self._uses else b""
        domain = call.uri.host if "domain" in self._uses else b""
        return FindRoutes(self._name, number, caller, domain)


class RouteLookups:
    """All of one configuration. Never changed."""

    __slots__ = ("_by_name",)

    def __init__(self, settings: tuple[LookupSettings, ...]) -> None:
        self._by_name = {each.name: RouteLookup(each) for each in settings}

    def find(self, name: str) -> RouteLookup | None:
        """The lookup of a name."""
        return self._by_name.get(name)


def caller_number(request: Request) -> bytes:
    """The caller's number, by the identity that is asserted (RFC 3325), else by From; b"" where it is none."""
    try:
        asserted = [parse_name_addr(value).uri for value in request.values(P_ASSERTED_IDENTITY)]
        numbers = [called_number(uri) for uri in (*asserted, request.read_from().uri)]
    except MalformedMessage:
        return b""
    return next((number.digits for number in numbers if number is not None), b"")


def _names_used(settings: LookupSettings) -> frozenset[str]:
    texts: tuple[str, ...] = (settings.filter, settings.query)
    if protocol_of(settings.servers) == HTTP:
        if not all(map(placeholders_in, settings.servers)):
            # In the body of a POST.
            return _ALL
        texts = settings.servers
    return frozenset(parameters_in(settings.statement).union(*map(placeholders_in, texts)))
