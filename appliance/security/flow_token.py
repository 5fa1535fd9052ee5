"""The token of a flow: the way to a phone, sealed, so that nothing has to be remembered (RFC 5626 5.2).

Octets in base64url without padding (RFC 4648 5): the mark of the key that has sealed it (2 bits) and the transport (6),
remote port (2), listener (4), process (4), connection (8), remote address (4, or 16 and the scope of a link-local one),
seal (8). Of the keys that are good (messages/sealing_keys.py) the one of its mark is tried.

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

from appliance.messages.sealing_keys import SealingKeys
from appliance.sip.siphash import SipHash
from appliance.transport.flow import Flow
from appliance.transport.process_id import ProcessId
from appliance.transport.transport_table import is_known

# Mark and transport, port, listener, process (-1 for datagrams), connection.
_HEAD: Final = Struct(">BHIiQ")
_SEAL: Final = Struct(">Q")
_MARK_SHIFT: Final = 6
_TRANSPORT: Final = (1 << _MARK_SHIFT) - 1
_LEN_MIN: Final = _HEAD.size + 4 + _SEAL.size
# With the longest scope that a system has (IF_NAMESIZE).
_LEN_MAX: Final = _HEAD.size + 16 + 16 + _SEAL.size
FLOW_TOKEN_LEN_MAX: Final = -(-_LEN_MAX * 4 // 3)


class FlowTokens:
    """The tokens of one appliance; `keys` are shared by all its workers. A listener is named by a number of 32 bits."""

    __slots__ = ("_mark", "_seals")

    def __init__(self, keys: SealingKeys) -> None:
        self._mark = keys.in_use.mark
        self._seals = {
            key.mark: SipHash(blake2s(key=key.key, digest_size=16, person=b"flow").digest())
            for key in (keys.in_use, keys.other)
            if key is not None
        }

    def write(self, flow: Flow, listener: int, purpose: bytes) -> bytes:
        """The token of a flow; `listener` names the one that it came in by, in place of its number."""
        address, port = flow.remote
        head = _HEAD.pack(self._mark << _MARK_SHIFT | flow.transport, port, listener, flow.process, flow.connection)
        body = head + _packed(address)
        return urlsafe_b64encode(body + _sealed(self._seals[self._mark], body, purpose)).rstrip(b"=")

    def read(self, token: bytes, purpose: bytes) -> tuple[Flow, int] | None:
        """The flow, with 0 for its listener, and the number that names the listener; None for what is no token of ours
        for this purpose.
        """
        octets = _octets_of(token)
        if not _LEN_MIN <= len(octets) <= _LEN_MAX:
            return None
        body, seal = octets[: -_SEAL.size], octets[-_SEAL.size :]
        by = self._seals.get(body[0] >> _MARK_SHIFT)
        if by is None or not compare_digest(seal, _sealed(by, body, purpose)):
            return None
        marked, port, listener, process, connection = _HEAD.unpack_from(body)
        transport = marked & _TRANSPORT
        if not is_known(transport):
            # Of another version of this software.
            return None
        remote = _unpacked(body[_HEAD.size :]), port
        return Flow(transport, 0, remote, ProcessId(process), connection), listener


def _sealed(seal: SipHash, body: bytes, purpose: bytes) -> bytes:
    return _SEAL.pack(seal.of(b"\0".join((body, purpose))))

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
