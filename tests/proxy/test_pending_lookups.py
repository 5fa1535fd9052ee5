"""Who waits for which answer."""

from __future__ import annotations

from appliance.catalogue.counters import (
    COUNTERS,
    DNS_ANSWERS_OUTLIVED,
    DNS_FAILED,
    LOOKUPS_FULL,
    QUERIES_FULL,
    WAITING_SHARE_EXCEEDED,
)
from appliance.catalogue.limit_settings import LimitSettings
from appliance.catalogue.settings import Settings
from appliance.proxy.pending_lookups import Asker, PendingLookups
from appliance.routing.lookup_questions import Answer, FindSubscriber, HostAnswer, LookupHost

ALICE = Asker("192.0.2.1")


def inquiries_of(limit: int, per_source: int = 1000, per_subscriber: int = 1000) -> PendingLookups:
    limits = LimitSettings(
        lookups_waiting_max=limit,
        queries_waiting_max=limit,
        waiting_per_source_max=per_source,
        waiting_per_subscriber_max=per_subscriber,
    )
    return PendingLookups(Settings(limits=limits), [0] * len(COUNTERS))


def expect_no_fault(waiter: object, error: Exception, now: float) -> None:
    raise error


class Waiting:
    """Notes what it was told."""

    def __init__(self) -> None:
        self.told: list[Answer] = []

    def answer_arrived(self, answer: Answer, now: float) -> None:
        self.told.append(answer)


def test_many_wait_for_one_question() -> None:
    pending_lookups = inquiries_of(10)
    waiters = [Waiting(), Waiting(), Waiting()]
    assert all(pending_lookups.ask(LookupHost(b"gate"), waiter, ALICE) for waiter in waiters)
    (question,) = pending_lookups.questions_to_ask()
    assert isinstance(question, LookupHost) and question.host == b"gate"
    assert pending_lookups.questions_to_ask() == []
    answer = HostAnswer(question.id, ("192.0.2.1",), False, 60.0)
    pending_lookups.answered(answer, 0.0, expect_no_fault)
    assert [waiter.told for waiter in waiters] == [[answer]] * 3
    assert pending_lookups.waiting(LookupHost.kind) == 0


def test_an_answer_whose_time_is_over_stands_in_for_a_dns_that_does_not_answer() -> None:
    """RFC 8767; without any former answer it is "cannot know"."""
    counted = [0] * len(COUNTERS)
    pending_lookups, waiter = PendingLookups(Settings(), counted), Waiting()
    pending_lookups.ask(LookupHost(b"gate"), waiter, ALICE)
    (question,) = pending_lookups.questions_to_ask()
    pending_lookups.answered(HostAnswer(question.id, ("192.0.2.1",), False, 60.0), 0.0, expect_no_fault)
    for host in (b"gate", b"other"):
        pending_lookups.ask(LookupHost(host), waiter, ALICE)
        (question,) = pending_lookups.questions_to_ask()
        pending_lookups.answered(HostAnswer(question.id, (), True, 0.0), 100.0, expect_no_fault)
    assert [answer.failed for answer in waiter.told] == [False, False, True]
    assert (counted[DNS_ANSWERS_OUTLIVED], counted[DNS_FAILED]) == (1, 1)


def test_what_is_in_use_is_asked_for_again_and_no_request_waits() -> None:
    pending_lookups = inquiries_of(10)
    hosts = pending_lookups.cache_of(LookupHost.kind)
    hosts.store(b"gate", ("192.0.2.1",), 100.0, 0.0)
    assert hosts.find(b"gate", 95.0) == ("192.0.2.1",)
    pending_lookups.ask_again()
    (question,) = pending_lookups.questions_to_ask()
    assert pending_lookups.waiting(LookupHost.kind) == 0
    # Who needs it meanwhile waits for the same answer.
    waiter = Waiting()
    pending_lookups.ask(LookupHost(b"gate"), waiter, ALICE)
    assert pending_lookups.questions_to_ask() == []
    pending_lookups.answered(HostAnswer(question.id, ("192.0.2.2",), False, 100.0), 96.0, expect_no_fault)
    assert hosts.find(b"gate", 150.0) == ("192.0.2.2",) and len(waiter.told) == 1


def test_a_host_and_a_user_of_one_name_are_two_questions() -> None:
    pending_lookups = inquiries_of(10)
    pending_lookups.ask(LookupHost(b"x"), Waiting(), ALICE)
    pending_lookups.ask(FindSubscriber(b"x", b""), Waiting(), ALICE)
    kinds = [type(question) for question in pending_lookups.questions_to_ask()]
    assert kinds == [LookupHost, FindSubscriber]


