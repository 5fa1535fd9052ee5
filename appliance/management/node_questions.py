"""Questions to the management processes of other nodes, by the replicator; and theirs to this one.

Bounded: questions under way in both directions, their time, and the size of an answer. An answer that no operator waits
for is dropped and counted.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from secrets import randbits
from typing import Any, Final

from appliance.management.errors import Refused
from appliance.management.sessions import Session
from appliance.management.worker_link import WorkerLink
from appliance.messages.bus_messages import BusMessage
from appliance.messages.node_questions import AskNode, NodeAnswer, NodeNotAsked
from appliance.messages.worker_requests import Hello

TIMEOUT_S: Final = 3.0
ASKED_MAX: Final = 64
ANSWERED_MAX: Final = 8
ANSWERED_OF_NODE_MAX: Final = 4
ARGUMENTS_MAX: Final = 8192
ANSWER_MAX: Final = 1 << 20
PART_LEN: Final = 1 << 15
PAUSE_S: Final = 0.05

Answer = dict[str, Any]
BUSY: Final = b'{"error": {"message": "The node answers too many questions of other nodes.", "remedy": "try again"}}'


class _Asked:
    """A question under way: the parts that have come."""

    def __init__(self, node: int) -> None:
        self.node = node
        self.octets = bytearray()
        self.parts = 0
        self.ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        """True: the answer is whole. False: there will be none."""

    def take(self, message: NodeAnswer) -> None:
        """The next part; a part that is missing, or too many of them, end it."""
        if self.ended.done():
            return
        self.octets += message.octets
        if message.part != self.parts or len(self.octets) > ANSWER_MAX:
            self.end(False)
        elif message.is_last:
            self.end(True)
        self.parts += 1

    def end(self, is_whole: bool) -> None:
        """Nothing more comes."""
        if not self.ended.done():
            self.ended.set_result(is_whole)


class NodeQuestions:
    """Call `receive` for each message of the replicator. `answer` gives the octets of an answer for a question of
    another node; without it none is answered.
    """

    def __init__(self, workers: WorkerLink) -> None:
        self.dropped = 0
        """Messages that no operator waited for, or that the replicator did not take."""
        self.answer: Callable[[AskNode], Awaitable[bytes]] | None = None
        self._workers = workers
        self._last_number = randbits(48)
        self._asked: dict[int, _Asked] = {}
        self._answering: dict[asyncio.Task[None], int] = {}
        self._is_greeted = False

    def greet(self) -> None:
        """Let the replicator know this process: a question that is meant for its predecessor would be lost."""
        self._is_greeted = self._is_greeted or self._workers.tell_replicator(Hello())

    async def ask(self, node: int, do: str, arguments: Mapping[str, Any], session: Session) -> Answer:
        """The `result` or the `error` that a node answers. Raises Refused: it does not."""
        text = json.dumps(dict(arguments))
        if len(text) > ARGUMENTS_MAX:
            raise Refused(f"The arguments have more than {ARGUMENTS_MAX} octets.")
        if len(self._asked) >= ASKED_MAX:
            raise Refused("Too many concurrent questions to other nodes.", "try again in a moment")
        self._last_number += 1
        number, asked = self._last_number, _Asked(node)
        self._asked[number] = asked
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._pass(AskNode(node, number, do, text, session.user, session.is_at_home))
                is_whole = await asked.ended
        except TimeoutError:
            raise Refused(
                f"The node did not answer within {TIMEOUT_S:g} s.",
                "see `show cluster`; a node of an older version does not answer",
            ) from None
        finally:
            del self._asked[number]
        if not is_whole:
            raise Refused("The node is unreachable.", "see `show cluster`")
        return _read(bytes(asked.octets))

    def receive(self, message: BusMessage) -> None:
        """A message of the replicator."""
        if isinstance(message, AskNode):
            self._be_asked(message)
        elif isinstance(message, NodeAnswer):
            asked = self._asked.get(message.number)
            if asked is None or asked.node != message.node:
                self.dropped += 1
            else:
                asked.take(message)
        elif isinstance(message, NodeNotAsked):
            for number, asked in self._asked.items():
                if asked.node == message.node and message.number in (0, number):
                    asked.end(False)

    def _be_asked(self, question: AskNode) -> None:
        of_node = Counter(self._answering.values())[question.node]
        if self.answer is None:
            self._workers.tell_replicator(NodeNotAsked(question.node, question.number))
        elif of_node >= ANSWERED_OF_NODE_MAX or len(self._answering) >= ANSWERED_MAX:
            self.dropped += not self._workers.tell_replicator(
                NodeAnswer(question.node, question.number, 0, BUSY, True)
            )
        else:
            task = asyncio.ensure_future(self._answer(question, self.answer))
            self._answering[task] = question.node
            task.add_done_callback(lambda done: self._answering.pop(done, None))

    async def _answer(self, question: AskNode, answer: Callable[[AskNode], Awaitable[bytes]]) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                octets = await answer(question)
                for part, begin in enumerate(range(0, len(octets), PART_LEN)):
                    end = begin + PART_LEN
                    is_last = end >= len(octets)
                    await self._pass(
                        NodeAnswer(question.node, question.number, part, octets[begin:end], is_last)
                    )
        except TimeoutError:
            # No operator waits for it any more.
            self.dropped += 1

    async def _pass(self, message: BusMessage) -> None:
        """To the replicator; it is tried again while that does not take it."""
        while not self._workers.tell_replicator(message):
            await asyncio.sleep(PAUSE_S)


def _read(octets: bytes) -> Answer:
    """Raises Refused for what is no answer."""
    try:
        answer = json.loads(octets)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or not isinstance(answer.get("result", answer.get("error")), dict):
        raise Refused("The node sent what is no answer.", "see `show logging` there")
    return answer
