"""Faults of our own (a bug): each costs the message, timer or answer at hand, and no more.

A fault is counted, given to the log with the hash of the message (a few each minute), and told as an alarm until there
has been none for a while.
"""

from __future__ import annotations

from hashlib import blake2s
from typing import Final

from appliance.catalogue.counters import SOFTWARE_FAULTS
from appliance.sip.parser import find_call_id

LOGGED_PER_MINUTE: Final = 10
MINUTE_S: Final = 60.0
CALL_ID_LEN_MAX: Final = 256
# The alarm clears after this time without a fault.
ALARM_S: Final = 600.0


class SoftwareFault:
    """`doing`: what was handled. `digest`: the hash of the message, "" where there was none. `call_id`: its Call-ID in
    characters that can be shown, "" where it has none.
    """

    __slots__ = ("call_id", "digest", "doing", "error")

    def __init__(self, doing: str, digest: str, error: Exception, call_id: str = "") -> None:
        self.doing = doing
        self.digest = digest
        self.call_id = call_id
        self.error = error


class SoftwareFaults:
    """The faults of one worker.

    `is_unchecked`: there was one since this was set to False; the tables may need a look.
    """

    __slots__ = ("_alarm", "_alarm_until", "_counters", "_logged", "_minute_ends_at", "_to_log", "is_unchecked")

    def __init__(self, counters: list[int]) -> None:
        self.is_unchecked = False
        self._counters = counters
        self._to_log: list[SoftwareFault] = []
        self._logged = 0
        self._minute_ends_at = 0.0
        self._alarm = ""
        self._alarm_until = 0.0

    def note(self, doing: str, about: bytes, error: Exception, now: float) -> None:
        """A fault while `doing` ("a message") was handled; `about`: its octets."""
        self._counters[SOFTWARE_FAULTS] += 1
        self.is_unchecked = True
        digest = blake2s(about, digest_size=8).hexdigest() if about else ""
        if now >= self._minute_ends_at:
            self._minute_ends_at = now + MINUTE_S
            self._logged = 0
        if self._logged < LOGGED_PER_MINUTE:
            self._logged += 1
            self._to_log.append(SoftwareFault(doing, digest, error, _shown_call_id(about)))
        self._alarm_until = now + ALARM_S
        message_hash = f", hash {digest}" if digest else ""
        self._alarm = f"Software fault while processing {doing}: {type(error).__name__}{message_hash}."

    def take(self) -> list[SoftwareFault]:
        """What is to be logged since the last call."""
        faults = self._to_log
        if faults:
            self._to_log = []
        return faults

    def alarm(self, now: float) -> str:
        """What the operator should know; "" when there has been no fault for a while."""
        return self._alarm if now < self._alarm_until else ""


def _shown_call_id(about: bytes) -> str:
    """Of a message, or of a snapshot, which holds one."""
    call_id = (find_call_id(about) or b"")[:CALL_ID_LEN_MAX]
    return "".join(letter if letter.isprintable() else "?" for letter in call_id.decode("utf-8", "replace"))
