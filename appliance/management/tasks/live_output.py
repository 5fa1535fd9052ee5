"""Requests that go on for a while: a capture of messages, live events, a ping, and a trace of the way."""

from __future__ import annotations

import asyncio
import math
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from appliance import clock
from appliance.catalogue.settings import ListenerSettings
from appliance.management.appliance_client import Call
from appliance.management.errors import Refused
from appliance.management.reachability import SILENCE, fault_of_name, why_silent
from appliance.messages.bus_messages import BusMessage, BusReply, BusRequest
from appliance.messages.plain_values import plain
from appliance.messages.worker_requests import (
    CapturedMessage,
    CapturedMessages,
    EventRow,
    Hello,
    Ping,
    StartCapture,
    StopCapture,
    StopEvents,
    WatchedEvents,
    WatchEvents,
)
from appliance.transport.flow import UDP

SECONDS_MAX: Final = 600
LINES_MAX: Final = 10_000
COUNT_MAX: Final = 100
HOPS_MAX: Final = 70
HOPS_DEFAULT: Final = 15
MAX_FORWARDS: Final = 70
TOO_MANY_HOPS: Final = 483
SERVER_LEN_MAX: Final = 100
_SERVER: Final = re.compile(rb"\r\n(?:Server|User-Agent)[ \t]*:[ \t]*([^\r\n]+)", re.IGNORECASE)
# What the appliance itself answers for a host that it cannot reach (RFC 3261 16.7 step 6, 16.9): a 503 becomes a 500.
UNREACHED: Final = (408, 500, 503)
PAUSE_S: Final = 0.2
WILDCARDS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}

Result = dict[str, Any]


async def debug_sip(call: Call) -> Result:
    """Messages as they come and go, bounded in time and number; off by itself."""
    seconds = call.args.integer("seconds", 1, SECONDS_MAX, 60)
    lines = call.args.integer("lines", 1, LINES_MAX, 500)
    capture = StartCapture(call.args.text("from", ""), call.args.text("call", ""), lines, float(seconds))
    return await _follow(call, capture, StopCapture, seconds, lines)


async def monitor_events(call: Call) -> Result:
    """Events of calls and registrations as they happen, bounded in time and per second; off by itself."""
    seconds = call.args.integer("seconds", 1, SECONDS_MAX, 60)
    return await _follow(call, WatchEvents(call.args.text("user", ""), float(seconds)), StopEvents, seconds)


async def _follow(
    call: Call, request: BusRequest[Any], stop: Callable[[int], BusMessage], seconds: int, lines: float = math.inf
) -> Result:
    """Ask all workers, and show what they send until the last one says that it is over. Raises Refused."""
    # Opens the way to workers that were never asked before.
    await call.client.workers.ask_all(Hello())
    workers, queue = list(call.client.workers.live), asyncio.Queue[tuple[int, BusReply]](1000)
    missed = 0

    def told(worker: int, reply: BusReply) -> None:
        nonlocal missed
        try:
            queue.put_nowait((worker, reply))
        except asyncio.QueueFull:
            missed += len(_rows(reply))

    number = call.client.workers.watch(workers, request, told)
    shown = 0
    try:
        async with asyncio.timeout(seconds + 2):
            while workers and shown < lines:
                worker, reply = await queue.get()
                is_over = True
                if isinstance(reply, (CapturedMessages, WatchedEvents)):
                    is_over = reply.is_over
                    missed += reply.missed * is_over
                    shown += await _show(call, worker, _rows(reply))
                if is_over:
                    workers = [other for other in workers if other != worker]
    except TimeoutError:
        pass
    finally:
        call.client.workers.forget(number)
        call.client.workers.tell(workers, stop(number))
    return {"shown": shown, "missed": missed}


def _rows(reply: BusReply) -> Sequence[CapturedMessage | EventRow]:
    if isinstance(reply, CapturedMessages):
        return reply.messages
    return reply.events if isinstance(reply, WatchedEvents) else ()


async def _show(call: Call, worker: int, rows: Sequence[CapturedMessage | EventRow]) -> int:
    for row in rows:
        await call.event({"worker": worker, **plain(row)})
    return len(rows)


# -- ping --------------------------------------------------------------------------------------------


