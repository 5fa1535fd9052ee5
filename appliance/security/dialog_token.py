"""The token in our Record-Route: it admits the later requests of one dialog in one direction (RFC 3261 16.6 step 4).

A token is 56 hexadecimal digits, and nothing of it is remembered here:

- flags (1): what was known of the dialog, and what its ends may do (see below).
- until (7): the mark of the key that has sealed it (2 bits), one more flag (OF_PEER), and the last minute in which it
  is good: the last 25 bits of those since 1970, which come again after 63 years.
- way (16): a keyed digest of where the requests go: the remote target and the routes that follow ours.
- hop (8): a keyed digest of the address that the request which makes the dialog was sent to; 0 once it is answered.
- parties (8): a keyed digest of the addresses in From and To.
- seal (16): a keyed digest of these, and of what the requests have in common: Call-ID and tags.

The digests are keyed, so a token can neither be changed nor be tried out elsewhere; and as every worker has the keys,
a token outlives the worker that made it. Of the keys that are good (messages/sealing_keys.py) the one of its mark is
tried.
"""

from __future__ import annotations

from hashlib import blake2s
from typing import Final

from appliance.messages.sealing_keys import SealingKeys
from appliance.sip.characters import LOWER_HEX_DIGIT, hex_number, is_all, long_hex_of
from appliance.sip.siphash import SipHash

TOKEN_LEN: Final = 56
# The remote target, or the route before it, is at the address that it was learned from.
AT_SOURCE: Final = 1
# The sender of the request that made the dialog, or the end that is the remote target, may relay.
RELAYS: Final = 2
# Both ends are known: the token was made from an answer.
ANSWERED: Final = 4
# The request was sent to a peer, or to a next hop of the route tables.
TO_PEER: Final = 8
# Never in a token: what a request has been granted comes from one (proxy/dialogs.py).
ADMITTED: Final = 16
# The remote target was named by a peer, or by a next hop of the route tables.
OF_PEER: Final = 64

# Where each part begins, and where the last one ends.
_UNTIL: Final = 1
_WAY: Final = 8
_HOP: Final = 24
_PARTIES: Final = 32
_SEAL: Final = 40
_END: Final = TOKEN_LEN
_MARK_SHIFT: Final = 26
_OF_PEER_SHIFT: Final = 25
_MINUTES: Final = (1 << _OF_PEER_SHIFT) - 1
# A token's minute is past where it is less than half a round behind.
_HALF: Final = 1 << _OF_PEER_SHIFT - 1
_FLAGS: Final = 15


class DialogTokens:
    """The tokens of one appliance; `keys` are shared by all its workers. Minutes count from 1970.

    `ends` is what the requests have in common, as one text. What is asked of a token holds for one that has flags; its
    digests are compared as numbers, which takes equally long wherever they differ.
    """

    __slots__ = ("_mark", "_other", "_other_mark", "_own")

    def __init__(self, keys: SealingKeys) -> None:
        other = keys.in_use if keys.other is None else keys.other
        self._mark, self._own = keys.in_use.mark, TokenDigests(keys.in_use.key)
        self._other_mark, self._other = other.mark, TokenDigests(other.key)

    def write(self, ends: bytes, parties: bytes, way: bytes, hop: bytes, until_min: int, flags: int) -> bytes:
        """The token of requests that go that way, good to the end of the minute `until_min`; `hop`: b"" for none."""
        of_peer = 1 if flags & OF_PEER else 0
        last = self._mark << _MARK_SHIFT | of_peer << _OF_PEER_SHIFT | until_min & _MINUTES
        start = (flags & _FLAGS) << 28 | last
        own = self._own
        hop_digest, parties_digest = own.short(hop), own.short(parties)
        body = f"{start:08x}{own.of_way(way):016x}{hop_digest:08x}{parties_digest:08x}".encode("ascii")
        return body + long_hex_of(own.seal_of(body, ends))

    def flags_of(self, token: bytes) -> int:
        """The flags in a token, not verified; -1 for what is no token."""
        if len(token) != TOKEN_LEN or not is_all(token, LOWER_HEX_DIGIT):
            return -1
        of_peer = hex_number(token, _UNTIL, _WAY) >> _OF_PEER_SHIFT & 1
        return hex_number(token, 0, _UNTIL) | (OF_PEER if of_peer else 0)

    def until_of(self, token: bytes) -> int:
        """The last minute in which it is good, as `write` takes it."""
        return hex_number(token, _UNTIL, _WAY) & _MINUTES

    def is_over(self, token: bytes, minute: int) -> bool:
        """Is that before this minute since 1970?"""
        return (self.until_of(token) - minute) & _MINUTES >= _HALF

    def is_own(self, token: bytes, ends: bytes) -> bool:
        """Was a token written here, for these ends, with a key that is good?"""
        mark = hex_number(token, _UNTIL, _WAY) >> _MARK_SHIFT
        if mark != self._mark and mark != self._other_mark:
            return False
        return hex_number(token, _SEAL, _END) == self._digests_of(token).seal_of(token[:_SEAL], ends)

    def leads(self, token: bytes, way: bytes) -> bool:
        """Is it for requests that go that way?"""
        return hex_number(token, _WAY, _HOP) == self._digests_of(token).of_way(way)

    def went_to(self, token: bytes, hop: bytes) -> bool:
        """Is `hop` the address that the request was sent to?"""
        return hex_number(token, _HOP, _PARTIES) == self._digests_of(token).short(hop)

    def is_between(self, token: bytes, parties: bytes) -> bool:
        """Are these the addresses in From and To?"""
        return hex_number(token, _PARTIES, _SEAL) == self._digests_of(token).short(parties)

    def _digests_of(self, token: bytes) -> TokenDigests:
        """Those of the key that has sealed the token, as its mark says."""
        return self._own if hex_number(token, _UNTIL, _WAY) >> _MARK_SHIFT == self._mark else self._other


class TokenDigests:
    """The digests that are made with one key."""

    __slots__ = ("_seal", "_way")

    def __init__(self, key: bytes) -> None:
        self._seal = SipHash(blake2s(key=key, digest_size=16, person=b"dialog").digest())
        self._way = SipHash(blake2s(key=key, digest_size=16, person=b"way").digest())

    def of_way(self, way: bytes) -> int:
        """64 bits of where requests go."""
        return self._way.of(way)

    def short(self, text: bytes) -> int:
        """32 bits of the digest of a text, 0 of none."""
        return self._way.of(text) & 0xFFFFFFFF if text else 0

    def seal_of(self, body: bytes, ends: bytes) -> int:
        """64 bits of all."""
        return self._seal.of(b"\0".join((body, ends)))
