"""The endpoint where the supervisor takes requests: for its status, and for actions.

Most answers come at once; that to a commit comes when the commit is in force everywhere, or has failed.
"""

from __future__ import annotations

from pathlib import Path

from appliance.ipc.bus import ControlEndpoint
from appliance.messages.bus_messages import BusMessage, BusReply
from appliance.messages.supervisor_requests import StatusRequest
from appliance.supervisor.operator_commands import Node, OperatorCommands


class Questions:
    """Answers what is asked. Call `answer_all` when `fileno()` is readable, and now and then."""

    def __init__(self, node: Node, runtime_dir: Path) -> None:
        """Raises BusUnavailable."""
        self._commands = OperatorCommands(node)
        self.door = ControlEndpoint(runtime_dir)

    def fileno(self) -> int:
        """Readable when something was asked; it tells of a change, not of a level."""
        return self.door.fileno()

    def answer_all(self, now: float) -> bool:
        """Answer what was asked: was there more than to look?"""
        is_news = False
        # The descriptor tells of a change only, and a reply may take that: so until nothing is left.
        while asked := self.door.receive():
            for asker, request in asked:
                is_news |= not isinstance(request, StatusRequest)
                reply = self.answer(asker, request, now)
                if reply is not None:
                    self.reply(asker, reply)
        return is_news

    def answer(self, asker: bytes, request: BusMessage, now: float) -> BusReply | None:
        """The answer to one request, or None when `reply` gives it later."""
        return self._commands.execute(asker, request, now)

    def reply(self, asker: bytes, reply: BusReply) -> None:
        """Answer a request, now or later."""
        self.door.reply(asker, reply)

    def close(self) -> None:
        self.door.close()
