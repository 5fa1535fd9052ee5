"""Findings at the start of the appliance, a sentence each, kept until their cause is gone.

What is missing is looked for again and again. What was mended at the start (a damaged file was set aside) is an alarm
for a day, and stays in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from appliance.catalogue.alarms import START_REMARK, Condition
from appliance.catalogue.settings import Settings

CHECK_INTERVAL_S: Final = 10.0
MENDED_S: Final = 24 * 3600.0

# A sentence while something is wrong, "" when it is not.
Check = Callable[[Settings], str]


class StartRemarks:
    """`mended`: sentences on what is over. `checks`: what may be wrong, and may be put right. Times are monotonic."""

    def __init__(self, settings: Settings, mended: Sequence[str], checks: Sequence[Check], now: float) -> None:
        self._mended = list(enumerate(mended, 1))
        self._mended_until = now + MENDED_S
        found = enumerate((check(settings) for check in checks), len(mended) + 1)
        self._wrong = [(number, text, check) for (number, text), check in zip(found, checks, strict=True) if text]
        self._check_at = now + CHECK_INTERVAL_S

    def sentences(self) -> list[str]:
        """All that is still so."""
        return [text for _, text in self._mended] + [text for _, text, _ in self._wrong]

    def conditions(self, settings: Settings, now: float) -> Iterator[Condition]:
        """The alarms; looks again from time to time."""
        if now >= self._mended_until:
            self._mended.clear()
        if now >= self._check_at:
            self._check_at = now + CHECK_INTERVAL_S
            again = [(number, check(settings), check) for number, _, check in self._wrong]
            self._wrong = [entry for entry in again if entry[1]]
        for number, text in (*self._mended, *((number, text) for number, text, _ in self._wrong)):
            yield Condition(START_REMARK, f"remark {number}", text)
