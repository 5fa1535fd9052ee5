"""One line of the log a minute at most that says which WebSocket connections were refused, or closed, and why.

It says how many for each reason, and nothing that a stranger has sent.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from appliance.catalogue.counters import (
    COUNTERS,
    WEB_SOCKET_FRAMES_MALFORMED,
    WEB_SOCKET_FRAMES_USELESS,
    WEB_SOCKET_MESSAGES_TOO_LONG,
    WEB_SOCKETS_NOT_UPGRADED,
    WEB_SOCKETS_ORIGIN_REFUSED,
    WEB_SOCKETS_PROTOCOL_REFUSED,
    WEB_SOCKETS_REFUSED,
    WEB_SOCKETS_TIMED_OUT,
)

LOG_INTERVAL_S: Final = 60.0
REASONS: Final = (
    WEB_SOCKETS_NOT_UPGRADED,
    WEB_SOCKETS_ORIGIN_REFUSED,
    WEB_SOCKETS_PROTOCOL_REFUSED,
    WEB_SOCKETS_REFUSED,
    WEB_SOCKETS_TIMED_OUT,
    WEB_SOCKET_FRAMES_MALFORMED,
    WEB_SOCKET_FRAMES_USELESS,
    WEB_SOCKET_MESSAGES_TOO_LONG,
)
_NAMES: Final = {counter.id: counter.name for counter in COUNTERS}

log = logging.getLogger("signalbox.worker")


class RefusalLog:
    """`counters`: those of the worker, which go on to count."""

    def __init__(self, counters: Sequence[int]) -> None:
        self._counters = counters
        self._told = {reason: counters[reason] for reason in REASONS}
        self._told_at = -LOG_INTERVAL_S

    def tend(self, now: float) -> None:
        """Log what was counted since the last line; call it every second or so."""
        if now - self._told_at < LOG_INTERVAL_S:
            return
        news = [(self._counters[reason] - told, _NAMES[reason]) for reason, told in self._told.items()]
        if any(count for count, _ in news):
            reasons = ", ".join(f"{count} {name}" for count, name in news if count)
            log.warning("WebSocket connections refused or closed: %s", reasons)
            self._told = {reason: self._counters[reason] for reason in REASONS}
            self._told_at = now
