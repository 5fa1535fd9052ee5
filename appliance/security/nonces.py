"""Digest nonces that need no memory until they are used (RFC 7616 3.3, 3.4, 5.4).

A nonce is the time of issue (16 hexadecimal digits of microseconds), a salt (4) and a seal (16). The seal is a keyed
function of these and of the source that was challenged, with a key of this start of the appliance: it proves that the
nonce is ours, was made since then, and is for that source. The time gives its age, and the salt keeps nonces of two
workers apart without telling which made one.

Any worker of the node takes a nonce that any of them made, for all have the key. Only when credentials have been proved
right is their use remembered, in a table that all workers share (security/nonce_counts.pyx): a nonce with a count is
taken once on the whole node, whatever Call-ID it comes with. What has to make room in the table is stale from then on.
"""

from __future__ import annotations

from hashlib import blake2s
from hmac import compare_digest
from typing import Final

from appliance.catalogue.settings import Settings
from appliance.messages.node_start import NodeStart
from appliance.security.nonce_counts import FIRST, FIRST_IN_PLACE, NonceCounts
from appliance.security.nonce_table import memory_len
from appliance.sip.characters import hex_of, long_hex_of
from appliance.sip.siphash import SipHash
from appliance.transport.process_id import ProcessId

NONCE_LEN: Final = 36


def nonces_for(settings: Settings, process: ProcessId, key: bytes, start: NodeStart) -> Nonces:
    """The nonces of a worker. `key`: of the appliance, which is kept over restarts."""
    memory = start.nonce_memory or bytearray(memory_len(settings.limits.nonces_max))
    return Nonces(key, start.boot, process, settings.digest.nonce_lifetime_s, NonceCounts(memory))


class Nonces:
    """Issues nonces, checks which are fresh, and notes the use of each count.

    `boot`: octets of this start of the appliance, the same for all its workers. `forgotten_count`: uses that made room
    before their nonce had expired.
    """

    __slots__ = ("_counts", "_issued_last", "_lifetime", "_mark", "_process", "_salt", "_seal", "forgotten_count")

    def __init__(self, key: bytes, boot: bytes, process: ProcessId, lifetime_s: float, counts: NonceCounts) -> None:
        self._seal = _keyed(b"nonce", key, boot)
        self._salt = _keyed(b"salt", key, boot)
        self._mark = _keyed(b"use", key, boot)
        self._process = b"%d" % process
        self._lifetime = int(lifetime_s * 1_000_000)
        self._counts = counts
        self._issued_last = 0
        self.forgotten_count = 0

    def reconfigure(self, lifetime_s: float) -> None:
        """Go by a new lifetime, for nonces that were issued before as well."""
        self._lifetime = int(lifetime_s * 1_000_000)

    def without_effects(self) -> Nonces:
        """The same nonces; uses are noted in a table of its own, which is empty: one that was used before is taken."""
        other = Nonces.__new__(Nonces)
        other._seal, other._salt, other._mark, other._process = self._seal, self._salt, self._mark, self._process
        other._lifetime, other._issued_last = self._lifetime, self._issued_last
        other._counts = NonceCounts(bytearray(memory_len(1)))
        other.forgotten_count = self.forgotten_count
        return other

    def issue(self, source: bytes, now: float) -> bytes:
        """A new nonce for a source (b"" for any); no two of a node are the same."""
        self._issued_last = max(self._issued_last + 1, int(now * 1_000_000))
        time = long_hex_of(self._issued_last)
        return self._sealed(time + long_hex_of(self._salt.of(self._process + time))[:4], source)

    def _sealed(self, text: bytes, source: bytes) -> bytes:
        return text + long_hex_of(self._seal.of(text + source))

    def is_fresh(self, nonce: bytes, source: bytes, now: float) -> bool:
        """Did this start of the appliance issue it for that source, and not too long ago?"""
        if len(nonce) != NONCE_LEN or not compare_digest(self._sealed(nonce[:20], source), nonce):
            return False
        return int(now * 1_000_000) - int(nonce[:16], 16) <= self._lifetime

    def use(self, nonce: bytes, count: int, now: float) -> bool:
        """Note a proved use of a fresh nonce; False when that count was used before, or that cannot be known."""
        issued = int(nonce[:16], 16) // 1_000_000 + 1
        expired = max(int(now * 1_000_000) - self._lifetime, 0) // 1_000_000 + 1
        outcome = self._counts.use(self._mark.of(nonce + hex_of(count)), issued, expired)
        self.forgotten_count += outcome == FIRST_IN_PLACE
        return outcome in (FIRST, FIRST_IN_PLACE)


def _keyed(purpose: bytes, key: bytes, boot: bytes) -> SipHash:
    """A keyed function for one purpose and one start of the appliance."""
    return SipHash(blake2s(boot, key=key, digest_size=16, person=purpose).digest())
