"""Wrong passwords cost time, and a source that sends many is refused; the phone that knows the password never is."""

from __future__ import annotations

from appliance.catalogue.authentication_settings import LockoutSettings
from appliance.security.authentication_failures import NEWS_MAX, RECORDS_MAX, AuthenticationFailures

LIMITS = LockoutSettings(attempts_max=3, source_attempts_max=10, user_attempts_max=6, time_s=100, forget_s=60)
ALICE, BOB = "alice@example.com", "bob@example.com"
GUESSER, HOME = "192.0.2.66", "192.0.2.1"


def failed(times: int, source: str = GUESSER, user: str = ALICE, now: float = 0.0) -> AuthenticationFailures:
    failures = AuthenticationFailures(LIMITS)
    for _ in range(times):
        failures.note(source, user, now)
    return failures


def test_a_few_wrong_passwords_cost_nothing() -> None:
    assert failed(2).pair_wait_s(GUESSER, ALICE, 0.0) == 0.0


def test_each_further_one_doubles_the_wait_up_to_the_longest() -> None:
    waits = [failed(times).pair_wait_s(GUESSER, ALICE, 0.0) for times in (3, 4, 5)]
    assert waits == [1.0, 2.0, 4.0]
    failures = AuthenticationFailures(LockoutSettings(attempts_max=3, time_s=100))
    failures.receive_news({GUESSER: {ALICE: 25}}, 0.0)
    assert failures.pair_wait_s(GUESSER, ALICE, 0.0) == 100.0
    assert failures.pair_wait_s(GUESSER, ALICE, 101.0) == 0.0


def test_another_source_of_the_same_user_does_not_wait() -> None:
    failures = failed(1000)
    assert failures.pair_wait_s(HOME, ALICE, 0.0) == 0.0
    assert failures.source_wait_s(HOME, 0.0) == 0.0


def test_a_user_who_is_guessed_from_many_sources_gives_each_one_attempt() -> None:
    failures = AuthenticationFailures(LIMITS)
    for number in range(6):
        failures.note(f"198.51.100.{number}", ALICE, 0.0)
    assert failures.pair_wait_s("203.0.113.1", ALICE, 0.0) == 0.0
    failures.note("203.0.113.1", ALICE, 0.0)
    assert failures.pair_wait_s("203.0.113.1", ALICE, 0.0) == 100.0
    assert failures.pair_wait_s("203.0.113.1", BOB, 0.0) == 0.0


def test_a_source_that_tries_many_users_is_refused() -> None:
    failures = AuthenticationFailures(LIMITS)
    for number in range(10):
        assert failures.source_wait_s(GUESSER, 0.0) == 0.0
        failures.note(GUESSER, f"user{number}@example.com", 0.0)
    assert failures.source_wait_s(GUESSER, 0.0) == 100.0


def test_a_phone_with_an_old_password_never_locks_out_its_source() -> None:
    """While it is refused for its user its attempts are not counted, and what was counted is forgotten one by one."""
    failures = AuthenticationFailures(LockoutSettings())
    for second in range(0, 24 * 3600, 5):
        if not failures.pair_wait_s(HOME, ALICE, float(second)):
            failures.note(HOME, ALICE, float(second))
        assert not failures.source_wait_s(HOME, float(second))


def test_failures_are_forgotten_one_by_one() -> None:
    failures = failed(2)
    failures.note(GUESSER, ALICE, 60.0)
    assert failures.pair_wait_s(GUESSER, ALICE, 60.0) == 0.0
    failures.expire(61.0)
    assert len(failures) == 1
    failures.expire(60.0 + 3 * 60.0)
    assert len(failures) == 0


def test_workers_hear_of_the_failures_of_others() -> None:
    one, other = failed(3), AuthenticationFailures(LIMITS)
    news = one.take_news()
    assert news == {GUESSER: {ALICE: 3}}
    assert one.take_news() == {}
    other.receive_news(news, 0.0)
    assert other.pair_wait_s(GUESSER, ALICE, 0.0) == 1.0
    # What was heard is not told again.
    assert other.take_news() == {}


def test_reports_and_tables_are_bounded() -> None:
    failures = AuthenticationFailures(LIMITS)
    for number in range(RECORDS_MAX + 10):
        failures.note(GUESSER, f"user{number}@example.com", 0.0)
    assert len(failures) == RECORDS_MAX
    assert sum(len(users) for users in failures.take_news().values()) == NEWS_MAX
    assert sum(len(users) for users in failures.take_news().values()) == NEWS_MAX


def test_failures_are_cleared_by_source_by_user_and_all() -> None:
    failures = failed(1000)
    failures.note(HOME, BOB, 0.0)
    assert failures.clear(GUESSER) == 1
    assert (failures.pair_wait_s(GUESSER, ALICE, 0.0), failures.source_wait_s(GUESSER, 0.0)) == (0.0, 0.0)
    assert failures.clear(BOB) == 1
    assert failures.clear("") == 0
