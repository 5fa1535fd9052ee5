"""The lines `status-threshold` of the section `snmp`: how many responses are too many (RFC 4780 5).

    status-threshold INVITE 503 500 interval 60
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.catalogue.snmp_values import LineWords, SnmpLine

# RFC 4780 sipCommonStatusCodeNotifThresh, -Interval.
THRESHOLD, INTERVAL_S = 500, 60
INTERVAL_MAX_S: Final = 3600
THRESHOLD_MAX: Final = 999999
METHODS: Final = (
    *("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "PRACK"),
    *("UPDATE", "SUBSCRIBE", "NOTIFY", "PUBLISH", "INFO", "REFER", "MESSAGE"),
)


@dataclass(frozen=True, slots=True)
class StatusThreshold:
    """More than `threshold` responses of a status code to a method within `interval_s`, in one direction."""

    method: str
    code: int
    threshold: int
    interval_s: int


@dataclass(frozen=True, slots=True)
class SnmpStatusThreshold(SnmpLine):
    """The kind of `status-threshold`."""

    placeholder: str = "METHOD CODE [NUMBER] [interval SECONDS]"
    range_text: str = (
        "more responses of this status code to this method within the interval, received or sent, are notified; "
        f"without NUMBER, {THRESHOLD}; without `interval`, {INTERVAL_S} seconds"
    )

    def read(self, words: Sequence[str]) -> str:
        rest = LineWords(words, self.placeholder)
        method = rest.take().upper()
        if method not in METHODS:
            raise rest.wrong(f'"{method}" is no method that is counted', f"type one of {', '.join(METHODS)}")
        code, threshold, interval_s = rest.integer(100, 699), THRESHOLD, INTERVAL_S
        if rest.are_left and rest.following != "interval":
            threshold = rest.integer(1, THRESHOLD_MAX)
        if rest.are_left:
            if rest.take().lower() != "interval":
                raise rest.wrong("`interval` is expected")
            interval_s = rest.integer(5, INTERVAL_MAX_S)
        if rest.are_left:
            rest.take()
            raise rest.wrong("nothing may follow")
        return f"{method} {code} {threshold} interval {interval_s}"


def status_threshold_of(value: str) -> StatusThreshold:
    """The parts of a value of `status-threshold`."""
    method, code, threshold, _, interval_s = value.split()
    return StatusThreshold(method, int(code), int(threshold), int(interval_s))
