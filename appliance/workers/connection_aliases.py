"""Connections that peers have opened, reused for requests to the address that they advertise (RFC 5923).

The peer asks for it by `alias` in its Via. The address is that of the connection with the port of the Via; the
certificate of the peer has to prove whom the request is for, exactly as when we connect (RFC 5923 8.2, RFC 5922 7.3).
So an alias leads to no one whom a connection of ours would not have been opened to. A peer has none by
a connection without TLS, or without a certificate that the listener asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from appliance.transport.flow import TLS, Flow
from appliance.transport.via import advertised_address
from appliance.workers.connection import Connection

# Domains of one certificate that one connection is reused for.
ALIASES_MAX: Final = 16


def aliases_of(connection: Connection, messages: Iterable[bytes]) -> list[Flow]:
    """The ways that lead by this connection, as the first of these messages says that asks for it; [] where none does,
    and where the certificate does not prove the host that is advertised (RFC 5923 9.2).
    """
    if connection.is_ending or not connection.is_authenticated or connection.flow.transport != TLS:
        return []
    host, port = next(filter(None, map(advertised_address, messages)), ("", 0))
    flow = connection.flow
    address = flow.remote[0]
    is_address_proved = connection.proves_address()
    if host not in connection.identities and not (host == address and is_address_proved):
        return []
    names = sorted(connection.identities)[:ALIASES_MAX]
    if is_address_proved:
        # What is sent to the address itself asks for no domain.
        names.append("")
    return [Flow(flow.transport, flow.listener, (address, port), flow.process, flow.connection, name) for name in names]
