"""The members that run, and the difference of their clocks: each member renews a key in etcd that soon expires.

The key holds the version of the software, the time of the start, the number of the configuration, how far the member is
with the keys that seal tokens, and the time by the member's clock when it was written: every three seconds, and when
the step of these keys changes. A member that sees it change compares that time with its own clock. What comes late
makes the other clock look slow, never fast, so the highest of the last differences is the one that counts.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import asdict, dataclass
from typing import Final

from appliance.cluster.coordination.key_store import NO_LEASE, KeyStore, Put
from appliance.cluster.coordination.keys import ClusterKeys

LIFETIME_S: Final = 10
INTERVAL_S: Final = 3.0
SAMPLES_MAX: Final = 5
SAMPLES_MIN: Final = 3
APART_MAX_S: Final = 5.0
TOGETHER_S: Final = 2.5
"""A clock that was apart is so until it differs by less than this."""


@dataclass(frozen=True, slots=True)
class Presence:
    """What a member says of itself. Times are unix times by its clock. `commit`: the number of the configuration in
    force on it, 0 for unknown; `sealing_step`: of the keys that all its workers have (messages/sealing_keys.py), -1 for
    unknown.
    """

    version: str
    since: float
    wall_time: float
    commit: int = 0
    sealing_step: int = -1

    def to_octets(self) -> bytes:
        """As it is stored."""
        return json.dumps({"format": 1, **asdict(self)}).encode()

    @classmethod
    def from_octets(cls, octets: bytes) -> Presence | None:
        """None for what cannot be understood."""
        try:
            fields = json.loads(octets)
            commit = int(fields.get("commit", 0))
            step = int(fields.get("sealing_step", -1))
            return cls(str(fields["version"]), float(fields["since"]), float(fields["wall_time"]), commit, step)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


class PresenceKey:
    """The key of this member. Call `tend` again and again."""

    def __init__(self, store: KeyStore, keys: ClusterKeys, member: int, version: str, since: float) -> None:
        self._store = store
        self._key = keys.presence(member)
        self._version, self._since = version, since
        self._lease = NO_LEASE
        self._due = float("-inf")
        self._step = -1

    def tend(self, now: float, wall_time: float, commit: int = 0, sealing_step: int = -1) -> None:
        """Write the key when it is time. Raises StoreUnavailable and StoreRefused."""
        if now < self._due and sealing_step == self._step:
            return
        if self._lease == NO_LEASE or not self._store.keep(self._lease):
            self._lease = self._store.grant(LIFETIME_S)
        value = Presence(self._version, self._since, wall_time, commit, sealing_step).to_octets()
        self._store.commit([], [Put(self._key, value, self._lease)])
        self._due, self._step = now + INTERVAL_S, sealing_step

    def end(self) -> None:
        """Delete it: this member stops. Raises StoreUnavailable and StoreRefused."""
        if self._lease != NO_LEASE:
            self._store.revoke(self._lease)
            self._lease = NO_LEASE


class ClockDifferences:
    """What clocks of other members are ahead of ours, in seconds."""

    def __init__(self) -> None:
        self._samples: dict[int, deque[float]] = {}
        self._apart: set[int] = set()

    def told(self, member: int, theirs: float, ours: float) -> None:
        """A member wrote its time, which came at this time by our clock."""
        self._samples.setdefault(member, deque(maxlen=SAMPLES_MAX)).append(theirs - ours)
        self._look(member)

    def forget_but(self, members: set[int]) -> None:
        """Others are not present."""
        for member in set(self._samples) - members:
            del self._samples[member]
            self._apart.discard(member)

    def of(self, member: int) -> float | None:
        """None: not known."""
        samples = self._samples.get(member)
        return max(samples) if samples else None

    def is_apart(self, member: int) -> bool:
        """Is it so far that operators should know?"""
        return member in self._apart

    def _look(self, member: int) -> None:
        difference = abs(max(self._samples[member]))
        if len(self._samples[member]) >= SAMPLES_MIN and difference > APART_MAX_S:
            self._apart.add(member)
        elif difference < TOGETHER_S:
            self._apart.discard(member)
