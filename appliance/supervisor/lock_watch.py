"""Is there a process that holds the write lock of the registration table and does not go on?

A stopped process keeps the lock until it is ended; then the next one has it (a robust mutex). Others write nothing
meanwhile. A look at mapped memory tells the thread that holds it, and the number of the last transaction: a process
that is merely busy moves the number.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

HELD_MAX_S: Final = 0.2
# A holder that has no processor is slow, and to end it would not help; but for so long only.
EXCUSED_MAX_S: Final = 1.0
LOOK_S: Final = 0.25
LOOK_SOON_S: Final = 0.05


class Lock(Protocol):
    """The word of the lock (storage/lmdb_environment.py)."""

    def holder(self) -> int: ...
    def last_transaction(self) -> int: ...


class LockWatch:
    """Call `look` when the supervisor is awake, at least every `look_within_s`. Times are monotonic seconds."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._seen = (0, 0)
        self._since = 0.0
        self._waited_s = 0.0

    @property
    def look_within_s(self) -> float:
        """When to look again, at the latest."""
        return LOOK_SOON_S if self._seen[0] else LOOK_S

    def look(self, now: float) -> int:
        """The thread that has held the lock for too long, as far as processor time does not excuse it; 0 for none."""
        seen = (self._lock.holder(), self._lock.last_transaction())
        if seen != self._seen:
            self._seen, self._since = seen, now
            self._waited_s = waited_s(seen[0]) if seen[0] else 0.0
            return 0
        thread, held_s = seen[0], now - self._since
        if not thread or held_s <= HELD_MAX_S:
            return 0
        excused_s = min(max(waited_s(thread) - self._waited_s, 0.0), EXCUSED_MAX_S)
        return thread if held_s - excused_s > HELD_MAX_S else 0

    def forgive(self, now: float) -> None:
        """The supervisor itself was held up: what stood still meanwhile proves nothing."""
        self._since = now


def waited_s(thread: int) -> float:
    """Seconds for which a thread has wanted a processor and had none (proc(5), schedstat); 0 if unknown."""
    try:
        return int(Path(f"/proc/{thread}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def has_thread(pid: int, thread: int) -> bool:
    """Is it a thread of that process?"""
    return Path(f"/proc/{pid}/task/{thread}").exists()
