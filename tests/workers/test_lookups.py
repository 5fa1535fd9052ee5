"""Questions are answered once each, "cannot know" is never "no", and everything has a bound."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import pytest

from appliance.catalogue.limit_settings import LimitSettings
from appliance.resolver import HostAddresses, LookupFailed
from appliance.routing.lookup_questions import Answer, FindSubscriber, HostAnswer, LookupHost, SubscriberAnswer
from appliance.workers.lookup_doors import (
    STORE_THREADS,
    HostDoor,
    LateStore,
    Resolver,
    Store,
    SubscriberDoor,
)
from appliance.workers.lookups import Questions
from appliance.workers.resolver_thread import ResolverThread


@dataclass(frozen=True)
class Known:
    ha1_md5: bytes = b"aa"
    ha1_sha256: bytes = b"bb"


class Names:
    """A DNS that answers when it is allowed to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def set_timeout(self, timeout_s: float) -> None: ...

    async def lookup(self, host: str) -> HostAddresses:
        self.asked.append(host)
        await self.may_answer.wait()
        if host == "down.example.com":
            raise LookupFailed("no server")
        if host == "odd.example.com":
            raise ZeroDivisionError
        return HostAddresses(("192.0.2.1", "2001:db8::1") if host == "up.example.com" else (), 60.0)


