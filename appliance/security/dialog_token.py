"""The token in our Record-Route: it admits the later requests of one dialog in one direction (RFC 3261 16.6 step 4).

A token is 40 hexadecimal digits, and nothing of it is remembered here:

- until (8): the last minute, counted from 1970, in which it is good.
- way (16): a keyed digest of where the requests go: the remote target and the routes that follow ours.
- seal (16): a keyed digest of both with the Call-ID, the To tag of the requests, and their From tag where it is known.

The digests are keyed, so a token can neither be changed nor be tried out elsewhere; and as every worker has the key,
a token outlives the worker that made it.
"""

from __future__ import annotations

from hashlib import blake2s
from hmac import compare_digest

from appliance.sip.characters import hex_of, long_hex_of
from appliance.sip.siphash import SipHash

TOKEN_LEN = 40
_UNTIL = slice(0, 8)
_WAY = slice(8, 24)
_BODY = slice(0, 24)
_SEAL = slice(24, 40)
# In a request that makes a dialog nothing says which From tag the other end will have.
UNKNOWN = b""


class DialogTokens:
    """The tokens of one appliance; `key` is shared by all its workers. Minutes count from 1970."""

    __slots__ = ("_seal", "_way")

    def __init__(self, key: bytes) -> None:
        self._seal = SipHash(blake2s(key=key, digest_size=16, person=b"dialog").digest())
        self._way = SipHash(blake2s(key=key, digest_size=16, person=b"way").digest())

    def write(self, call_id: bytes, to_tag: bytes, from_tag: bytes, way: bytes, until_min: int) -> bytes:
        """The token of requests with these tags that go that way, good to the end of the minute `until_min`."""
        body = hex_of(until_min) + long_hex_of(self._way.of(way))
        return body + self._seal_of(body, call_id, to_tag, from_tag)

    def rewrite(self, token: bytes, call_id: bytes, to_tag: bytes, from_tag: bytes, way: bytes) -> bytes:
        """The token of another direction or way that ends when the given one, which is ours, does."""
        return self.write(call_id, to_tag, from_tag, way, int(token[_UNTIL], 16))

    def is_own(self, token: bytes, call_id: bytes, to_tag: bytes, from_tag: bytes) -> bool:
        """Was it written here for requests with exactly these tags, whatever their way?"""
        if len(token) != TOKEN_LEN:
            return False
        return compare_digest(token[_SEAL], self._seal_of(token[_BODY], call_id, to_tag, from_tag))

    def admits(self, token: bytes, call_id: bytes, to_tag: bytes, from_tag: bytes, way: bytes, minute: int) -> bool:
        """Does it let in a request that goes that way in that minute?"""
        if not self.is_own(token, call_id, to_tag, from_tag) and not self.is_own(token, call_id, to_tag, UNKNOWN):
            return False
        return token[_WAY] == long_hex_of(self._way.of(way)) and minute <= int(token[_UNTIL], 16)

    def _seal_of(self, body: bytes, call_id: bytes, to_tag: bytes, from_tag: bytes) -> bytes:
        return long_hex_of(self._seal.of(b"\0".join((body, call_id, to_tag, from_tag))))
