"""The numbers between this worker and one other: how far it has applied our changes, and how far we have its.

Changes are numbered on each link. Outwards a sibling has credit: it may leave WINDOW changes unacknowledged, and what
is more is not sent to it. It is asked when it owes acknowledgements for long, and lags when it goes on owing them.
Inwards a number that is not the next one shows that something is missing; until that is made good only what came
before is acknowledged. So a sibling costs some numbers, never a queue of records.
"""

from __future__ import annotations

from typing import Final

WINDOW: Final = 8192  # changes that a sibling may leave unacknowledged
PROBE_S: Final = 0.25  # unacknowledged for so long: ask


class ReplicationLink:
    """One other worker that lives. `seq`: the number of our last change; up to there nothing is expected of it.

    `sent`: the last number it was told of. `acked`: the last it has acknowledged. `is_in_sync`: it says that it holds
    everything. `is_owing`: it does not have all our changes or has not said so; then `probe_at` is when to look after
    it. `is_lagging`: it does not keep up. `is_ack_due`: it is to be told how far we have its changes.
    """

    __slots__ = (
        "_heard",
        "_lag_until",
        "_skipped",
        "_sound",
        "_waiting_since",
        "acked",
        "is_ack_due",
        "is_in_sync",
        "is_lagging",
        "is_owing",
        "probe_at",
        "sent",
    )

    def __init__(self, seq: int, now: float) -> None:
        # Outwards: numbers of our changes.
        self.sent = seq
        self.acked = seq
        self.is_in_sync = False
        self.is_owing = False
        self.probe_at = 0.0
        self.is_lagging = False
        self._lag_until = 0  # the number whose acknowledgement ends the lag
        self._skipped = False  # something was not sent for want of credit
        self._waiting_since = now
        # Inwards: numbers of its changes.
        self._heard = 0  # the last that came
        self._sound = 0  # the last before which none is missing
        self.is_ack_due = False

    # Outwards

    def claim_credit(self, count: int, seq: int, now: float) -> bool:
        """Whether it may be sent the last `count` changes, up to number `seq`. If not, it will see a gap instead."""
        if self._skipped or self.sent - self.acked + count > WINDOW:
            self._skipped = True
            self.is_owing = True
            self._lag_until_acked(seq)
            return False
        if self.acked == self.sent:
            self._waiting_since = now
            self.probe_at = now + PROBE_S
        self.sent = seq
        # What was waiting to be sent when it came may be all there is.
        self.is_owing = self.acked < seq
        return True

    def ack_arrived(self, seq: int, now: float) -> None:
        """It has applied everything up to number `seq`; what is old or cannot be is ignored."""
        if seq <= self.acked or seq > self.sent:
            return
        self.acked = seq
        self._waiting_since = now
        self.probe_at = now + PROBE_S
        self.is_owing = seq < self.sent or self._skipped
        if seq >= self._lag_until and not self._skipped:
            self.is_lagging = False

    def check_credit(self, seq: int, lag_s: float, now: float) -> bool:
        """Whether it has to be told the number of the last change now, so that it acknowledges or sees what it missed.

        `seq`: the number of our last change; `lag_s`: from which wait on it lags.
        """
        if not self.is_owing:
            return False
        if self.acked == self.sent:
            # All it was sent has arrived: now it can hear of what it was not sent.
            self._skipped = False
            self.sent = seq
            self.is_owing = self.acked < seq
            self._waiting_since = now
            self.probe_at = now
            self._lag_until = seq
        if now - self._waiting_since >= lag_s and not self.is_lagging:
            self._lag_until_acked(self.sent)
        if self.probe_at > now:
            return False
        self.probe_at = now + PROBE_S
        return True

    def _lag_until_acked(self, seq: int) -> None:
        self.is_lagging = True
        self._lag_until = seq

    # Inwards

    def changes_arrived(self, first_seq: int, count: int) -> bool:
        """`count` changes of it came, the first of that number. Whether some before them are missing now."""
        is_gap = first_seq > self._heard + 1
        last = first_seq + count - 1
        if last > self._heard:
            if not is_gap and self._sound == self._heard:
                self._sound = last
            self._heard = last
        self.is_ack_due = True
        return is_gap

    def made_good(self) -> None:
        """What was missing of its changes has been got by other ways."""
        if self._sound < self._heard:
            self._sound = self._heard
            self.is_ack_due = True

    def acknowledge(self) -> int:
        """The number up to which we have everything; it is about to be told so."""
        self.is_ack_due = False
        return self._sound
