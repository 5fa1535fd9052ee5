"""Who waits for which answer."""

from __future__ import annotations

from appliance.proxy.inquiries import Inquiries
from appliance.routing.questions import Answer, FindSubscriber, HostAnswer, LookupHost


class Waiting:
    """Notes what it was told."""

    def __init__(self) -> None:
        self.told: list[Answer] = []

    def answer_arrived(self, answer: Answer, now: float) -> None:
        self.told.append(answer)


def test_many_wait_for_one_question() -> None:
    inquiries = Inquiries(10)
    waiters = [Waiting(), Waiting(), Waiting()]
    assert all(inquiries.ask_host(b"gate", waiter) for waiter in waiters)
    (question,) = inquiries.questions_to_ask()
    assert isinstance(question, LookupHost) and question.host == b"gate"
    assert inquiries.questions_to_ask() == []
    answer = HostAnswer(question.id, ("192.0.2.1",), False, 60.0)
    assert inquiries.subject_of(answer) == (b"host", b"gate")
    inquiries.answered(answer, 0.0)
    assert [waiter.told for waiter in waiters] == [[answer]] * 3
    assert inquiries.waiting_count == 0


def test_a_host_and_a_user_of_one_name_are_two_questions() -> None:
    inquiries = Inquiries(10)
    inquiries.ask_host(b"x", Waiting())
    inquiries.ask_subscriber(b"x", b"", Waiting())
    kinds = [type(question) for question in inquiries.questions_to_ask()]
    assert kinds == [LookupHost, FindSubscriber]


def test_an_answer_to_nothing_or_a_second_one_is_ignored() -> None:
    inquiries = Inquiries(10)
    waiter = Waiting()
    inquiries.ask_host(b"gate", waiter)
    (question,) = inquiries.questions_to_ask()
    inquiries.answered(HostAnswer(question.id + 1, (), True, 0.0), 0.0)
    inquiries.answered(HostAnswer(question.id, (), True, 0.0), 0.0)
    inquiries.answered(HostAnswer(question.id, (), True, 0.0), 0.0)
    assert len(waiter.told) == 1


def test_the_number_of_waiters_is_bounded() -> None:
    inquiries = Inquiries(2)
    assert inquiries.ask_host(b"one", Waiting())
    assert inquiries.ask_host(b"one", Waiting())
    assert not inquiries.ask_host(b"one", Waiting())
    assert not inquiries.ask_host(b"two", Waiting())
    (question,) = inquiries.questions_to_ask()
    inquiries.answered(HostAnswer(question.id, (), False, 0.0), 0.0)
    assert inquiries.ask_host(b"two", Waiting())


def test_a_waiter_may_ask_again_while_it_is_told() -> None:
    """A branch whose host's answer was too short-lived asks once more."""
    inquiries = Inquiries(1)

    class Again(Waiting):
        def answer_arrived(self, answer: Answer, now: float) -> None:
            super().answer_arrived(answer, now)
            assert inquiries.ask_host(b"gate", Waiting())

    waiter = Again()
    inquiries.ask_host(b"gate", waiter)
    (question,) = inquiries.questions_to_ask()
    inquiries.answered(HostAnswer(question.id, (), False, 0.0), 0.0)
    (again,) = inquiries.questions_to_ask()
    assert again.id != question.id
