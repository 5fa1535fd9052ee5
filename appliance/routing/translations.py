"""Translations: what changes in a request for one next hop (RFC 3261 16.6 steps 2 and 5, docs/routing.md).

    number       the user part of the Request-URI
    address      its host and parameters
    request      From, the asserted identities, and header fields that are added or removed

The caller's number is rewritten where it is a telephone number; who is anonymous stays so (RFC 3323). From keeps its
tag: both ends tell the dialog by that (RFC 3261 12), and the caller gets his own From back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from appliance.catalogue.number_rewriting import NumberRewriting, rewritten
from appliance.catalogue.translation_settings import TranslationSettings
from appliance.routing.called_number import called_number
from appliance.sip.errors import MalformedMessage
from appliance.sip.header_lines import make_line
from appliance.sip.headers import NameAddr, parse_name_addr
from appliance.sip.message import Request, Response
from appliance.sip.names import FROM, P_ASSERTED_IDENTITY, P_PREFERRED_IDENTITY, REMOTE_PARTY_ID, header_id
from appliance.sip.uri import Uri, written_user

IDENTITIES: Final = (P_ASSERTED_IDENTITY, P_PREFERRED_IDENTITY, REMOTE_PARTY_ID)
# RFC 2606 2: no caller who wants to be known is there (RFC 3323 4.1.1.3).
NO_NODE: Final = b".invalid"


class Translation:
    """One translation of the configuration. Never changed."""

    __slots__ = ("_added", "_caller", "_caller_host", "_headers_added", "_headers_removed", "_host", "_number",
                 "_removed")

    def __init__(self, settings: TranslationSettings) -> None:
        self._number = _rules(settings.number)
        self._caller = _rules(settings.caller)
        self._host = settings.host.encode()
        self._caller_host = settings.caller_host.encode()
        self._added = dict(_parameter(text) for text in settings.parameters_added)
        self._removed = frozenset(name.encode() for name in settings.parameters_removed)
        self._headers_removed = tuple(name.encode() for name in settings.headers_removed)
        self._headers_added = tuple(_field(text) for text in settings.headers_added)

    @property
    def has_host(self) -> bool:
        """Has the Request-URI another host than the next hop?"""
        return bool(self._host)

    def number(self, number: bytes) -> bytes:
        """The called number for the next hop."""
        return rewritten(number, self._number) if self._number else number

    def address(self, uri: Uri) -> Uri:
        """The Request-URI with another host and other parameters."""
        if not (self._host or self._added or self._removed):
            return uri
        kept = {name: value for name, value in uri.parameters.items() if name not in self._removed}
        if self._host:
            # What leads to the next hop is in the Route.
            return Uri(uri.scheme, uri.user, self._host, 0, {**_without_way(kept), **self._added})
        return Uri(uri.scheme, uri.user, uri.host, uri.port, {**kept, **self._added})

    def request(self, request: Request) -> None:
        """Change the header fields of a request for the next hop."""
        if self._caller or self._caller_host:
            for header in (FROM, *IDENTITIES):
                if request.count(header):
                    self._rewrite(request, header)
        for name in self._headers_removed:
            request.remove_named(name)
        for name, text in self._headers_added:
            request.insert(len(request.lines), header_id(name), make_line(name, text))

    def _rewrite(self, request: Request, header: int) -> None:
        try:
            values = [self._caller_in(value) for value in request.values(header)]
        except MalformedMessage:
            # It goes on as it came.
            return
        request.remove_all(header)
        for value in values:
            request.append(header, value)

    def _caller_in(self, value: bytes) -> bytes:
        """A value of From, or of an identity, with the caller's number and host as the next hop wants them."""
        address = parse_name_addr(value)
        uri = address.uri
        if uri.host.endswith(NO_NODE):
            return value
        number = called_number(uri)
        user = uri.user
        if number is not None:
            digits = rewritten(number.digits, self._caller)
            if digits != number.digits:
                user = written_user(digits + number.parameters)
        host = self._caller_host if uri.is_sip and self._caller_host else uri.host
        if user == uri.user and host == uri.host:
            return value
        port = uri.port if host == uri.host else 0
        return _written(address, Uri(uri.scheme, user, host, port, uri.parameters, password=uri.password))


class Translations:
    """All of one configuration. Never changed."""

    __slots__ = ("_by_name",)

    def __init__(self, settings: tuple[TranslationSettings, ...]) -> None:
        self._by_name = {each.name: Translation(each) for each in settings}

    def find(self, name: str) -> Translation | None:
        """The translation of a name."""
        return self._by_name.get(name)

    def apply(self, name: str, request: Request) -> None:
        """Change a request for the next hop of a row with that translation, if the configuration still has it."""
        translation = self._by_name.get(name)
        if translation is not None:
            translation.request(request)


def restore_from(response: Response, request: Request) -> None:
    """RFC 3261 8.2.6.2: the From of a response is that of the request, as the caller wrote it."""
    own = request.first(FROM)
    if own is not None and response.first(FROM) != own and response.read_from_tag() == request.read_from_tag():
        response.replace(FROM, own)


def _rules(texts: tuple[str, ...]) -> tuple[NumberRewriting, ...]:
    return tuple(NumberRewriting(*text.split(" ", 1)) for text in texts)


def _parameter(text: str) -> tuple[bytes, bytes | None]:
    name, equals, value = text.encode().partition(b"=")
    return name.lower(), value if equals else None


def _field(text: str) -> tuple[bytes, bytes]:
    name, _, value = text.encode().partition(b" ")
    return name, value


def _without_way(parameters: Mapping[bytes, bytes | None]) -> dict[bytes, bytes | None]:
    return {name: value for name, value in parameters.items() if name not in (b"transport", b"maddr", b"ttl")}


def _written(address: NameAddr, uri: Uri) -> bytes:
    """RFC 3261 20.20: display name, the URI in brackets, and the parameters of the header field as they were."""
    parameters = [b";" + name + (b"" if value is None else b"=" + value) for name, value in address.parameters.items()]
    display = address.display + b" " if address.display else b""
    return b"".join((display, b"<", uri.text, b">", *parameters))
