"""The keys that seal what is written into messages: tokens in Record-Route and Path, branches in Via.

One key seals, and another one is good for opening as well: the former one, or the next one, which all workers of all
nodes have to know before any of them seals with it. So a rotation has two steps:

    0 seals                      step 0
    0 seals, 1 opens as well     step 1: 1 is being distributed
    1 seals, 0 opens as well     step 2
    1 seals, 2 opens as well     step 3: what 0 has sealed opens no more

Steps only grow, so the keys with the higher step are the newer ones, wherever they come from.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Final

FORMAT: Final = 1
SEALING_KEY_LEN: Final = 32
# A token says in so many bits which key has sealed it: of two keys with numbers that follow each other, one is tried.
MARK_BITS: Final = 2


class RotationRefused(Exception):
    """There is no such step now; the message is a sentence for the operator, `remedy` says what to type."""

    def __init__(self, sentence: str, remedy: str = "") -> None:
        super().__init__(sentence)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class SealingKey:
    """A key, 32 octets (the first one is the key of the appliance). `number`: from 0, one more for each new key."""

    number: int
    key_hex: str

    @property
    def key(self) -> bytes:
        """The key as octets."""
        return bytes.fromhex(self.key_hex)

    @property
    def mark(self) -> int:
        """What a token says of it."""
        return self.number & ((1 << MARK_BITS) - 1)


@dataclass(frozen=True, slots=True)
class SealingKeys:
    """The keys of one moment. `in_use` seals, `other` opens only; `since`: unix time since when, 0 for ever."""

    in_use: SealingKey
    other: SealingKey | None = None
    since: float = 0.0

    @property
    def next(self) -> SealingKey | None:
        """The key that is being distributed, if one is."""
        return self.other if self.other is not None and self.other.number > self.in_use.number else None

    @property
    def step(self) -> int:
        """How many steps there were since the first key."""
        return 2 * self.in_use.number + (self.next is not None)

    def with_next(self, key: bytes) -> SealingKeys:
        """Distribute a new key; the former one opens no more. Raises RotationRefused."""
        if self.next is not None:
            raise RotationRefused(
                f"Key {self.next.number} is being distributed already.",
                "wait for them, or type `cluster rotate-key force` to go on without them",
            )
        return SealingKeys(self.in_use, SealingKey(self.in_use.number + 1, key.hex()), self.since)

    def with_next_in_use(self, wall_time: float) -> SealingKeys:
        """Seal with the key that was distributed. Raises RotationRefused."""
        if self.next is None:
            raise RotationRefused(
                f"No key is being distributed: key {self.in_use.number} seals tokens.",
                "type `cluster rotate-key` to have another key",
            )
        return SealingKeys(self.next, self.in_use, wall_time)

    def to_text(self) -> str:
        """One line of JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True)

    @classmethod
    def from_text(cls, text: str | bytes) -> SealingKeys:
        """Raises ValueError for what is no text of `to_text`, or of another format."""
        try:
            fields = json.loads(text)
            if fields["format"] != FORMAT:
                raise ValueError(f"format {fields['format']!r}, this version reads {FORMAT}")
            other = None if fields["other"] is None else _key_of(fields["other"])
            return cls(_key_of(fields["in_use"]), other, float(fields["since"]))
        except (TypeError, KeyError, AttributeError) as fault:
            raise ValueError(f"no sealing keys: {fault!r}") from fault


def first_keys(key: bytes) -> SealingKeys:
    """Before the first rotation the key of the appliance seals."""
    return SealingKeys(SealingKey(0, key.hex()))


def newest_number(step: int) -> int:
    """The number of the newest key at a step."""
    return (step + 1) // 2


def _key_of(fields: dict[str, Any]) -> SealingKey:
    found = SealingKey(int(fields["number"]), str(fields["key_hex"]))
    if len(found.key) != SEALING_KEY_LEN or found.number < 0:
        raise ValueError(f"key {found.number} has not {SEALING_KEY_LEN} octets")
    return found
