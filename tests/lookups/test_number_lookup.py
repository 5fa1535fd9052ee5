"""A lookup at work: servers in turn, bounds, and what is counted. The servers are coroutines."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from threading import Event

import pytest

from appliance.catalogue.lookup_settings import LookupSettings
from appliance.lookups.lookup_client import AnswerUnusable, ServerFailed
from appliance.lookups.lookup_servers import FAILURES_MAX, REST_S, LookupServer, LookupServers
from appliance.lookups.number_lookup import LookupFailed, NumberLookup
from appliance.lookups.sessions import Sessions
from appliance.routing.lookup_results import RESULT_LEN_MAX
from appliance.routing.lookup_templates import LookupValues

VALUES = LookupValues("+4930123456")


class Client:
    """Answers as it is told."""

    def __init__(self, answer: Callable[[], Awaitable[list[str]]]) -> None:
        self._answer = answer
        self.asked = 0

    async def find(self, values: LookupValues) -> list[str]:
        self.asked += 1
        return await self._answer()

    def close(self) -> None:
        """Nothing is open."""


async def found() -> list[str]:
    return ["sip:gw"]


async def fails() -> list[str]:
    raise ServerFailed("connection refused")


async def lies() -> list[str]:
    raise AnswerUnusable("it is no JSON")


async def hangs() -> list[str]:
    await asyncio.Event().wait()
    return []


def lookup_of(*answers: Callable[[], Awaitable[list[str]]], concurrency: int = 2) -> tuple[NumberLookup, list[Client]]:
    clients = [Client(answer) for answer in answers]
    servers = tuple(f"http://127.0.0.{place}/" for place in range(1, len(clients) + 1))
    settings = LookupSettings("a", servers=servers, timeout_ms=200, concurrency=concurrency)
    waiting = list(clients)
    return NumberLookup(settings, lambda url, settings: waiting.pop(0)), clients


@pytest.mark.parametrize("first", [fails, lies, hangs])
def test_the_next_server_is_asked_when_one_says_nothing(first: Callable[[], Awaitable[list[str]]]) -> None:
    async def run() -> None:
        lookup, _ = lookup_of(first, found)
        assert await lookup.find(VALUES) == ["sip:gw"]
        assert (lookup.figures.found, lookup.figures.failed) == (1, 0)

    asyncio.run(run())


def test_what_a_server_writes_does_not_steer_the_terminal_of_an_operator() -> None:
    async def writes() -> list[str]:
        return ["sip:a\ud800", 60_000 * "x"]

    async def says_so() -> list[str]:
        raise ServerFailed("no \x1b[2J\nfaked line\udcff")

    async def run() -> None:
        lookup, _ = lookup_of(writes)
        assert [len(text) for text in await lookup.find(VALUES)] == [6, RESULT_LEN_MAX + 1]
        lookup, _ = lookup_of(says_so)
        with pytest.raises(LookupFailed):
            await lookup.find(VALUES)
        assert lookup.figures.fault == "no ?[2J?faked line?"

    asyncio.run(run())


def test_a_lookup_without_an_answer_fails_within_its_time_and_says_why() -> None:
    async def run() -> None:
        lookup, _ = lookup_of(hangs, fails)
        with pytest.raises(LookupFailed, match="Lookup a: connection refused"):
            await lookup.find(VALUES)
        assert (lookup.figures.asked, lookup.figures.failed) == (1, 1)
        assert lookup.figures.fault == "connection refused"

    asyncio.run(run())


def test_a_server_that_fails_again_and_again_is_left_alone() -> None:
    async def run() -> None:
        lookup, (client,) = lookup_of(fails)
        for _ in range(FAILURES_MAX + 5):
            with pytest.raises(LookupFailed):
                await lookup.find(VALUES)
        assert client.asked == FAILURES_MAX

    asyncio.run(run())


def test_answers_that_cannot_be_used_do_not_prevent_questions() -> None:
    """Who dials strange numbers must not be able to stop the lookup for all others."""

    async def run() -> None:
        lookup, (client,) = lookup_of(lies)
        for _ in range(FAILURES_MAX + 5):
            with pytest.raises(LookupFailed, match="no JSON"):
                await lookup.find(VALUES)
        assert client.asked == FAILURES_MAX + 5

    asyncio.run(run())


def test_after_its_rest_one_question_tries_the_server() -> None:
    server = LookupServer(Client(fails))
    for _ in range(FAILURES_MAX):
        assert server.is_ready(100.0)
        server.has_failed(100.0)
    assert not server.is_ready(100.0 + REST_S - 0.1)
    assert server.is_ready(100.0 + REST_S)
    assert not server.is_ready(100.0 + REST_S)
    server.has_answered()
    assert list(LookupServers([]).to_ask(0.0)) == []
    assert server.is_ready(100.0 + REST_S)


def test_more_questions_than_may_wait_have_failed_at_once() -> None:
    async def run() -> None:
        lookup, _ = lookup_of(hangs, concurrency=1)
        questions = [asyncio.ensure_future(lookup.find(VALUES)) for _ in range(12)]
        results = await asyncio.gather(*questions, return_exceptions=True)
        assert all(isinstance(result, LookupFailed) for result in results)
        assert (lookup.figures.refused, lookup.figures.failed) == (1, 12)

    asyncio.run(run())


class HangingSession:
    """Blocks until it is aborted."""

    def __init__(self) -> None:
        self.aborted = Event()
        self.closed = Event()

    def find(self, values: LookupValues) -> list[str]:
        self.aborted.wait()
        raise ServerFailed("the connection was closed")

    def abort(self) -> None:
        self.aborted.set()

    def close(self) -> None:
        self.closed.set()


def test_a_session_that_hangs_is_ended_by_who_gives_up() -> None:
    opened: list[HangingSession] = []

    def open_session() -> HangingSession:
        opened.append(HangingSession())
        return opened[-1]

    async def run() -> None:
        sessions = Sessions(open_session, 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await sessions.find(VALUES)
        await asyncio.to_thread(opened[0].closed.wait)

    asyncio.run(run())
    assert len(opened) == 1


class OneAnswer:
    """Answers once, and then its connection is gone."""

    def __init__(self) -> None:
        self._is_used = False

    def find(self, values: LookupValues) -> list[str]:
        if self._is_used:
            raise ServerFailed("the connection was closed")
        self._is_used = True
        return ["sip:gw"]

    def abort(self) -> None:
        """It does not block."""

    def close(self) -> None:
        """Nothing is open."""


def test_a_connection_that_was_closed_while_idle_is_replaced() -> None:
    opened: list[OneAnswer] = []

    def open_session() -> OneAnswer:
        opened.append(OneAnswer())
        return opened[-1]

    async def run() -> None:
        # One is enough: the one that was closed does not count any more.
        sessions = Sessions(open_session, 1)
        for _ in range(3):
            assert await sessions.find(VALUES) == ["sip:gw"]
        sessions.close()

    asyncio.run(run())
    assert len(opened) == 3
