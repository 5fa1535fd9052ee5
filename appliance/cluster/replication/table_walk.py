"""The comparison of the registration tables of two nodes, address by address in their order.

One of the two walks: it says the digest of a range of its addresses. The other one says that it has the same, or lists
what it has there. Then the walker sends what the other one lacks, and asks for what it lacks itself; both take all, for
of two records of a binding the later one wins. The range is compared again until both agree. Nothing is removed by a
comparison: a removal is a record as well (binding.py), and what is forgotten soon does not count.

    walker                                other node
      | RangeDigest after, until  -------> |
      | <-------  RangeAnswer (is_equal)   |   on to the next range
      | <-------  RangeAnswer keys digests |
      | RangeRecords records, wanted ----> |   takes them
      | <-------  RangeRecords (is_answer) |
      |   takes them; the same range again |

One question is under way at a time. Ranges are short, so that calls go on and the memory is bounded; they are long
enough for the three questions and answers of each to be little beside the records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final, Protocol

from appliance.location.record_digests import digest_of
from appliance.messages.link_messages import RangeAnswer, RangeDigest, RangeRecords

RANGE: Final = 1024  # addresses
RANGE_OCTETS: Final = 1 << 20
TRIES_MAX: Final = 8
MARGIN_S: Final = 10.0
"""What is forgotten sooner than that is not compared."""
_DIGEST: Final = Struct(">Q")

Record = tuple[bytes, bytes]


class WalkedTable(Protocol):
    """The registration table, as far as it is compared."""

    def raw_page(self, after_key: bytes, limit: int, /) -> list[Record]: ...


@dataclass(frozen=True, slots=True)
class Page:
    """The addresses after one key up to another (b"": all that there are) that count, with digest and record."""

    until: bytes
    digests: dict[bytes, int]
    records: dict[bytes, bytes]

    @property
    def digest(self) -> bytes:
        """Of all of them."""
        whole = 0
        for digest in self.digests.values():
            whole ^= digest
        return _DIGEST.pack(whole)


def page_of(table: WalkedTable, after: bytes, until: bytes, over_at: float) -> Page:
    """What a table has there, RANGE addresses at most: then it ends sooner than `until`. Raises TableUnsound and
    RecordError.
    """
    found = table.raw_page(after, RANGE)
    ends_at = found[-1][0] if len(found) == RANGE else b""
    if until and (not ends_at or until < ends_at):
        ends_at = until
    digests: dict[bytes, int] = {}
    records: dict[bytes, bytes] = {}
    for key, record in found:
        if ends_at and key > ends_at:
            break
        digest = digest_of(record, over_at)
        if digest:
            digests[key], records[key] = digest, record
    return Page(ends_at, digests, records)


def answer_to(question: RangeDigest, table: WalkedTable, over_at: float) -> RangeAnswer:
    """What the other node says to the digest of a range. `over_at`: that of the question by the own clock."""
    page = page_of(table, question.after, question.until, over_at)
    is_equal = (
        page.until == question.until
        and len(page.digests) == question.count
        and page.digest == question.digest
    )
    if is_equal:
        return RangeAnswer(question.walk, question.after, page.until, True)
    digests = b"".join(map(_DIGEST.pack, page.digests.values()))
    return RangeAnswer(question.walk, question.after, page.until, False, list(page.digests), digests)


def records_wanted(question: RangeRecords, table: WalkedTable) -> list[bytes]:
    """The records that the walker asks for, as far as they are in the range."""
    wanted = set(question.wanted)
    found = [record for key, record in table.raw_page(question.after, RANGE) if key in wanted]
    return within_octets(found)


def within_octets(records: Sequence[bytes]) -> list[bytes]:
    """As many of the first records as one message may hold; the others are found by the next comparison."""
    kept: list[bytes] = []
    octets = 0
    for record in records:
        octets += len(record)
        if kept and octets > RANGE_OCTETS:
            break
        kept.append(record)
    return kept


class TableWalk:
    """The walker's side. walked: addresses compared. is_equal: did all ranges agree so far?"""

    def __init__(self, number: int) -> None:
        self.number = number
        self.walked = 0
        self.is_equal = True
        self.is_ended = False
        self._after = b""
        self._over_at = 0.0
        self._tries = 0
        self._page = Page(b"", {}, {})

    def question(self, table: WalkedTable, wall_time: float) -> RangeDigest:
        """The digest of the range that is to be compared now."""
        self._over_at = wall_time + MARGIN_S
        page = self._page = page_of(table, self._after, b"", self._over_at)
        return RangeDigest(self.number, self._after, page.until, self._over_at, len(page.digests), page.digest)

    def answered(self, answer: RangeAnswer, table: WalkedTable) -> RangeRecords | None:
        """What to send and ask for; None where the range is done. Answers to earlier questions are not for here."""
        if answer.is_equal:
            self._go_on(answer.until, len(self._page.digests))
            return None
        self._tries += 1
        mine, until = self._page, self._page.until
        if answer.until != until:
            mine = page_of(table, self._after, answer.until, self._over_at)
            until = mine.until
        if len(answer.digests) != _DIGEST.size * len(answer.keys):
            self._give_up(answer.until)
            return None
        theirs = {
            key: digest
            for key, (digest,) in zip(answer.keys, _DIGEST.iter_unpack(answer.digests), strict=True)
            if not until or key <= until
        }
        records = [mine.records[key] for key, digest in mine.digests.items() if theirs.get(key) != digest]
        wanted = [key for key, digest in theirs.items() if mine.digests.get(key) != digest]
        if not records and not wanted:
            self._go_on(until, len(theirs))
            return None
        if self._tries >= TRIES_MAX:
            self._give_up(until)
            return None
        return RangeRecords(self.number, self._after, within_octets(records), wanted)

    @property
    def is_again(self) -> bool:
        """Is the next question about the same range as the last one?"""
        return self._tries > 0

    def is_asked(self, after: bytes) -> bool:
        """Is this where the last question began?"""
        return after == self._after and not self.is_ended

    def _give_up(self, until: bytes) -> None:
        """This range does not come to agree: on to the next one, and another walk later."""
        self.is_equal = False
        self._go_on(until, 0)

    def _go_on(self, until: bytes, count: int) -> None:
        self.walked += count
        self._after, self._tries = until, 0
        self.is_ended = not until
