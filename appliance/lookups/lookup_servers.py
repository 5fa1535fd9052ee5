"""The servers of one lookup: which are asked, in which order, and which are left alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from appliance.lookups.lookup_client import LookupClient

# Failures in a row after which a server is left alone, for how long; then one question is its trial.
FAILURES_MAX: Final = 3
REST_S: Final = 5.0


class LookupServer:
    """One server."""

    def __init__(self, client: LookupClient) -> None:
        self.client = client
        self._failures = 0
        self._rests_until = 0.0

    def is_ready(self, now: float) -> bool:
        """May it be asked? Of one that has failed, the first one to ask after its rest tries it for all."""
        if self._failures < FAILURES_MAX:
            return True
        if now < self._rests_until:
            return False
        self._rests_until = now + REST_S
        return True

    def has_answered(self) -> None:
        """It is there."""
        self._failures = 0

    def has_failed(self, now: float) -> None:
        """It did not answer."""
        self._failures += 1
        if self._failures >= FAILURES_MAX:
            self._rests_until = now + REST_S


class LookupServers:
    """All of one lookup, in the order of the configuration."""

    def __init__(self, clients: list[LookupClient]) -> None:
        self._servers = [LookupServer(client) for client in clients]

    def to_ask(self, now: float) -> Iterator[LookupServer]:
        """Those that are ready, the one to ask first at the beginning; none while all of them are left alone."""
        return (server for server in self._servers if server.is_ready(now))

    def close(self) -> None:
        """Give up the connections."""
        for server in self._servers:
            server.client.close()
