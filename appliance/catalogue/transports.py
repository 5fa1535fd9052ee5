"""The transports that are supported: one row for each (RFC 3261 18, 20.42, 19.1.1).

What depends on a transport reads its row, or appliance/transport/transport_table.py, where the same facts have the
types of the hot path. A new transport is a row here, its framer in appliance/transport/framers.py unless there is one
for its `framing`, and its connections in appliance/workers/.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

UDP: Final = 0
TCP: Final = 1
TLS: Final = 2
WS: Final = 3
WSS: Final = 4


@dataclass(frozen=True, slots=True)
class Transport:
    """One transport.

    `number`         in flows, on the bus and in what is stored; its place in TRANSPORTS. It never changes.
    `name`           in the configuration and in what is shown.
    `via`            the transport of a sent-protocol (RFC 3261 20.42).
    `uri_parameter`  the value of `transport` in a URI (RFC 3261 19.1.1), lower case. Where two rows have the same,
                     it is the first one in a sip URI, and the secure one in a sips URI (RFC 7118 5.2).
    `default_port`   of a URI or sent-by that names the transport and no port.
    `is_stream`      connections, which lose nothing and keep the order: RFC 3261 17 calls that reliable.
    `is_secure`      it may carry what is sent to a sips URI (RFC 3261 26.2.2).
    `is_opened_here` the appliance opens connections as well. Otherwise only the peer does, and it is reached by nothing
                     else (RFC 7118 5).
    `srv_service`    what stands before a domain in the name of its SRV records (RFC 3263 4.1); b"" for none.
    `naptr_service`  the service of NAPTR records that lead to it (RFC 3263 4.1); b"" for none.
    `framing`        how its octets are cut into messages; "" where each packet is one message.
    """

    number: int
    name: str
    via: bytes
    uri_parameter: bytes
    default_port: int
    is_stream: bool
    is_secure: bool
    framing: str
    is_opened_here: bool = True
    srv_service: bytes = b""
    naptr_service: bytes = b""


# RFC 3261 18.3: messages end where their Content-Length says.
BY_CONTENT_LENGTH: Final = "content-length"
# RFC 7118 5: a message is a WebSocket message.
BY_WEB_SOCKET: Final = "web-socket"

# fmt: off
TRANSPORTS: Final = (
    Transport(UDP, "udp", b"UDP", b"udp", 5060, is_stream=False, is_secure=False, framing="",
              srv_service=b"_sip._udp", naptr_service=b"SIP+D2U"),
    Transport(TCP, "tcp", b"TCP", b"tcp", 5060, is_stream=True, is_secure=False, framing=BY_CONTENT_LENGTH,
              srv_service=b"_sip._tcp", naptr_service=b"SIP+D2T"),
    Transport(TLS, "tls", b"TLS", b"tls", 5061, is_stream=True, is_secure=True, framing=BY_CONTENT_LENGTH,
              srv_service=b"_sips._tcp", naptr_service=b"SIPS+D2T"),
    Transport(WS, "ws", b"WS", b"ws", 80, is_stream=True, is_secure=False, framing=BY_WEB_SOCKET,
              is_opened_here=False),
    Transport(WSS, "wss", b"WSS", b"ws", 443, is_stream=True, is_secure=True, framing=BY_WEB_SOCKET,
              is_opened_here=False),
)
# fmt: on
TRANSPORT_NUMBERS: Final = tuple(row.number for row in TRANSPORTS)
TRANSPORT_NAMES: Final = tuple(row.name for row in TRANSPORTS)

# RFC 3261 18.1.1, 19.1.2: what is meant where no transport is named; and its port, which an unknown one has as well.
DEFAULT_TRANSPORT: Final = UDP
SIP_PORT: Final = TRANSPORTS[DEFAULT_TRANSPORT].default_port

# The default ports by sent-protocol. Others pass through in the Vias of other hosts (RFC 4168).
VIA_PORTS: Final = {b"TLS-SCTP": 5061} | {row.via: row.default_port for row in TRANSPORTS}
