"""Questions to workers: sent over the bus, answered between other work, dropped after a time-out.

A worker answers in a bounded message and never waits, so a question may be refused: its queue is
full, or that of this process is. The caller sets the time-out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from appliance.management.errors import Refused
from appliance.messages.bus_messages import (
    Answered,
    BusMessage,
    BusReply,
    BusRequest,
    PeerStarted,
    Refusal,
    reply_class,
)
from appliance.messages.worker_requests import Hello
from appliance.transport.process_id import REPLICATOR, ProcessId, process_id, worker_of

TIMEOUT_S: Final = 3.0
ASKED_MAX: Final = 256
GREETING_PAUSE_S: Final = 0.05

Told = Callable[[int, BusReply], None]


class MessageBus(Protocol):
    """The door to the workers (see appliance/ipc/bus.py)."""

    def receive(self) -> list[tuple[ProcessId, BusMessage]]: ...
    def pending(self) -> bool: ...
    def send(self, destination: ProcessId, messages: Sequence[BusMessage]) -> bool: ...
    def connect(self, destinations: Sequence[ProcessId]) -> None: ...
    def forget(self, process: ProcessId) -> None: ...


class WorkerLink:
    """Call `receive` when the bus is readable. Workers go by their numbers here, as operators know them."""

    def __init__(self, bus: MessageBus, node: int) -> None:
        """`node`: the number of this node."""
        self._bus = bus
        self._node = node
        self._last_id = 0
        self._waiting: dict[int, Told] = {}
        self._heard: set[int] = set()
        self.live: list[int] = []
        """The workers that can be asked."""
        self.replicator_told: Callable[[BusMessage], None] = lambda message: None
        """What to do with a message of the replicator."""

    def set_live(self, workers: list[int]) -> None:
        """Greet the live workers until they answer: the way back has to be open before the first question."""
        self._heard &= set(workers)
        self._bus.connect([process_id(self._node, number) for number in workers if number not in self.live])
        self.tell([number for number in workers if number not in self._heard], Hello())
        self.live = workers

    def receive(self) -> None:
        """Take in what has arrived."""
        arrived = self._bus.receive()
        while self._bus.pending():
            arrived += self._bus.receive()
        for process, message in arrived:
            sender = worker_of(process)
            if sender == REPLICATOR:
                self.replicator_told(message)
            elif isinstance(message, PeerStarted):
                self._heard.discard(sender)
            elif isinstance(message, BusReply):
                self._heard.add(sender)
                if message.id in self._waiting:
                    self._waiting[message.id](sender, message)

    async def ask(self, worker: int, request: BusRequest[Answered], timeout_s: float = TIMEOUT_S) -> Answered:
        """What one worker answers. Raises Refused."""
        if worker not in self.live:
            raise Refused(f"Worker {worker} does not exist or is down.", "see `show workers`")
        await self._open_way_back(worker, timeout_s)
        found: asyncio.Future[BusReply] = asyncio.get_running_loop().create_future()

        def told(_: int, reply: BusReply) -> None:
            if not found.done():
                found.set_result(reply)

        number = self.watch([worker], request, told)
        try:
            async with asyncio.timeout(timeout_s):
                reply = await found
        except TimeoutError:
            raise Refused(f"Worker {worker} did not answer within {timeout_s:g} s.", "try again in a moment") from None
        finally:
            self.forget(number)
        if isinstance(reply, Refusal):
            raise Refused(reply.sentence, reply.remedy)
        if not isinstance(reply, reply_class(request)):
            raise Refused(f"Worker {worker} answered with {type(reply).__name__}.", "see `show logging`")
        return reply

    async def _open_way_back(self, worker: int, timeout_s: float) -> None:
        """Greet a worker that has never answered: a question might be answered into the void, and is never repeated."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while worker not in self._heard and asyncio.get_running_loop().time() < deadline:
            self.tell([worker], Hello())
            await asyncio.sleep(GREETING_PAUSE_S)

    async def ask_all(self, request: BusRequest[Answered]) -> list[Answered]:
        """The answers of all workers; one that does not answer is left out. Raises Refused when none does."""
        answers = await asyncio.gather(*(self.ask(worker, request) for worker in self.live), return_exceptions=True)
        replies = [answer for answer in answers if not isinstance(answer, BaseException)]
        if not replies:
            refusals = [answer for answer in answers if isinstance(answer, Refused)]
            raise refusals[0] if refusals else Refused("No worker is live.", "see `show workers`")
        return replies

    def watch(self, workers: Sequence[int], request: BusRequest[Any], told: Told) -> int:
        """Ask, and pass on every answer until `forget`; returns the number of the question. Raises Refused."""
        if len(self._waiting) >= ASKED_MAX:
            raise Refused("Too many concurrent requests.", "try again in a moment")
        self._last_id += 1
        self._waiting[self._last_id] = told
        numbered = replace(request, id=self._last_id)
        for worker in workers:
            if not self._bus.send(process_id(self._node, worker), [numbered]):
                told(worker, Refusal(f"Worker {worker} is not reachable.", "try again in a moment"))
        return self._last_id

    def tell(self, workers: Sequence[int], message: BusMessage) -> None:
        """Send a message whose answer, if any, is not used."""
        for worker in workers:
            self._bus.send(process_id(self._node, worker), [message])

    def tell_replicator(self, message: BusMessage) -> bool:
        """False where it does not take it."""
        return self._bus.send(process_id(self._node, REPLICATOR), [message])

    def forget(self, number: int) -> None:
        """Pass on no more answers to a question."""
        self._waiting.pop(number, None)
