"""The door at which the supervisor is asked: how things are, and to do something.

Most answers come at once; that to a commit comes when the commit is in force everywhere, or has failed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from appliance.ipc.bus import ControlEndpoint
from appliance.messages.bus_messages import BusMessage, ForgetSubscriber, OperatorCommand, RestartWorker, StatusRequest
from appliance.supervisor import operator_commands as orders
from appliance.supervisor.operator_commands import Answer, OperatorCommands


class Node(orders.Node, Protocol):
    """The supervisor, as far as it can be asked."""

    def status_report(self, now: float) -> Answer: ...
    def tell_all(self, message: BusMessage) -> list[int]:
        """Send a message to all processes that run; returns the numbers of those that the bus had room for."""


class Questions:
    """Answers what is asked. Call `answer_all` when `fileno()` is readable, and now and then."""

    def __init__(self, node: Node, runtime_dir: Path) -> None:
        """Raises BusUnavailable."""
        self._node = node
        self._orders = OperatorCommands(node)
        self._door = ControlEndpoint(runtime_dir)

    def fileno(self) -> int:
        """Readable when something was asked; it reports changes, not a level."""
        return self._door.fileno()

    def answer_all(self, now: float) -> bool:
        """Answer what was asked: was there more than to look?"""
        is_news = False
        # The descriptor reports changes only, and a reply may consume one: so until nothing is left.
        while asked := self._door.receive():
            for asker, question in asked:
                is_news |= not isinstance(question, StatusRequest)
                answer = self.answer(asker, question, now)
                if answer is not None:
                    self.reply(asker, answer)
        return is_news

    def answer(self, asker: bytes, question: BusMessage, now: float) -> Answer | None:
        """The answer to one question, or None when `reply` gives it later."""
        if isinstance(question, StatusRequest):
            return self._node.status_report(now)
        if isinstance(question, ForgetSubscriber):
            return {"workers_told": self._node.tell_all(question)}
        if isinstance(question, RestartWorker):
            return self._node.worker_pool.restart(question.number, now)
        if isinstance(question, OperatorCommand):
            return self._orders.obey(asker, question, now)
        return {"error": f"Unknown question {type(question).__name__}."}

    def reply(self, asker: bytes, answer: Answer) -> None:
        """Answer a question, now or later."""
        self._door.reply(asker, answer)

    def close(self) -> None:
        self._door.close()
