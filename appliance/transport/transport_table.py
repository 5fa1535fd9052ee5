"""The table of transports (appliance/catalogue/transports.py) in the types of the hot path."""

from __future__ import annotations

from typing import Final

from appliance.catalogue.transports import DEFAULT_TRANSPORT, SIP_PORT, TCP, TLS, TRANSPORTS
from appliance.sip.characters import lowered
from appliance.sip.uri import Uri

# The value for a sent-protocol, or a URI parameter, that names none of these transports.
UNKNOWN_TRANSPORT: Final = -1

VIA_TOKENS: Final = tuple(row.via for row in TRANSPORTS)
# How a sip URI that the appliance writes names each transport; the default one needs no parameter.
URI_PARAMETERS: Final = tuple(
    b"" if row.number == DEFAULT_TRANSPORT else b";transport=" + row.uri_parameter for row in TRANSPORTS
)

# The same in a sips URI: what is below TLS (RFC 5630 3.1.4), which is TCP unless it says otherwise.
SIPS_URI_PARAMETERS: Final = tuple(
    b"" if row.uri_parameter == TRANSPORTS[TLS].uri_parameter else URI_PARAMETERS[row.number] for row in TRANSPORTS
)

_COUNT: Final = len(TRANSPORTS)
_PORTS: Final = tuple(row.default_port for row in TRANSPORTS)
# A bit for each transport, by its number.
_STREAMS: Final = sum(1 << row.number for row in TRANSPORTS if row.is_stream)
_SECURE: Final = sum(1 << row.number for row in TRANSPORTS if row.is_secure)
_OPENED_HERE: Final = sum(1 << row.number for row in TRANSPORTS if row.is_opened_here)
_BY_VIA: Final = {row.via: row.number for row in TRANSPORTS}
_BY_URI_PARAMETER: Final = {row.uri_parameter: row.number for row in reversed(TRANSPORTS)}
# RFC 5630 3.1.4: in a sips URI `transport` names what is below TLS; `tls` is what RFC 2543 had.
_BY_SIPS_PARAMETER: Final = {row.uri_parameter: row.number for row in TRANSPORTS if row.is_secure} | {
    TRANSPORTS[TCP].uri_parameter: TLS
}
# Ints of C in the compiled build.
_DEFAULT: Final = DEFAULT_TRANSPORT
_SECURE_DEFAULT: Final = TLS
_UNKNOWN: Final = UNKNOWN_TRANSPORT
_SIP_PORT: Final = SIP_PORT


def is_known(transport: int) -> bool:
    """Is it the number of a transport?"""
    return 0 <= transport < _COUNT


def is_stream(transport: int) -> bool:
    """Does it carry messages by connections? Not so an unknown one."""
    return 0 <= transport < _COUNT and _STREAMS >> transport & 1 != 0


def is_secure(transport: int) -> bool:
    """May it carry what is sent to a sips URI (RFC 3261 26.2.2)? Not so an unknown one."""
    return 0 <= transport < _COUNT and _SECURE >> transport & 1 != 0


def is_opened_here(transport: int) -> bool:
    """Can a peer be reached by it that has opened no connection? Not so by an unknown one."""
    return 0 <= transport < _COUNT and _OPENED_HERE >> transport & 1 != 0


def default_port(transport: int) -> int:
    """The port of a URI or sent-by that has none; of an unknown transport, that of SIP."""
    if 0 <= transport < _COUNT:
        return _PORTS[transport]
    return _SIP_PORT


def transport_of_via(token: bytes) -> int:
    """The transport of a sent-protocol in upper case; UNKNOWN_TRANSPORT (-1) for others."""
    return _BY_VIA.get(token, _UNKNOWN)


def transport_of_uri(uri: Uri) -> int:
    """The transport that a URI names, the default one where it names none; UNKNOWN_TRANSPORT (-1) for others.

    Of a sips URI it is one that is secure (RFC 5630 3.1.4).
    """
    named = uri.parameters.get(b"transport") if uri.parameters else None
    if uri.scheme == b"sips":
        return _BY_SIPS_PARAMETER.get(lowered(named), _UNKNOWN) if named else _SECURE_DEFAULT
    return _BY_URI_PARAMETER.get(lowered(named), _UNKNOWN) if named else _DEFAULT


def port_of_uri(uri: Uri) -> int:
    """The port of a URI, or the default one of the transport that it names (RFC 3261 19.1.2)."""
    if uri.port:
        return uri.port
    return default_port(transport_of_uri(uri))
