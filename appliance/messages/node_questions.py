"""What an operator asks of another node of the cluster, and the answer.

From the management process of a node to its replicator, by a link to that of the other node, and on to the management
process there. `node` is the other node: the one that a message is for, and at its destination the one that sent it,
which the replicator there writes. `number` is that of the question at the node that asks.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.messages.bus_messages import BusMessage


@dataclass(slots=True)
class NodeQuestion(BusMessage):
    """The base of these."""

    node: int
    number: int


@dataclass(slots=True)
class AskNode(NodeQuestion):
    """Show this. `arguments`: a JSON object. `user`: who asks; `is_at_home`: root, or the user of the appliance."""

    kind = 250
    do: str
    arguments: str
    user: str
    is_at_home: bool


@dataclass(slots=True)
class NodeAnswer(NodeQuestion):
    """A part of the answer, a JSON object with `result` or `error`; `part` counts from 0."""

    kind = 251
    part: int
    octets: bytes
    is_last: bool


@dataclass(slots=True)
class NodeNotAsked(NodeQuestion):
    """The question could not be passed on, or the link was lost before its answer; number 0 for all of a node."""

    kind = 252
