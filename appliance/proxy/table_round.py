"""A round through the registration table: each binding once in an interval, spread evenly, at a bounded rate."""

from __future__ import annotations

from typing import Final

# What was missed between two calls is not made up for in one burst.
MADE_UP_S: Final = 0.2


class TableRound:
    """Begins at `now`, with so many bindings in the table. `after`: the address that was seen last; b"" before the
    first one. `is_over`: all were seen. `ends_at`: when the next round may begin.
    """

    __slots__ = ("_credit", "_per_s", "_seen_at", "after", "ends_at", "is_over")

    def __init__(self, bindings: int, interval_s: float, rate_max_per_s: float, now: float) -> None:
        # With one more than there are, the last one comes before the end.
        self._per_s = min((bindings + 1) / interval_s, rate_max_per_s)
        self._credit = 0.0
        self._seen_at = now
        self.after = b""
        self.is_over = False
        self.ends_at = now + interval_s

    def due(self, now: float) -> int:
        """How many bindings are due now."""
        most = max(1.0, self._per_s * MADE_UP_S)
        self._credit = min(self._credit + (now - self._seen_at) * self._per_s, most)
        self._seen_at = now
        return int(self._credit)

    def seen(self, aor: bytes, bindings: int) -> None:
        """An address with so many live bindings."""
        self.after = aor
        self._credit -= bindings
