"""What the stack gives back at the end of a turn, for the worker to do."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.messages.bus_messages import BusMessage
from appliance.messages.call_copies import CallCopy
from appliance.proxy.events import Event
from appliance.routing.lookup_questions import Question
from appliance.transport.flow import Outgoing
from appliance.transport.process_id import ProcessId

# Key, slot and octets of the snapshot of a call; b"" where none is needed any more.
Snapshot = tuple[bytes, int, bytes]


class Outputs:
    """What a stack wants to be done at the end of a turn.

    `snapshots` are kept before anything of the turn is sent, `copies` are for another node; `outgoings` are for the
    wire, `messages` (destination, message) for the bus, `questions` for lookups. `due`: when its next timer is,
    monotonic. `events`: what happened to calls and registrations, as long as they are wanted.
    """

    __slots__ = ("copies", "due", "events", "messages", "outgoings", "questions", "snapshots")

    def __init__(
        self,
        outgoings: list[Outgoing],
        snapshots: list[Snapshot],
        messages: list[tuple[ProcessId, BusMessage]],
        questions: list[Question],
        due: float,
        events: Sequence[Event],
        copies: list[CallCopy],
    ) -> None:
        self.outgoings = outgoings
        self.snapshots = snapshots
        self.messages = messages
        self.questions = questions
        self.due = due
        self.events = events
        self.copies = copies
