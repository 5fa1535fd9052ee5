"""What the nodes of a cluster count together: what is asked of rate limits, and wrong passwords.

From the supervisor of a node to its replicator, by a link to that of another node, and on to its supervisor.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.messages.bus_messages import BusMessage


@dataclass(slots=True)
class CountMessage(BusMessage):
    """The base of these. `node`: the one that it is about."""

    node: int


@dataclass(slots=True)
class NodeDemand(CountMessage):
    """What is asked of the workers of a node together in each report, by rate limit and key."""

    kind = 245
    demand: dict[str, dict[str, float]]


@dataclass(slots=True)
class NodeFailures(CountMessage):
    """Wrong passwords that were counted at a node, by source and user.

    `is_all`: all that it knows, for the node `to` that has just been reached; else those since the last message.
    """

    kind = 246
    failures: dict[str, dict[str, int]]
    is_all: bool = False
    to: int = 0


@dataclass(slots=True)
class NodeFailuresCleared(CountMessage):
    """An operator has had the failures of a source or a user forgotten, or all ("")."""

    kind = 247
    who: str


@dataclass(slots=True)
class NodeReached(CountMessage):
    """From the replicator to its supervisor: the link to a node is up."""

    kind = 248


@dataclass(slots=True)
class NodeLost(CountMessage):
    """From the replicator to its supervisor: the link to a node is lost."""

    kind = 249
