"""The door to time: everything below is told the time and never asks.

Monotonic seconds are for intervals and timers and are the same for all processes of a node until it
is rebooted; wall time is for what outlives a process, such as the expiry of a registration.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

# Not wrapped: a worker asks several times for each message.
monotonic: Final = time.monotonic
"""Seconds since some moment before the node started; never steps back."""

monotonic_ns: Final = time.monotonic_ns
"""The same in whole nanoseconds: of two processes of a node, the later one starts with the higher number."""

wall_time: Final = time.time
"""Seconds since 1970, UTC; may step when the clock is set."""

ZONES: Final = Path("/usr/share/zoneinfo")
# Says that TZ comes from the configuration.
ZONE_VARIABLE: Final = "SIGNALBOX_TIMEZONE"


def has_time_zone(name: str) -> bool:
    """Does this machine know the time zone? "" is its own."""
    return not name or (ZONES / name).is_file()


def unknown_time_zone(names: Iterable[str]) -> str:
    """The first of the time zones that this machine does not know; "" for none."""
    return next((name for name in names if not has_time_zone(name)), "")


def set_time_zone(name: str) -> None:
    """Let this process, and those it starts, write times in a zone; "" is that of the machine."""
    if name:
        os.environ["TZ"] = os.environ[ZONE_VARIABLE] = name
    elif os.environ.pop(ZONE_VARIABLE, None) is None:
        # Another TZ than ours stays.
        return
    else:
        os.environ.pop("TZ", None)
    time.tzset()


def boot_time() -> float:
    """Seconds since the machine was booted, the time it slept included; does not step when the clock is set."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def lifetime_clock(offset_s: float | None) -> Callable[[], float]:
    """The clock by which registrations live: unix time as the supervisor found it, that no step of the clock moves.

    `offset_s` is what it is ahead of boot_time(), the same in all processes of a node; None: the unix time itself.
    """
    if offset_s is None:
        return wall_time
    return lambda: boot_time() + offset_s


def local_time_text() -> str:
    """Local date and time of day for a line of log, to the millisecond."""
    return local_time_of(time.time())


def local_time_of(now: float) -> str:
    """The same of a moment in unix time."""
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(now))}.{int(now * 1000) % 1000:03d}"
