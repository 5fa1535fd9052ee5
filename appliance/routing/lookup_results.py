"""What lookups have found, as texts: the actions of a route table, and SIP URIs with a user.

    sip:gw1.example.com            the called number at this next hop
    sip:alice@example.com          this address
    redirect sip:alice@example.com
    reject 403 Not Allowed
    registrar
    table NAME                     where the lookup is trusted
"""

from __future__ import annotations

from typing import Final

from appliance.routing.route_entry import ENUM, LOOKUP, TABLE, RouteEntry, RouteFault
from appliance.sip.errors import MalformedMessage
from appliance.sip.uri import Uri, parse_uri

RESULTS_MAX: Final = 16
RESULT_LEN_MAX: Final = 512
_REDIRECT: Final = "redirect "
# In place of what cannot be used: no ASCII, so what has it cannot be used either.
_REPLACEMENT: Final = "\ufffd"


class FoundUri:
    """A whole address: nothing of it follows from the number."""

    __slots__ = ("is_redirect", "uri")

    def __init__(self, uri: Uri, is_redirect: bool) -> None:
        self.uri = uri
        self.is_redirect = is_redirect


def kept_text(text: str) -> str:
    """What is kept and shown of a text that was found: no more than can be used, and printable.

    A text that has more is one that cannot be used, here as before.
    """
    if len(text) <= RESULT_LEN_MAX and text.isascii() and text.isprintable():
        return text
    return "".join(each if " " <= each <= "~" else _REPLACEMENT for each in text[: RESULT_LEN_MAX + 1])


def read_result(text: str, is_trusted: bool, translation: str = "") -> RouteEntry | FoundUri:
    """What a text says; `translation`: that of the row. Raises RouteFault."""
    if len(text) > RESULT_LEN_MAX or not text.isascii():
        raise RouteFault("it is too long, or not ASCII", f"return up to {RESULT_LEN_MAX} ASCII characters")
    address = _address_in(text)
    if address is not None:
        return address
    entry = RouteEntry(text, translation=translation)
    if entry.kind in (ENUM, LOOKUP) or (entry.kind == TABLE and not is_trusted):
        raise RouteFault(f'"{text[:80]}" is not for a lookup', "return an address, or add `trusted` to the lookup")
    return entry


def _address_in(text: str) -> FoundUri | None:
    """A SIP URI with a user; None for anything else."""
    is_redirect = text.startswith(_REDIRECT)
    try:
        uri = parse_uri(text.removeprefix(_REDIRECT).encode())
    except MalformedMessage:
        return None
    if not uri.is_sip or not uri.user or uri.headers:
        return None
    return FoundUri(uri, is_redirect)
