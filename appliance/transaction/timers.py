"""The timers of one worker, and how long each one runs (RFC 3261 17 and appendix A, RFC 6026 8.11).

Timers of one duration expire in the order in which they were started, and durations are few: so each
duration has a ring of its own, a doubly linked FIFO whose head expires first. Starting and cancelling
are O(1), a tick is O(due), and the next deadline is the least of a dozen heads. A cancelled timer
leaves its ring and lets go of its owner at once; nothing dead waits in a long ring.

To wake up costs more than to handle a timer, and most timers of seconds only end the memory of what is over. Those are
named by `next_due` at the next eighth of a second, so that they expire in company.

A waiting timer takes 72 bytes when compiled, 96 when not; a cancelled one takes none.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Final, Protocol

# Rings are kept when they run empty, since they fill again; past this number the empty ones go.
RINGS_KEPT: Final = 32
NEVER: Final = float("inf")
# Durations from here on need not be exact; T2, the longest interval of a retransmission, is below by default.
LONG_S: Final = 4.5
EIGHTHS: Final = 8.0
# What the token of a ring says.
_EXACT: Final = 0
_IN_COMPANY: Final = 1


class TimerOwner(Protocol):
    """The object that a timer calls."""

    def timer_fired(self, token: int, now: float) -> None:
        """The timer started with `token` has expired."""


class TimerSettings:
    """Durations in seconds (RFC 3261 table 4, RFC 6026 8.11). Does not change.

    `t1`, `t2` and `t4` are the estimates of 17.1.1.1; `c` is the proxy's (16.6 step 11); the rest is
    derived. `d_unreliable`, `i_unreliable`, `j_unreliable`, `k_unreliable` are 0 on reliable transports.
    `trying` is when timer E of the peer reaches T2: the time for the 100 to a non-INVITE (RFC 4320 4.1).

    Raises ValueError for durations that are no timers: not 0 < t1 <= t2, or t4 or c not positive.
    """

    __slots__ = (
        "b",
        "c",
        "d_unreliable",
        "f",
        "h",
        "i_unreliable",
        "j_unreliable",
        "k_unreliable",
        "l",
        "m",
        "t1",
        "t2",
        "t4",
        "trying",
    )

    def __init__(self, t1: float = 0.5, t2: float = 4.0, t4: float = 5.0, c: float = 181.0) -> None:
        if not 0 < t1 <= t2 or t4 <= 0 or c <= 0:
            raise ValueError(f"no timers: t1={t1} t2={t2} t4={t4} c={c}")
        self.t1 = t1
        self.t2 = t2
        self.t4 = t4
        self.c = c
        self.b = self.f = self.h = self.l = self.m = self.j_unreliable = 64 * t1
        # RFC 3261 17.1.1.2: at least 32 s whatever T1 is here, for the peer's T1 is not known.
        self.d_unreliable = max(32.0, 64 * t1)
        self.i_unreliable = self.k_unreliable = t4
        self.trying = _until_capped(t1, t2)


def _until_capped(t1: float, t2: float) -> float:
    """Seconds until a timer that starts at T1 and doubles is set to T2: 0.5 + 1 + 2 by default."""
    elapsed, interval = 0.0, t1
    while interval < t2:
        elapsed += interval
        interval *= 2
    return elapsed


class Timer:
    """One started timer: the handle to cancel it by. `owner` is None once it has fired or was cancelled."""

    __slots__ = ("_after", "_before", "at", "owner", "token")

    def __init__(self, at: float, owner: TimerOwner | None, token: int) -> None:
        self.at = at
        self.owner = owner
        self.token = token
        # Both None: in no ring. A ring's own timer, which never fires, has itself on both sides.
        self._before: Timer | None = None
        self._after: Timer | None = None


class Timers:
    """All timers of a worker, of every owner.

    `failed` is called for an owner that raised an exception; None: the exception goes to the caller of `fire`.
    """

    __slots__ = ("_len", "_ring_list", "_rings", "failed")

    def __init__(self) -> None:
        self.failed: Callable[[TimerOwner, Exception, float], None] | None = None
        self._rings: dict[float, Timer] = {}
        # The same to be gone through, which is done in every turn.
        self._ring_list: list[Timer] = []
        self._len = 0

    def __len__(self) -> int:
        """How many are waiting."""
        return self._len

    def start(self, duration_s: float, now: float, owner: TimerOwner, token: int) -> Timer:
        """Call `owner.timer_fired(token, now)` in `duration_s` seconds.

        `now` never goes back from call to call. The result is needed to cancel the timer; an owner that
        does not keep it is held until it fires. Pass durations from settings, not computed ones of many values.
        """
        ring = self._rings.get(duration_s)
        if ring is None:
            ring = self._new_ring(duration_s)
        # No constructor: it would cost compiled code an object for each number.
        timer = Timer.__new__(Timer)
        timer.at = now + duration_s
        timer.owner = owner
        timer.token = token
        last = ring._before
        assert last is not None
        timer._before = last
        timer._after = ring
        last._after = timer
        ring._before = timer
        self._len += 1
        return timer

    def _new_ring(self, duration_s: float) -> Timer:
        if len(self._rings) >= RINGS_KEPT:
            self._rings = {length: ring for length, ring in self._rings.items() if ring._after is not ring}
        ring = Timer(NEVER, None, _IN_COMPANY if duration_s >= LONG_S else _EXACT)
        ring._before = ring
        ring._after = ring
        self._rings[duration_s] = ring
        self._ring_list = list(self._rings.values())
        return ring

    def cancel(self, timer: Timer) -> None:
        """The timer will not fire. Harmless when it has fired or was cancelled before."""
        timer.owner = None
        if timer._after is not None:
            self._take_out(timer)

    def _take_out(self, timer: Timer) -> None:
        before, after = timer._before, timer._after
        assert before is not None and after is not None
        before._after = after
        after._before = before
        timer._before = timer._after = None
        self._len -= 1

    def next_due(self) -> float:
        """When the next timer expires, a long one at an eighth of a second; NEVER when none is waiting."""
        exact = in_company = NEVER
        for ring in self._ring_list:
            head = ring._after
            assert head is not None
            if ring.token == _EXACT:
                exact = min(exact, head.at)
            else:
                in_company = min(in_company, head.at)
        return exact if exact <= in_company else min(exact, _next_eighth(in_company))

    def due(self, now: float) -> list[Timer]:
        """Takes out the timers that have expired, the earliest first; those of one moment as they were started."""
        expired: list[Timer] = []
        for ring in self._ring_list:
            head = ring._after
            assert head is not None
            while head.at <= now:
                self._take_out(head)
                expired.append(head)
                head = ring._after
                assert head is not None
        if len(expired) > 1:
            expired.sort(key=attrgetter("at"))
        return expired

    def fire(self, now: float) -> int:
        """Call the owners of the expired timers; how many were called.

        A timer that is started meanwhile waits for the next call, even one of no duration.
        """
        told = 0
        for timer in self.due(now):
            owner = timer.owner
            # An owner that was called a moment ago may have cancelled this one.
            if owner is not None:
                timer.owner = None
                told += 1
                try:
                    owner.timer_fired(timer.token, now)
                except Exception as error:
                    if self.failed is None:
                        raise
                    self.failed(owner, error, now)
        return told

    def is_sound(self) -> bool:
        """Is each ring a ring, and do they hold as many timers as are waiting?"""
        count = 0
        for ring in self._ring_list:
            count += _count_of(ring, self._len)
        return count == self._len


def _count_of(ring: Timer, count_max: int) -> int:
    """How many timers a ring holds; more than `count_max` when its links are broken."""
    count, timer = 0, ring._after
    while timer is not ring:
        if timer is None or timer._after is None or timer._after._before is not timer or count > count_max:
            return count_max + 1
        count += 1
        timer = timer._after
    return count


def _next_eighth(moment: float) -> float:
    """The first moment from this one on that is a whole eighth of a second."""
    return -(-moment * EIGHTHS // 1.0) / EIGHTHS
