"""The session of a link: two ends on a network that loses, delays and repeats; they agree on what was lost."""

from __future__ import annotations

import random
from collections import deque

import pytest

from appliance.ipc.link_session import (
    ENVELOPE_LEN,
    KEEPALIVE_S,
    SILENCE_S,
    Envelope,
    EnvelopeError,
    LinkSession,
    Verdict,
)
from tests.effort import examples

NOW = 100.0


def connected_pair() -> tuple[LinkSession, LinkSession]:
    here, there = LinkSession(), LinkSession()
    here.connected(11, NOW)
    there.connected(22, NOW)
    return here, there


def up_pair() -> tuple[LinkSession, LinkSession]:
    """Two ends that have heard each other."""
    here, there = connected_pair()
    assert there.arrived(here.envelope(NOW), NOW) == Verdict.DROP
    assert here.arrived(there.envelope(NOW), NOW) == Verdict.UP | Verdict.TAKE
    assert there.arrived(here.envelope(NOW), NOW) == Verdict.UP | Verdict.TAKE
    return here, there


def test_a_link_is_up_when_each_end_has_heard_the_other_one() -> None:
    here, there = up_pair()
    assert here.is_up and there.is_up
    assert there.arrived(here.envelope(NOW), NOW) == Verdict.TAKE


def test_what_was_sent_in_a_former_session_is_dropped() -> None:
    here, there = up_pair()
    late = here.envelope(NOW)
    here.disconnected()
    here.connected(12, NOW)
    assert there.arrived(here.envelope(NOW), NOW) & Verdict.LOST
    assert there.arrived(late, NOW) == Verdict.DROP


def test_a_batch_that_is_missing_loses_the_session_on_both_ends() -> None:
    here, there = up_pair()
    here.envelope(NOW)
    assert there.arrived(here.envelope(NOW), NOW) == Verdict.LOST
    assert here.arrived(there.envelope(NOW), NOW) == Verdict.LOST | Verdict.AGAIN


def test_a_batch_that_did_not_leave_is_not_missed() -> None:
    here, there = up_pair()
    here.envelope(NOW)
    here.not_sent()
    assert there.arrived(here.envelope(NOW), NOW) == Verdict.TAKE


def test_a_silent_end_is_given_up() -> None:
    here, _ = up_pair()
    assert not here.is_overdue(NOW + SILENCE_S - 0.1)
    assert here.is_overdue(NOW + SILENCE_S + 0.1)
    assert here.begin_again(12, NOW + SILENCE_S + 0.1)
    assert not here.is_up


def test_a_word_is_due_where_nothing_was_sent_for_a_while() -> None:
    here, _ = connected_pair()
    assert here.is_word_due(NOW)
    here.envelope(NOW)
    assert not here.is_word_due(NOW + KEEPALIVE_S / 2)
    assert here.is_word_due(NOW + KEEPALIVE_S * 2)
    here.disconnected()
    assert not here.is_word_due(NOW + 9.0)


@pytest.mark.parametrize("octets", [b"", b"\x01", bytes(ENVELOPE_LEN)])
def test_other_octets_are_no_batch(octets: bytes) -> None:
    with pytest.raises(EnvelopeError):
        Envelope.read(octets)


class End:
    """One end, with what it took: the numbers that the other end sent in what both thought to be one session."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.session = LinkSession()
        self.wire: deque[tuple[Envelope, int]] = deque()
        self.sent = 0
        self.taken: list[int] = []
        self.starts: list[int] = []

    def restart(self) -> None:
        self.session, self.wire = LinkSession(), deque()


@pytest.mark.parametrize("seed", range(examples(60)))
def test_what_is_taken_within_a_session_has_no_gap(seed: int) -> None:
    """Connections break and lose what was on its way, processes restart: whatever is taken between two losses is in
    order and whole; and when it is quiet, the link is up again.
    """
    chance = random.Random(seed)
    ends = End("a"), End("b")
    sessions = iter(range(1, 100_000))
    now = NOW
    for step in range(3000):
        now += 0.02
        is_bad = step < 2000
        for end, other in (ends, ends[::-1]):
            session = end.session
            if is_bad and chance.random() < 0.01:
                other_wire = end.wire
                # Any tail of it may be lost.
                for _ in range(chance.randint(0, len(other_wire))):
                    other_wire.pop()
                if session.is_connected and session.disconnected():
                    end.starts.append(len(end.taken))
            if is_bad and chance.random() < 0.002:
                end.restart()
                end.starts.append(len(end.taken))
            session = end.session
            if not session.is_connected and chance.random() < 0.3 and session.connected(next(sessions), now):
                end.starts.append(len(end.taken))
            if session.is_overdue(now) and session.begin_again(next(sessions), now):
                end.starts.append(len(end.taken))
            if session.is_connected and (session.is_word_due(now) or (session.is_up and chance.random() < 0.3)):
                content = 0
                if session.is_up:
                    end.sent += 1
                    content = end.sent
                end.wire.append((session.envelope(now), content))
            for _ in range(chance.randint(0, 3)):
                if other.wire:
                    envelope, content = other.wire.popleft()
                    verdict = session.arrived(envelope, now)
                    if Verdict.LOST in verdict or Verdict.UP in verdict:
                        end.starts.append(len(end.taken))
                    if Verdict.AGAIN in verdict:
                        session.begin_again(next(sessions), now)
                    if Verdict.TAKE in verdict and content:
                        end.taken.append(content)
    for end in ends:
        assert end.session.is_up, f"seed {seed}: {end.name}"
        starts = set(end.starts)
        for index in range(1, len(end.taken)):
            if index not in starts:
                assert end.taken[index] == end.taken[index - 1] + 1, f"seed {seed}: {end.name}"