def test_an_answer_to_nothing_or_a_second_one_is_ignored() -> None:
    pending_lookups = inquiries_of(10)
    waiter = Waiting()
    pending_lookups.ask(LookupHost(b"gate"), waiter, ALICE)
    (question,) = pending_lookups.questions_to_ask()
    pending_lookups.answered(HostAnswer(question.id + 1, (), True, 0.0), 0.0, expect_no_fault)
    pending_lookups.answered(HostAnswer(question.id, (), True, 0.0), 0.0, expect_no_fault)
    pending_lookups.answered(HostAnswer(question.id, (), True, 0.0), 0.0, expect_no_fault)
    assert len(waiter.told) == 1


def test_the_number_of_waiters_is_bounded() -> None:
    pending_lookups = inquiries_of(2)
    assert pending_lookups.ask(LookupHost(b"one"), Waiting(), ALICE)
    assert pending_lookups.ask(LookupHost(b"one"), Waiting(), ALICE)
    assert not pending_lookups.ask(LookupHost(b"one"), Waiting(), ALICE)
    assert not pending_lookups.ask(LookupHost(b"two"), Waiting(), ALICE)
    (question,) = pending_lookups.questions_to_ask()
    pending_lookups.answered(HostAnswer(question.id, (), False, 0.0), 0.0, expect_no_fault)
    assert pending_lookups.ask(LookupHost(b"two"), Waiting(), ALICE)


def test_a_waiter_may_ask_again_while_it_is_told() -> None:
    """A branch whose host's answer was too short-lived asks once more."""
    pending_lookups = inquiries_of(1)

    class Again(Waiting):
        def answer_arrived(self, answer: Answer, now: float) -> None:
            super().answer_arrived(answer, now)
            assert pending_lookups.ask(LookupHost(b"gate"), Waiting(), ALICE)

    waiter = Again()
    pending_lookups.ask(LookupHost(b"gate"), waiter, ALICE)
    (question,) = pending_lookups.questions_to_ask()
    pending_lookups.answered(HostAnswer(question.id, (), False, 0.0), 0.0, expect_no_fault)
    (again,) = pending_lookups.questions_to_ask()
    assert again.id != question.id


def test_requests_that_wait_for_dns_leave_the_room_of_those_that_wait_for_the_database() -> None:
    counters = [0] * len(COUNTERS)
    pending_lookups = PendingLookups(
        Settings(limits=LimitSettings(lookups_waiting_max=1, queries_waiting_max=1)), counters
    )
    assert pending_lookups.ask(LookupHost(b"dead"), Waiting(), ALICE)
    assert not pending_lookups.ask(LookupHost(b"dead"), Waiting(), ALICE)
    assert pending_lookups.ask(FindSubscriber(b"bob", b"example.com"), Waiting(), ALICE)
    assert not pending_lookups.ask(FindSubscriber(b"bob", b"example.com"), Waiting(), ALICE)
    assert (counters[LOOKUPS_FULL], counters[QUERIES_FULL]) == (1, 1)


def test_one_source_does_not_fill_the_queue() -> None:
    pending_lookups = inquiries_of(10, per_source=2)
    assert pending_lookups.ask(LookupHost(b"one"), Waiting(), ALICE)
    assert pending_lookups.ask(LookupHost(b"two"), Waiting(), ALICE)
    assert not pending_lookups.ask(LookupHost(b"two"), Waiting(), ALICE)
    assert pending_lookups.ask(LookupHost(b"two"), Waiting(), Asker("192.0.2.2"))
    (question, _) = pending_lookups.questions_to_ask()
    pending_lookups.answered(HostAnswer(question.id, (), True, 0.0), 0.0, expect_no_fault)
    assert pending_lookups.ask(LookupHost(b"three"), Waiting(), ALICE)


def test_one_subscriber_does_not_fill_the_queue_from_many_sources() -> None:
    counters = [0] * len(COUNTERS)
    pending_lookups = PendingLookups(Settings(limits=LimitSettings(waiting_per_subscriber_max=1)), counters)
    assert pending_lookups.ask(LookupHost(b"one"), Waiting(), Asker("192.0.2.1", b"mallory@example.com"))
    assert not pending_lookups.ask(LookupHost(b"two"), Waiting(), Asker("192.0.2.2", b"mallory@example.com"))
    assert pending_lookups.ask(LookupHost(b"two"), Waiting(), Asker("192.0.2.2", b"alice@example.com"))
    assert counters[WAITING_SHARE_EXCEEDED] == 1


def test_a_trusted_peer_is_bounded_by_the_queue_alone() -> None:
    pending_lookups = inquiries_of(3, per_source=1)
    peer = Asker("192.0.2.9", b"", True)
    assert [pending_lookups.ask(LookupHost(b"gate"), Waiting(), peer) for _ in range(4)] == [True, True, True, False]
