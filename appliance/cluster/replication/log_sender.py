"""How far another node has come in this node's change log: what is to be sent to it next.

Only what was made on this node is sent: what another node made, that one sends. An address whose bindings were made on
two nodes is sent with those of this one; the receiver finds them known, and that is the end of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from appliance.cluster.replication.send_window import SendWindow
from appliance.location.record_transfer import part_made_by
from appliance.messages.link_messages import RecordsChanged

LOG_STEP: Final = 512  # entries in one batch
BATCH_OCTETS: Final = 1 << 18
RESEND_S: Final = 2.0


class ChangedTable(Protocol):
    """The registration table, as far as it is read here."""

    @property
    def generation(self) -> int: ...
    @property
    def first_seq(self) -> int: ...
    @property
    def last_seq(self) -> int: ...
    def changes_after(self, seq: int, limit: int, /) -> list[tuple[int, bytes]]: ...
    def records_of(self, aors: list[bytes], /) -> list[bytes | None]: ...


@dataclass(frozen=True, slots=True)
class LogPart:
    """What this node made between two places of its log. is_full: there may be more after it."""

    after: int
    seq: int
    records: list[bytes]
    octets: int
    is_full: bool = False


def part_after(table: ChangedTable, after: int, node: int) -> LogPart:
    """The next part: `seq` is `after` at the end of the log. Raises TableUnsound, RecordError."""
    entries = table.changes_after(after, LOG_STEP)
    if not entries:
        return LogPart(after, after, [], 0)
    aors = list({aor: None for _, aor in entries})
    found = dict(zip(aors, table.records_of(aors), strict=True))
    return _filled(after, entries, found, node)


def _filled(
    after: int, entries: Sequence[tuple[int, bytes]], found: dict[bytes, bytes | None], node: int
) -> LogPart:
    records: list[bytes] = []
    seq, octets = after, 0
    for place, aor in entries:
        # An address that comes again in the log is sent once, as it is now.
        record = found.pop(aor, None)
        part = part_made_by(record, node) if record else b""
        if part:
            if octets + len(part) > BATCH_OCTETS and records:
                return LogPart(after, seq, records, octets, True)
            records.append(part)
            octets += len(part)
        seq = place
    return LogPart(after, seq, records, octets, len(entries) >= LOG_STEP)


class LogSender:
    """One other node. position: all up to there was sent, or is not ours to send."""

    def __init__(self) -> None:
        self.generation = 0
        self.position = 0
        self.is_started = False
        """Has this session a place in the log?"""
        self.is_refused = False
        """Was the last acknowledgement of another log?"""
        self.window = SendWindow()
        self._acknowledged = 0
        self.begins_at = 0
        """It has all that is before, or will get it by a comparison: what it acknowledges says nothing of that."""
        # The ends of the last batch that was sent, and of the last one that was acknowledged.
        self._told = 0
        self._taken = 0

    @property
    def acknowledged(self) -> int:
        """The other node has all of ours up to here."""
        return self._acknowledged if len(self.window) else self.position

    def start(self, table: ChangedTable, generation: int, seq: int) -> bool:
        """A session begins; the other node has taken the log of a generation up to `seq`. False: what it lacks is not
        in the log any more, so that it has to compare tables; then it gets what changes from now on.
        """
        self.generation = table.generation
        self.window.clear()
        is_resumed = generation == table.generation and table.first_seq <= seq <= table.last_seq
        self.position = self._acknowledged = seq if is_resumed else table.last_seq
        self._told = self._taken = self.position
        self.begins_at = 0 if is_resumed else self.position
        self.is_started, self.is_refused = True, False
        return is_resumed

    def stop(self) -> None:
        """The session is over."""
        self.is_started = False
        self.window.clear()

    def has_fallen_out(self, table: ChangedTable) -> bool:
        """Has the log lost what is to be sent next?"""
        return self.generation != table.generation or self.position < table.first_seq

    def message_of(self, part: LogPart) -> RecordsChanged:
        """The batch of a part that comes next."""
        return RecordsChanged(self.generation, self._told, part.seq, part.records)

    def sent(self, part: LogPart, now: float) -> None:
        """A part has left, or has nothing to be sent."""
        self.position = part.seq
        if part.records:
            if not len(self.window):
                self._acknowledged = part.after
            self._told = part.seq
            self.window.sent(part.seq, part.octets, now)

    def acknowledge(self, generation: int, seq: int) -> int:
        """The other node has taken all up to `seq`; returns how many batches that are."""
        self.is_refused = generation != self.generation
        if self.is_refused or seq > self.position or not self.is_started:
            return 0
        self._acknowledged = max(self._acknowledged, seq)
        self._taken = max(self._taken, seq)
        return self.window.acknowledged(seq)

    def go_back(self, now: float) -> bool:
        """Nothing was acknowledged for too long: send it again. True where that is so."""
        since = self.window.waits_since()
        if since is None or now - since < RESEND_S:
            return False
        self.position, self._told = self._acknowledged, self._taken
        self.window.clear()
        return True

    def waits_s(self, now: float) -> float:
        """For how long the oldest batch has waited for its acknowledgement."""
        since = self.window.waits_since()
        return 0.0 if since is None else now - since
