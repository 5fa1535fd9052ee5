"""Why a SIP host gives no answer: no such name, DNS silent, no route, refused, or only silence.

The host is asked from a socket of its own: a connection by TCP, the double CRLF of RFC 5626 3.5.1 by UDP, which a SIP
host ignores and a closed port answers by ICMP. Nothing is kept.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import Final

from appliance.catalogue.settings import Settings
from appliance.management.server_lookup import locate
from appliance.routing.host_cache import literal_address
from appliance.sip.errors import MalformedMessage
from appliance.sip.uri import Uri, parse_uri
from appliance.transport.transport_table import is_stream, port_of_uri, transport_of_uri

ICMP_WAIT_S: Final = 0.5
CONNECT_WAIT_S: Final = 2.0
KEEP_ALIVE: Final = b"\r\n\r\n"
SILENCE: Final = "timed out"
_NO_ROUTE: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})


async def fault_of_name(uri: str, settings: Settings) -> str:
    """A sentence where the host of a URI has no server and no address; "" where it has one, or is a local name."""
    host, parsed = _host(uri), _parsed(uri)
    if parsed is None or not host or literal_address(host.encode()) or host in settings.domains:
        return ""
    located = await locate(parsed, settings)
    return f"DNS has no address for {host}." if located.is_absent else located.fault


async def why_silent(uri: str, settings: Settings) -> str:
    """Why the host of a URI does not answer."""
    host, parsed = _host(uri), _parsed(uri)
    if parsed is None or not host or host in settings.domains:
        return SILENCE
    literal = literal_address(host.encode())
    if literal:
        by_stream, address, port = is_stream(transport_of_uri(parsed)), literal, port_of_uri(parsed)
    else:
        flows = (await locate(parsed, settings)).flows
        if not flows:
            return f"DNS has no address for {host}"
        by_stream, (address, port) = flows[0].is_stream, flows[0].remote
    return await (_by_tcp if by_stream else _by_udp)(address, port)


def _parsed(uri: str) -> Uri | None:
    try:
        return parse_uri((uri if uri.startswith(("sip:", "sips:")) else f"sip:{uri}").encode())
    except MalformedMessage:
        return None


def _host(uri: str) -> str:
    parsed = _parsed(uri)
    return parsed.host.decode("ascii", "replace") if parsed is not None else ""


async def _by_tcp(address: str, port: int) -> str:
    try:
        async with asyncio.timeout(CONNECT_WAIT_S):
            _, writer = await asyncio.open_connection(address, port)
        writer.close()
    except TimeoutError:
        return f"connection to {address}:{port} timed out"
    except OSError as fault:
        return _in_words(fault, address, port)
    return SILENCE


async def _by_udp(address: str, port: int) -> str:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.setblocking(False)
        loop = asyncio.get_running_loop()
        try:
            probe.connect((address, port))
            probe.send(KEEP_ALIVE)
            async with asyncio.timeout(ICMP_WAIT_S):
                await loop.sock_recv(probe, 1)
        except TimeoutError:
            return SILENCE
        except OSError as fault:
            return _in_words(fault, address, port)
    return SILENCE


def _in_words(fault: OSError, address: str, port: int) -> str:
    if fault.errno == errno.ECONNREFUSED:
        return f"connection refused by {address}:{port}"
    if fault.errno in _NO_ROUTE:
        return f"no route to {address}"
    return f"{address}:{port} cannot be reached: {fault.strerror}"
