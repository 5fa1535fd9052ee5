"""What a member has promised for one address, and when it may promise it to another member."""

from __future__ import annotations

from appliance.cluster.leases.promises import Promise

A, B, C = 1, 2, 3


def bound_to_a(epoch: int = 5, until: float = 10.65) -> Promise:
    promise = Promise()
    assert promise.receive_claim(A, epoch, sent_at=1.0, until=until, now=10.0)
    return promise


def test_a_promise_that_holds_is_not_broken_by_a_higher_epoch() -> None:
    promise = bound_to_a()
    assert not promise.receive_claim(B, 6, sent_at=2.0, until=11.0, now=10.6)
    assert promise.receive_claim(B, 6, sent_at=2.0, until=11.4, now=10.65)


def test_there_is_one_promise_an_epoch() -> None:
    promise = bound_to_a()
    assert not promise.receive_claim(B, 5, sent_at=2.0, until=12.0, now=11.0)


def test_a_heartbeat_that_was_overtaken_does_not_set_the_acknowledged_time_back() -> None:
    promise = bound_to_a()
    promise.receive_claim(A, 5, sent_at=1.5, until=10.7, now=10.05)
    promise.receive_claim(A, 5, sent_at=1.2, until=10.7, now=10.05)
    assert promise.echo == 1.5


def test_the_holder_may_raise_its_epoch_and_the_time_begins_anew() -> None:
    promise = bound_to_a()
    assert promise.receive_claim(A, 7, sent_at=0.5, until=10.7, now=10.1)
    assert (promise.epoch, promise.echo) == (7, 0.5)


def test_a_release_frees_at_once_and_is_for_good() -> None:
    promise = bound_to_a()
    assert promise.receive_release(A, 5)
    assert not promise.is_bound(10.1)
    assert not promise.receive_claim(A, 5, sent_at=3.0, until=12.0, now=10.2)
    assert promise.receive_claim(A, 6, sent_at=3.0, until=12.0, now=10.2)


def test_a_claim_that_another_member_withdrew_frees_nothing() -> None:
    promise = bound_to_a()
    assert not promise.receive_release(B, 6)
    assert promise.is_bound(10.1)


def test_a_release_of_an_earlier_epoch_frees_nothing() -> None:
    promise = bound_to_a(epoch=7)
    assert not promise.receive_release(A, 6)
    assert promise.is_bound(10.1)


def test_a_claim_of_ones_own_holds_until_it_is_given_up() -> None:
    promise = Promise()
    promise.hold_oneself(C, 3)
    assert not promise.receive_claim(A, 4, sent_at=1.0, until=1e9, now=1e9)
    assert promise.receive_release(C, 3)
    assert promise.receive_claim(A, 4, sent_at=1.0, until=1e9, now=1e8)
