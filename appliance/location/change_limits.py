"""How many changes of its contacts one address may make in a minute: a bound on what a single subscriber costs.

Each change is a record that is written, sent to every worker and remembered for a while. The rule is the generic cell
rate algorithm: of each address the moment is kept at which all that it has used will be free again.
"""

from __future__ import annotations

from typing import Final

WINDOW_S: Final = 60.0
ADDRESSES_MAX: Final = 20_000


class ChangeLimits:
    """`changes_max`: changes of one address in a minute, and at once after a quiet minute."""

    __slots__ = ("_before", "_free_at", "changes_max")

    def __init__(self, changes_max: int) -> None:
        self.changes_max = changes_max
        # By address, monotonic seconds: those that changed of late, and those before them.
        self._free_at: dict[bytes, float] = {}
        self._before: dict[bytes, float] = {}

    def __len__(self) -> int:
        return len(self._free_at) + len(self._before)

    def without_effects(self) -> ChangeLimits:
        """Limits that decide as these, for which nothing that they take counts."""
        other = ChangeLimits(self.changes_max)
        other._free_at, other._before = self._free_at.copy(), self._before.copy()
        return other

    def wait_for(self, aor: bytes, count: int, now: float) -> float:
        """Take `count` changes and return 0.0; or take none, and return the seconds after which they would fit.

        More at once than a whole minute may have are taken as a whole minute's.
        """
        cost_s = WINDOW_S * min(count, self.changes_max) / self.changes_max
        free_at = max(self._free_at.get(aor, 0.0), self._before.get(aor, 0.0), now)
        beyond_s = free_at + cost_s - now - WINDOW_S
        if beyond_s > 0.0:
            return beyond_s
        if len(self._free_at) >= ADDRESSES_MAX // 2:
            # Those that have not changed for longest are forgotten.
            self._before, self._free_at = self._free_at, {}
        self._free_at[aor] = free_at + cost_s
        return 0.0
