"""Which new requests are let in when there is more to do than can be done (RFC 3261 21.5.4, RFC 6357).

The measure is the queueing delay: how old the oldest message is when it is read. A delay that stays over the target
for PATIENCE_S is a standing queue, not a burst. From then on a share of the new requests is refused, and a
proportional-integral law of the kind of RFC 8033 moves the share so that the delay comes to rest at the target: the
worker always has work, and no message waits longer than that. Beyond `delay_limit` everything new is refused.

    share += GAIN * (delay - target) * elapsed + DAMPING * (delay - delay before)

A refused REGISTER gets a Retry-After of its own (RFC 3261 20.33), as late as the rate of admitted registrations
permits: the phones of a city whose power has returned register one after another. Other requests get the shortest
time, because a proxy that receives Retry-After sends nothing at all until then.

Nothing is random: shares are dealt out evenly, so that the same load gives the same answers.
"""

from __future__ import annotations

from math import ceil
from typing import Final

from appliance.catalogue.overload_settings import OverloadSettings

PATIENCE_S: Final = 0.2
STEP_S: Final = 0.025
# Per second and second; and per second. Well damped when a little or much too much is offered, also where a call has
# its costs seconds later.
GAIN: Final = 3.0
DAMPING: Final = 3.0
# While hardly anything waits the share is halved in this time, as RFC 8033 4.2 does.
HALVED_IN_S: Final = 0.5
SHARE_LEAST: Final = 0.01
# Where nothing has been read for so long, nothing waits.
QUIET_S: Final = 2.0
# How long what was let in is remembered, to know how much that is a second.
RATE_WINDOW_S: Final = 1.0


class OverloadController:
    """The gate of one worker. `is_refusing`: ask `admits` of each new request; otherwise all may come in."""

    __slots__ = (
        "_above_since",
        "_admitted",
        "_appointment",
        "_debt",
        "_delay",
        "_delay_before",
        "_limit_s",
        "_rate",
        "_rate_at",
        "_retry_after",
        "_stepped_at",
        "_target_s",
        "delay_s",
        "is_refusing",
        "share",
    )

    def __init__(self, settings: OverloadSettings) -> None:
        self.reconfigure(settings)
        self.is_refusing = False
        self.share = 0.0
        """The part of the new requests that is refused, 0 to 1."""
        self.delay_s = 0.0
        """What was measured last."""
        self._above_since: float | None = None
        # The least delay of this step: what even the luckiest message had to wait.
        self._delay = 0.0
        self._delay_before = 0.0
        self._stepped_at = 0.0
        self._debt = 0.0
        self._admitted = 0
        self._rate = 0.0
        self._rate_at = 0.0
        self._appointment = 0.0

    def reconfigure(self, settings: OverloadSettings) -> None:
        """Go by new settings from now on."""
        self._target_s = settings.delay_target_ms / 1000
        self._limit_s = settings.delay_limit_ms / 1000
        self._retry_after = (settings.retry_after_min_s, settings.retry_after_max_s)

    # -- the delay -----------------------------------------------------------------------------------

    def observe(self, delay_s: float, now: float) -> None:
        """The oldest message that was just read had waited for `delay_s`."""
        self.delay_s = delay_s
        if not self.is_refusing:
            self._watch(delay_s, now)
            return
        self._delay = min(self._delay, delay_s)
        elapsed = now - self._stepped_at
        if elapsed >= STEP_S:
            self._step(self._delay, elapsed, now)
            self._delay = delay_s

    def _watch(self, delay_s: float, now: float) -> None:
        if delay_s <= self._target_s:
            self._above_since = None
        elif self._above_since is None:
            self._above_since = now
        elif now - self._above_since >= PATIENCE_S:
            self.is_refusing = True
            self._delay = self._delay_before = delay_s
            self._stepped_at = self._rate_at = now
            self._debt = self._rate = 0.0
            self._admitted = 0

    def _step(self, delay: float, elapsed: float, now: float) -> None:
        share = self.share + GAIN * (delay - self._target_s) * elapsed + DAMPING * (delay - self._delay_before)
        if max(delay, self._delay_before) < self._target_s / 2:
            share *= 0.5 ** (elapsed / HALVED_IN_S)
        self.share = min(max(share, 0.0), 1.0)
        self._delay_before = delay
        self._stepped_at = now
        if self.share < SHARE_LEAST and delay < self._target_s / 2:
            self._end()

    def rest(self, now: float) -> None:
        """Call it every second or so: messages that no longer come are never measured, and end what they began."""
        if self.is_refusing:
            if now - self._stepped_at > QUIET_S:
                self._end()
        elif self._above_since is not None and now - self._above_since > QUIET_S:
            self._above_since = None

    def _end(self) -> None:
        self.is_refusing = False
        self.share = 0.0
        self._above_since = None

    # -- new requests --------------------------------------------------------------------------------

    def admits(self, now: float) -> bool:
        """May one more new request come in?"""
        if self._delay > self._limit_s:
            return False
        self._debt += self.share
        if self._debt >= 1.0:
            self._debt -= 1.0
            return False
        self._admitted += 1
        return True

    def retry_after_s(self) -> int:
        """The Retry-After of a refused request, in seconds."""
        return self._retry_after[0]

    def appointment_s(self, now: float) -> int:
        """The Retry-After of a refused REGISTER, in seconds; a different one each time."""
        earliest, latest = self._retry_after
        self._note_rate(now)
        self._appointment = max(self._appointment, now + earliest) + 1.0 / max(self._rate, 1.0)
        if self._appointment > now + latest:
            self._appointment = now + earliest
        return ceil(self._appointment - now)

    def overload(self) -> str:
        """What the operator should know while requests are refused, as a sentence; nothing at other times."""
        if not self.is_refusing:
            return ""
        return (
            f"The queueing delay is {self.delay_s * 1000:.0f} ms; {self.share * 100:.0f} % of new requests are "
            "rejected with 503."
        )

    def _note_rate(self, now: float) -> None:
        elapsed = now - self._rate_at
        if elapsed >= RATE_WINDOW_S:
            self._rate = self._admitted / elapsed
            self._admitted = 0
            self._rate_at = now
