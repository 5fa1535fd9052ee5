"""The kind of connection of each transport."""

from __future__ import annotations

from appliance.catalogue.transports import BY_WEB_SOCKET, TRANSPORTS
from appliance.transport.transport_table import is_secure
from appliance.workers.connection import Connection, ConnectionOwner
from appliance.workers.handshakes import Handshakes
from appliance.workers.tls_connection import TlsConnection
from appliance.workers.web_socket_connection import SecureWebSocketConnection, WebSocketConnection


def new_connection(
    owner: ConnectionOwner,
    transport: int,
    listener: int,
    number: int,
    is_opened_here: bool,
    name: str,
    handshakes: Handshakes,
) -> Connection:
    """A connection that is not open yet. `name`: whom the certificate of the peer has to name, where there is one."""
    where = owner, transport, listener, number, is_opened_here
    is_web_socket = TRANSPORTS[transport].framing == BY_WEB_SOCKET
    if is_secure(transport):
        secure = SecureWebSocketConnection if is_web_socket else TlsConnection
        return secure(*where, name, handshakes)
    return WebSocketConnection(*where) if is_web_socket else Connection(*where)
