"""Temporary GRUUs: a URI for one device of a user that reveals neither (RFC 5627 3.1.2, 5.4, A.2).

The user part is `tgruu.` and octets in base64url (RFC 4648 5), and nothing of it is remembered: it holds, enciphered,
for whom it was issued (location/gruu.py says when that is still valid). The seal is a keyed digest of what is
enciphered and begins the key stream (a synthetic IV, RFC 5297 1.3.2): each REGISTER gives another one, and two of them
cannot be told to belong together.

Octets: the mark of the key (2 bits) and the seal (126 bits); then, enciphered, version (8), digests of instance and
Call-ID (4 each), reg-id (4), length of the user (1), user, zeros up to one of few lengths. Of the keys that are good
(messages/sealing_keys.py) the one of its mark is tried: what a key has sealed opens no more after two rotations.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2s
from hmac import compare_digest
from struct import Struct
from typing import Final

from appliance.location.gruu import TEMPORARY, IssuedGruu
from appliance.messages.sealing_keys import SealingKey, SealingKeys

_HEAD: Final = Struct(">QIIIB")
_SEAL_LEN: Final = 16
_MARK_SHIFT: Final = 6
# Of what is enciphered, so that its length says little of the user; with the seal whole groups of base64.
_FIRST_LEN: Final = 56
_STEP_LEN: Final = 48
USER_LEN_MAX: Final = 179
_LEN_MAX: Final = _SEAL_LEN + _FIRST_LEN + 3 * _STEP_LEN
_STREAM_LEN: Final = 32


class TemporaryGruus:
    """Those of one appliance; `keys` are shared by all its workers."""

    __slots__ = ("_by_mark", "_in_use")

    def __init__(self, keys: SealingKeys) -> None:
        self._in_use = _GruuKey(keys.in_use)
        others = (_GruuKey(key) for key in (keys.other,) if key is not None)
        self._by_mark = {key.mark: key for key in (*others, self._in_use)}

    def write(self, issued: IssuedGruu) -> bytes:
        """The user part of its URI; b"" for a user whose name is too long."""
        user = issued.user
        if len(user) > USER_LEN_MAX:
            return b""
        head = _HEAD.pack(issued.version, issued.instance_digest, issued.call_digest, issued.reg_id, len(user))
        return TEMPORARY + urlsafe_b64encode(self._in_use.sealed(_padded(head + user)))

    def read(self, user: bytes) -> IssuedGruu | None:
        """For whom a GRUU with this user part was issued; None for what was not made here."""
        octets = _octets_of(user.removeprefix(TEMPORARY)) if user.startswith(TEMPORARY) else b""
        if not octets:
            return None
        key = self._by_mark.get(octets[0] >> _MARK_SHIFT)
        text = b"" if key is None else key.opened(octets)
        if not text:
            return None
        version, instance_digest, call_digest, reg_id, length = _HEAD.unpack_from(text)
        name = text[_HEAD.size : _HEAD.size + length]
        return IssuedGruu(name, version, instance_digest, call_digest, reg_id)


class _GruuKey:
    __slots__ = ("_seal", "_stream", "mark")

    def __init__(self, key: SealingKey) -> None:
        self.mark = key.mark
        self._seal = blake2s(key=key.key, digest_size=32, person=b"gruuseal").digest()
        self._stream = blake2s(key=key.key, digest_size=32, person=b"gruustrm").digest()

    def sealed(self, text: bytes) -> bytes:
        seal = self._seal_of(text)
        return seal + _xor(text, self._stream_of(seal, len(text)))

    def opened(self, octets: bytes) -> bytes:
        """What is in it; b"" where it was not sealed, or by another key."""
        seal, hidden = octets[:_SEAL_LEN], octets[_SEAL_LEN:]
        text = _xor(hidden, self._stream_of(seal, len(hidden)))
        return text if compare_digest(seal, self._seal_of(text)) else b""

    def _seal_of(self, text: bytes) -> bytes:
        digest = blake2s(text, key=self._seal, digest_size=_SEAL_LEN).digest()
        first = self.mark << _MARK_SHIFT | digest[0] & (1 << _MARK_SHIFT) - 1
        return bytes((first,)) + digest[1:]

    def _stream_of(self, seal: bytes, length: int) -> bytes:
        blocks = range(-(-length // _STREAM_LEN))
        return b"".join(blake2s(seal + bytes((block,)), key=self._stream).digest() for block in blocks)[:length]


def _xor(text: bytes, stream: bytes) -> bytes:
    return (int.from_bytes(text, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(text), "big")


def _padded(text: bytes) -> bytes:
    steps = max(0, -(-(len(text) - _FIRST_LEN) // _STEP_LEN))
    return text.ljust(_FIRST_LEN + steps * _STEP_LEN, b"\0")


def _octets_of(token: bytes) -> bytes:
    """What the token is the base64 of; b"" where it has no length of ours."""
    if len(token) > _LEN_MAX * 4 // 3:
        return b""
    try:
        octets = urlsafe_b64decode(token)
    except ValueError:
        return b""
    body_len = len(octets) - _SEAL_LEN - _FIRST_LEN
    return octets if body_len >= 0 and body_len % _STEP_LEN == 0 else b""
