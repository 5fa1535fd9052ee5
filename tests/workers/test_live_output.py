"""What a worker sends an operator for a while: events and copies of messages (see bench.py)."""

from __future__ import annotations

import asyncio

import pytest

from appliance.messages.worker_requests import (
    CapturedMessages,
    ListConnections,
    StartCapture,
    StopEvents,
    WatchedEvents,
    WatchEvents,
)
from appliance.proxy.events import CallStarted
from appliance.transport.flow import UDP, Flow

datagrams = pytest.importorskip("appliance.workers.datagrams", reason="the batch reader is not built")

from tests.workers.bench import Bench, Play, until  # noqa: E402

STARTED = CallStarted(
    1.0, b"call-1", b"sip:alice@example.com", b"sip:bob@example.com", b"a", b"", b"", b"sip:bob@example.com",
    Flow(UDP, 0, ("192.0.2.101", 5060)),
)  # fmt: skip


async def replies(bench: Bench, count: int) -> list[WatchedEvents | CapturedMessages]:
    """So many of them, in their order."""
    found: list[WatchedEvents | CapturedMessages] = []
    while len(found) < count:
        heard = [message for _, message in bench.supervisor.receive()]
        found += [message for message in heard if isinstance(message, (WatchedEvents, CapturedMessages))]
        await asyncio.sleep(0.001)
    return found


def test_events_are_made_while_an_operator_watches(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.order(WatchEvents("alice", 30.0, id=7))
        await until(lambda: bench.stack.wants_events)
        bench.stack.events = [STARTED]
        await bench.order(ListConnections())
        (told,) = await replies(bench, 1)
        assert isinstance(told, WatchedEvents) and [row.call_id for row in told.events] == ["call-1"]
        assert (told.id, told.missed, told.is_over) == (7, 0, False)
        await bench.order(StopEvents(6))
        await bench.order(StopEvents(7))
        await until(lambda: not bench.stack.wants_events)

    assert play(scenario) == 0


def test_what_is_watched_ends_by_time_and_by_the_next_request(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.order(WatchEvents("", 30.0, id=7), WatchEvents("", 0.0, id=8))
        assert [(reply.id, reply.is_over) for reply in await replies(bench, 2)] == [(7, True), (8, True)]
        assert not bench.stack.wants_events
        await bench.order(StartCapture("", "", 9, 30.0, id=9), StartCapture("", "", 9, 0.0, id=10))
        assert [(reply.id, reply.is_over) for reply in await replies(bench, 2)] == [(9, True), (10, True)]

    assert play(scenario) == 0