class Subscribers:
    """A database with one subscriber, which can be made to fail or to wait."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.may_answer.set()

    def find(self, username: bytes, realm: bytes) -> Known | None:
        self.may_answer.wait(5)
        if realm == b"broken":
            raise OSError("the disk is gone")
        return Known() if (username, realm) == (b"alice", b"example.com") else None


def limits(running_max: int, waiting_max: int, timeout_ms: int) -> LimitSettings:
    """The same bounds for DNS and for the database."""
    return LimitSettings(
        lookups_max=running_max,
        lookups_waiting_max=waiting_max,
        lookup_timeout_ms=timeout_ms,
        queries_max=running_max,
        queries_waiting_max=waiting_max,
        query_timeout_ms=timeout_ms,
    )


def questions_of(
    names: Resolver, store: Store | SubscriberDoor, bounds: LimitSettings, answers: list[Answer]
) -> Questions:
    """Questions with the doors of a worker."""
    subscribers = store if isinstance(store, SubscriberDoor) else SubscriberDoor(store, bounds)
    return Questions({LookupHost: HostDoor(names), FindSubscriber: subscribers}, bounds, answers.extend)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 60))


async def until_count(answers: list[Answer], count: int) -> None:
    while len(answers) < count:
        await asyncio.sleep(0.001)


def test_a_host_has_addresses_or_none_or_it_is_not_known() -> None:
    async def scenario() -> None:
        answers: list[Answer] = []
        questions = questions_of(Names(), Subscribers(), limits(10, 10, 1000), answers)
        hosts = [b"up.example.com", b"none.example.com", b"down.example.com", b"odd.example.com", b"\xff"]
        questions.ask([LookupHost(host, id=number) for number, host in enumerate(hosts)])
        await until_count(answers, 5)
        assert sorted(answers, key=lambda answer: answer.id) == [
            HostAnswer(0, ("192.0.2.1", "2001:db8::1"), False, 60.0),
            HostAnswer(1, (), False, 60.0),
            HostAnswer(2, (), True, 0.0),
            HostAnswer(3, (), True, 0.0),
            HostAnswer(4, (), False, 0.0),
        ]
        questions.close()

    run(scenario())


def test_a_subscriber_is_known_or_not_or_the_store_cannot_say() -> None:
    async def scenario() -> None:
        answers: list[Answer] = []
        door = SubscriberDoor(Subscribers(), limits(10, 10, 1000))
        questions = questions_of(Names(), door, limits(10, 10, 1000), answers)
        asked = [(b"alice", b"example.com"), (b"bob", b"example.com"), (b"alice", b"broken")]
        questions.ask([FindSubscriber(*who, id=number) for number, who in enumerate(asked)])
        await until_count(answers, 3)
        assert sorted(answers, key=lambda answer: answer.id) == [
            SubscriberAnswer(0, True, False, b"aa", b"bb"),
            SubscriberAnswer(1, False, False),
            SubscriberAnswer(2, False, True),
        ]
        assert door.failures == 1
        questions.close()

    run(scenario())


def test_a_store_that_does_not_answer_cannot_say() -> None:
    async def scenario() -> None:
        answers: list[Answer] = []
        store = Subscribers()
        store.may_answer.clear()
        questions = questions_of(Names(), store, limits(10, 10, 20), answers)
        questions.ask([FindSubscriber(b"alice", b"example.com", id=1)])
        await until_count(answers, 1)
        assert answers == [SubscriberAnswer(1, False, True)]
        store.may_answer.set()
        questions.close()

    run(scenario())


def test_why_the_store_fails_is_known_until_it_answers_again() -> None:
    async def scenario() -> None:
        answers: list[Answer] = []
        door = SubscriberDoor(Subscribers(), limits(10, 10, 1000))
        questions = questions_of(Names(), door, limits(10, 10, 1000), answers)
        door.tend(100.0)
        assert door.fault == ""
        questions.ask([FindSubscriber(b"alice", b"broken", id=1)])
        await until_count(answers, 1)
        assert door.fault == "The disk is gone."
        # No request asks any more: it is asked from time to time, and nothing is delivered for that.
        door.tend(200.0)
        while door.fault:
            await asyncio.sleep(0.001)
        assert len(answers) == 1
        questions.close()

    run(scenario())


def test_a_store_that_hangs_gathers_no_questions() -> None:
    """Those that were given up are gone; and when it returns it is asked again."""

    async def scenario() -> None:
        answers: list[Answer] = []
        store = Subscribers()
        store.may_answer.clear()
        door = SubscriberDoor(store, limits(50, 1000, 10))
        questions = questions_of(Names(), door, limits(50, 1000, 10), answers)
        questions.ask([FindSubscriber(b"alice", b"example.com", id=number) for number in range(300)])
        await until_count(answers, 300)
        assert door._threads._work_queue.qsize() <= STORE_THREADS
        store.may_answer.set()
        number = 300
        while answers[-1] != SubscriberAnswer(number, True, False, b"aa", b"bb"):
            number += 1
            questions.ask([FindSubscriber(b"alice", b"example.com", id=number)])
            await until_count(answers, number)
        questions.close()

    run(scenario())


def test_questions_out_and_waiting_are_bounded() -> None:
    async def scenario() -> None:
        answers: list[Answer] = []
        names = Names()
        names.may_answer.clear()
        questions = questions_of(names, Subscribers(), limits(2, 3, 1000), answers)
        questions.ask([LookupHost(b"up.example.com", id=number) for number in range(7)])
        await asyncio.sleep(0)
        assert len(names.asked) == 2
        assert questions.open_count == 5
        assert answers == [HostAnswer(5, (), True, 0.0), HostAnswer(6, (), True, 0.0)]
        names.may_answer.set()
        await until_count(answers, 7)
        assert sorted(answer.id for answer in answers) == list(range(7))
        await asyncio.sleep(0)
        assert questions.open_count == 0
        questions.close()

    run(scenario())


def test_one_source_with_dead_names_does_not_hold_up_the_names_of_others() -> None:
    async def scenario() -> None:
        answers: list[Answer] = []
        names = Names()
        names.may_answer.clear()
        questions = questions_of(names, Subscribers(), limits(4, 1000, 1000), answers)
        questions.ask([LookupHost(b"dead.example.net", id=number, source="192.0.2.66") for number in range(500)])
        questions.ask([LookupHost(b"up.example.com", id=500, source="192.0.2.1")])
        await asyncio.sleep(0)
        assert names.asked == ["dead.example.net"] * 3 + ["up.example.com"]
        names.may_answer.set()
        questions.close()

    run(scenario())


def test_sources_that_wait_take_turns() -> None:
    async def scenario() -> None:
        answers: list[Answer] = []
        names = Names()
        questions = questions_of(names, Subscribers(), limits(1, 1000, 1000), answers)
        many = [LookupHost(b"many.example.net", id=number, source="192.0.2.66") for number in range(10)]
        questions.ask([*many, LookupHost(b"up.example.com", id=10, source="192.0.2.1")])
        await until_count(answers, 11)
        assert names.asked.index("up.example.com") <= 2
        questions.close()

    run(scenario())


def test_a_slow_dns_does_not_hold_up_the_database() -> None:
    async def scenario() -> None:
        answers: list[Answer] = []
        names = Names()
        names.may_answer.clear()
        questions = questions_of(names, Subscribers(), limits(1, 1, 1000), answers)
        questions.ask([LookupHost(b"up.example.com", id=1), FindSubscriber(b"alice", b"example.com", id=2)])
        await until_count(answers, 1)
        assert answers[0].id == 2
        questions.close()

    run(scenario())


def test_a_resolver_is_made_once_and_with_the_timeout_of_that_moment() -> None:
    async def scenario() -> None:
        made: list[float] = []

        def new_resolver(timeout_s: float) -> Resolver:
            made.append(timeout_s)
            return Names()

        resolver = ResolverThread(new_resolver, 1.0)
        resolver.set_timeout(2.0)
        assert made == []
        found = await asyncio.gather(*(resolver.lookup("up.example.com") for _ in range(2)))
        assert [each.ttl_s for each in found] == [60.0, 60.0]
        assert made == [2.0]

    run(scenario())


def test_an_answer_that_takes_long_to_read_does_not_hold_up_the_worker() -> None:
    """It is read in a thread of its own."""

    async def scenario() -> None:
        is_read = threading.Event()

        class Long(Names):
            async def lookup(self, host: str) -> HostAddresses:
                is_read.wait()
                return await super().lookup(host)

        resolver = ResolverThread(lambda timeout_s: Long(), 1.0)
        asking = asyncio.ensure_future(resolver.lookup("up.example.com"))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not asking.done()
        is_read.set()
        assert (await asking).ttl_s == 60.0

    run(scenario())


def test_what_the_resolver_raises_is_raised() -> None:
    async def scenario() -> None:
        resolver = ResolverThread(lambda timeout_s: Names(), 1.0)
        with pytest.raises(LookupFailed):
            await resolver.lookup("down.example.com")

    run(scenario())


def test_a_store_that_does_not_open_is_tried_again() -> None:
    attempts: list[int] = []

    def open_store() -> Store:
        attempts.append(1)
        if len(attempts) < 3:
            raise OSError("the server is down")
        return Subscribers()

    store = LateStore(open_store)
    assert attempts == []
    for _ in range(2):
        with pytest.raises(OSError):
            store.find(b"alice", b"example.com")
    assert store.find(b"alice", b"example.com") == Known()
    assert store.find(b"bob", b"example.com") is None
    assert len(attempts) == 3
