"""The state of etcd: whether it has answered this process, and each of its servers, which are asked in turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from appliance.catalogue.cluster_status import EtcdServerStatus
from appliance.cluster.coordination.key_store import KeyStore, ServerHealth

PATIENCE_S: Final = 5.0
"""An election takes a second or two; for so long no alarm is raised."""
PROBE_INTERVAL_S: Final = 2.0
DEGRADED_AFTER: Final = 2
"""So many probes of a server without an answer are no accident."""


class EtcdHealth:
    """Call `tend` again and again."""

    def __init__(self, store: KeyStore, servers: int, now: float) -> None:
        self.fault = ""
        """Why the last attempt had no success; "" for none."""
        self._refusal = ""
        self._store = store
        self._servers: list[ServerHealth | None] = [None] * servers
        self._silent = [0] * servers
        self._next = 0
        self._probe_at = now
        self._answered_at = now

    def answered(self, now: float) -> None:
        """An attempt had success."""
        if self.fault:
            # The servers were asked while none of them answered.
            self._silent = [0] * len(self._silent)
        self.fault, self._answered_at = "", now

    def failed(self, sentence: str, now: float) -> None:
        """An attempt had no answer."""
        self.fault = sentence

    def refused(self, sentence: str, now: float) -> None:
        """An attempt was answered, and refused."""
        self.fault, self._refusal, self._answered_at = "", sentence, now

    def took_changes(self) -> None:
        """What was to be written has been written."""
        self._refusal = ""

    def tend(self, now: float) -> None:
        """Ask the next server when it is time; a server that is frozen costs one short deadline."""
        if now < self._probe_at:
            return
        self._probe_at = now + PROBE_INTERVAL_S
        found = self._store.health(self._next)
        self._silent[self._next] = self._silent[self._next] + 1 if found.fault else 0
        self._servers[self._next] = found
        self._next = (self._next + 1) % len(self._servers)

    def is_unavailable(self, now: float) -> bool:
        """Has nothing had success for some time?"""
        return bool(self.fault) and now - self._answered_at > PATIENCE_S

    @property
    def trouble(self) -> str:
        """Why it takes no changes; "" when it does."""
        return self.fault or self._refusal

    def sentence(self) -> str:
        """Whether it answers, in words."""
        return self.trouble or "etcd answers."

    def remarks(self) -> Iterator[tuple[str, str]]:
        """What is wrong with it while it answers: of what, and a sentence."""
        if self._refusal:
            yield "etcd", self._refusal
        if not self.fault:
            for found, silent in zip(self._servers, self._silent, strict=True):
                if found is not None and silent >= DEGRADED_AFTER:
                    yield found.url, found.fault

    def servers(self) -> list[EtcdServerStatus]:
        """Each server as it was when it was asked last."""
        return [_status(found) for found in self._servers if found is not None]


def _status(found: ServerHealth) -> EtcdServerStatus:
    state = found.fault or ("leader" if found.is_leader else "healthy" if found.sees_leader else "without a leader")
    return EtcdServerStatus(found.url, state, found.version, found.size)
