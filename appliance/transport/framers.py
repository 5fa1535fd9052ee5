"""What cuts the octets of a connection into messages, by transport (RFC 3261 18.3, RFC 7118 5)."""

from __future__ import annotations

from typing import Final, Protocol

from appliance.catalogue.transports import BY_CONTENT_LENGTH, BY_WEB_SOCKET, TRANSPORTS
from appliance.sip.errors import MalformedMessage
from appliance.sip.parser import SyntaxLimits
from appliance.transport.framing import UNBOUNDED, StreamFramer
from appliance.transport.web_socket import WebSocketFramer


class Framer(Protocol):
    """See StreamFramer (framing.py)."""

    @property
    def fault(self) -> MalformedMessage | None: ...
    @property
    def partial_since(self) -> float: ...
    @property
    def has_more(self) -> bool: ...
    @property
    def is_finished(self) -> bool: ...
    def receive_bytes(self, data: bytes, now: float, messages_max: int = UNBOUNDED) -> list[bytes]: ...


# By the `framing` of the row of a transport (appliance/catalogue/transports.py).
FRAMERS: Final[dict[str, type[StreamFramer] | type[WebSocketFramer]]] = {
    BY_CONTENT_LENGTH: StreamFramer,
    BY_WEB_SOCKET: WebSocketFramer,
}


def framer_of(transport: int, limits: SyntaxLimits) -> StreamFramer | WebSocketFramer:
    """A framer for one connection by this transport."""
    return FRAMERS[TRANSPORTS[transport].framing](limits)
