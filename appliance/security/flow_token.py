"""The token of a flow: the way to a phone, sealed, so that nothing has to be remembered (RFC 5626 5.2).

Octets in base64url without padding (RFC 4648 5): transport (1), remote port (2), listener (4), process (4),
connection (8), remote address (4, or 16 and the scope of a link-local one), seal (8).

The seal covers what the token is for as well. A token of a Path stands alone: who has it can reach the phone, and its
registrar is told no other. In a Record-Route, which both ends of a call see, it holds with the token of their dialog
only.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2s
from hmac import compare_digest
from ipaddress import IPv4Address, IPv6Address
from struct import Struct
from typing import Final

from appliance.sip.siphash import SipHash
from appliance.transport.flow import Flow
from appliance.transport.process_id import ProcessId
from appliance.transport.transport_table import is_known

# Transport, port, listener, process (-1 for datagrams), connection.
_HEAD: Final = Struct(">BHIiQ")
_SEAL: Final = Struct(">Q")
_LEN_MIN: Final = _HEAD.size + 4 + _SEAL.size
# With the longest scope that a system has (IF_NAMESIZE).
_LEN_MAX: Final = _HEAD.size + 16 + 16 + _SEAL.size
FLOW_TOKEN_LEN_MAX: Final = -(-_LEN_MAX * 4 // 3)


class FlowTokens:
    """The tokens of one appliance; `key` is shared by all its workers. A listener is named by a number of 32 bits."""

    __slots__ = ("_seal",)

    def __init__(self, key: bytes) -> None:
        self._seal = SipHash(blake2s(key=key, digest_size=16, person=b"flow").digest())

    def write(self, flow: Flow, listener: int, purpose: bytes) -> bytes:
        """The token of a flow; `listener` names the one that it came in by, in place of its number."""
        address, port = flow.remote
        head = _HEAD.pack(flow.transport, port, listener, flow.process, flow.connection)
        body = head + _packed(address)
        return urlsafe_b64encode(body + self._seal_of(body, purpose)).rstrip(b"=")

    def read(self, token: bytes, purpose: bytes) -> tuple[Flow, int] | None:
        """The flow, with 0 for its listener, and the number that names the listener; None for what is no token of ours
        for this purpose.
        """
        octets = _octets_of(token)
        if not _LEN_MIN <= len(octets) <= _LEN_MAX:
            return None
        body, seal = octets[: -_SEAL.size], octets[-_SEAL.size :]
        if not compare_digest(seal, self._seal_of(body, purpose)):
            return None
        transport, port, listener, process, connection = _HEAD.unpack_from(body)
        if not is_known(transport):
            # Of another version of this software.
            return None
        remote = _unpacked(body[_HEAD.size :]), port
        return Flow(transport, 0, remote, ProcessId(process), connection), listener

    def _seal_of(self, body: bytes, purpose: bytes) -> bytes:
        return _SEAL.pack(self._seal.of(b"\0".join((body, purpose))))


def _octets_of(token: bytes) -> bytes:
    """What the token is the base64 of; b"" where it is none."""
    if len(token) > FLOW_TOKEN_LEN_MAX:
        return b""
    try:
        return urlsafe_b64decode(token + b"=" * (-len(token) % 4))
    except ValueError:
        return b""


def _packed(address: str) -> bytes:
    plain, _, scope = address.partition("%")
    if ":" not in plain:
        return IPv4Address(plain).packed
    return IPv6Address(plain).packed + scope.encode()


def _unpacked(octets: bytes) -> str:
    if len(octets) == 4:
        return str(IPv4Address(octets))
    scope = octets[16:].decode("latin-1")
    plain = str(IPv6Address(octets[:16]))
    return f"{plain}%{scope}" if scope else plain
