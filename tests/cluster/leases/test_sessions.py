"""Repeated, overtaken and recorded datagrams of the lease are not heeded, whatever the clocks say."""

from __future__ import annotations

from dataclasses import replace

from appliance.cluster.leases.sessions import Header, Sessions, Verdict

A, B = 1, 2


def met(a: Sessions, b: Sessions, now: float) -> Header:
    """Both have proved themselves; the last header of a."""
    b.receive(a.header_to(B), now, now)
    a.receive(b.header_to(A), now, now)
    header = a.header_to(B)
    assert b.receive(header, now, now) is Verdict.ACCEPTED
    return header


def test_a_process_that_is_not_known_proves_that_it_is_there_now() -> None:
    a, b = Sessions(A, 11, [B]), Sessions(B, 22, [A])
    assert b.receive(a.header_to(B), sent_at=5.0, now=70.0) is Verdict.UNPROVED
    assert a.receive(b.header_to(A), sent_at=70.0, now=5.01) is Verdict.ACCEPTED
    assert b.receive(a.header_to(B), sent_at=5.01, now=70.01) is Verdict.ACCEPTED


def test_a_repeated_or_overtaken_datagram_is_old() -> None:
    a, b = Sessions(A, 11, [B]), Sessions(B, 22, [A])
    header = met(a, b, 5.0)
    later = a.header_to(B)
    assert b.receive(header, 5.0, 5.0) is Verdict.OLD
    assert b.receive(replace(later, sequence=later.sequence + 1), 5.0, 5.0) is Verdict.ACCEPTED
    assert b.receive(later, 5.0, 5.0) is Verdict.OLD


def test_a_new_process_ends_the_one_before_it() -> None:
    a, b = Sessions(A, 11, [B]), Sessions(B, 22, [A])
    met(a, b, 5.0)
    restarted = Sessions(A, 12, [B])
    assert b.receive(restarted.header_to(B), 6.0, 6.0) is Verdict.UNPROVED
    restarted.receive(b.header_to(A), 6.0, 6.0)
    assert b.receive(restarted.header_to(B), 6.0, 6.0) is Verdict.ACCEPTED_NEW


def test_a_recording_of_an_earlier_start_proves_nothing() -> None:
    a, b = Sessions(A, 11, [B]), Sessions(B, 22, [A])
    recorded = met(a, b, 5.0)
    b = Sessions(B, 23, [A])
    assert b.receive(recorded, 5.0, 5.1) is Verdict.UNPROVED
    a = Sessions(A, 13, [B])
    met(a, b, 6.0)
    assert b.receive(recorded, 5.0, 6.0) is Verdict.UNPROVED


def test_sessions_go_on_when_a_member_joins_and_another_one_is_removed() -> None:
    a, b = Sessions(A, 11, [B, 4]), Sessions(B, 22, [A])
    header = met(a, b, 5.0)
    a.change_peers([B, 3])
    later = a.header_to(B)
    assert later.sequence == header.sequence + 1
    assert b.receive(later, 5.0, 5.0) is Verdict.ACCEPTED
    assert a.header_to(3).sequence == 1


def test_a_proof_ages() -> None:
    a, b = Sessions(A, 11, [B]), Sessions(B, 22, [A])
    a.receive(b.header_to(A), 5.0, 5.0)
    header = a.header_to(B)
    assert b.receive(header, 5.0, 6.5) is Verdict.UNPROVED
    assert b.receive(header, 5.0, 5.5) is Verdict.ACCEPTED


def test_word_of_the_end_counts_for_the_process_that_is_known_and_it_stays_ended() -> None:
    a, b = Sessions(A, 11, [B]), Sessions(B, 22, [A])
    met(a, b, 5.0)
    assert not b.receive_end(A, 10)
    assert b.receive_end(A, 11)
    assert b.receive(a.header_to(B), 5.0, 5.0) is Verdict.OLD