class _Answers(asyncio.DatagramProtocol):
    """Where the answers to one ping arrive."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[bytes] = asyncio.Queue(100)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if not self.arrived.full():
            self.arrived.put_nowait(data)


async def ping(call: Call) -> Result:
    """OPTIONS requests, one after another, each with what came of it and how long that took."""
    count = call.args.integer("count", 1, COUNT_MAX, 5)
    times: list[float] = []
    async with _asking(call) as ask:
        for number in range(1, count + 1):
            heard = await ask(MAX_FORWARDS)
            await call.event({"n": number, **heard.as_event()})
            if heard.status:
                times.append(heard.ms)
            if number < count:
                await asyncio.sleep(PAUSE_S)
    average = round(sum(times) / len(times), 2) if times else 0.0
    figures = {"min_ms": min(times, default=0.0), "avg_ms": average, "max_ms": max(times, default=0.0)}
    return {"sent": count, "received": len(times), **figures}


async def traceroute(call: Call) -> Result:
    """OPTIONS requests with Max-Forwards from 1 on: each proxy on the way answers one of them with 483."""
    hops_max = call.args.integer("hops", 1, HOPS_MAX, HOPS_DEFAULT)
    hops, is_there = 0, False
    async with _asking(call) as ask:
        while hops < hops_max and not is_there:
            hops += 1
            heard = await ask(hops)
            await call.event({"n": hops, **heard.as_event(), "server": heard.server})
            # RFC 3261 16.3 step 3: a proxy that may not forward it answers 483, or answers OPTIONS itself.
            is_there = heard.status not in (0, TOO_MANY_HOPS)
    return {"hops": hops, "is_reached": is_there}


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one request: `status` 0 for no answer."""

    status: int
    reason: str
    ms: float
    server: str = ""

    def as_event(self) -> Result:
        """As it is told."""
        return {"status": self.status, "reason": self.reason, "ms": self.ms}


@asynccontextmanager
async def _asking(call: Call) -> AsyncIterator[Callable[[int], Awaitable[Heard]]]:
    """A function that sends one OPTIONS with a Max-Forwards, and waits for what comes of it. Raises Refused."""
    uri = call.args.text("uri")
    timeout_s = call.args.number("timeout_s", 0.1, 30.0, 2.0)
    fault = await fault_of_name(uri, call.client.settings)
    if fault:
        raise Refused(fault, "check the spelling and the name servers of the machine")
    place, listener = _listener(call)
    host = WILDCARDS.get(listener.address, listener.address)
    loop = asyncio.get_running_loop()
    transport, answers = await loop.create_datagram_endpoint(_Answers, local_addr=(host, 0))
    port = transport.get_extra_info("sockname")[1]
    try:
        yield lambda hops: _ask_once(
            call, Ping(uri, host, port, place, secrets.token_hex(8), hops), answers, timeout_s
        )
    finally:
        transport.close()


async def _ask_once(call: Call, wanted: Ping, answers: _Answers, timeout_s: float) -> Heard:
    begun = clock.monotonic()
    sent = await call.client.workers.ask(call.client.workers.live[0], wanted)
    try:
        async with asyncio.timeout(timeout_s):
            status, reason, server, is_own = await _final_answer(answers, wanted.mark, sent.own_tag)
    except TimeoutError:
        return Heard(0, await why_silent(wanted.uri, call.client.settings), 0.0)
    took_ms = round((clock.monotonic() - begun) * 1000, 2)
    if is_own and status >= 300:
        # An answer of the appliance itself is no sign of life of the target.
        why = await why_silent(wanted.uri, call.client.settings) if status in UNREACHED else SILENCE
        return Heard(0, why if why != SILENCE else f"this appliance says {status} {reason}", 0.0)
    return Heard(status, reason, took_ms, server)


async def _final_answer(answers: _Answers, mark: str, own_tag: str) -> tuple[int, str, str, bool]:
    """Status, reason phrase, server and whether it is ours, of the final response to the request with this mark."""
    while True:
        data = await answers.arrived.get()
        status = data[8:11]
        if mark.encode() in data and status.isdigit() and int(status) >= 200:
            reason = data[12:].partition(b"\r\n")[0].decode("utf-8", "replace")
            return int(status), reason, _server_of(data), f";tag={own_tag}".encode() in data


def _server_of(data: bytes) -> str:
    """What the answering element calls itself (RFC 3261 20.35, 20.41)."""
    found = _SERVER.search(data)
    return found[1].decode("utf-8", "replace")[:SERVER_LEN_MAX] if found else ""


def _listener(call: Call) -> tuple[int, ListenerSettings]:
    """A listener by which the answers can come, and its place."""
    if not call.client.workers.live:
        raise Refused("No worker is live.", "see `show workers`")
    places = {listener.name: listener.place for listener in call.client.status.listeners}
    for listener in call.client.settings.listeners:
        if UDP in listener.transports and listener.name in places:
            return places[listener.name], listener
    raise Refused("No listener has transport UDP.", "add `transport udp` to a listener")
