"""What the supervisor, the persister and the workers tell each other about the registration table of the node."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.messages.bus_messages import BusMessage


@dataclass(slots=True)
class TableReplaced(BusMessage):
    """To the workers: the table in force is in this directory now; what is staged is written there."""

    kind = 120
    directory: str


@dataclass(slots=True)
class TableUnsound(BusMessage):
    """The table in this directory holds what cannot be: from a worker to the supervisor, and on to the persister."""

    kind = 121
    directory: str
    fault: str


@dataclass(slots=True)
class PersisterSettings(BusMessage):
    """To the persister: a configuration is in force, as text."""

    kind = 122
    config_text: str


@dataclass(slots=True)
class ReplicatorSettings(BusMessage):
    """To the replicator: a configuration is in force, as text."""

    kind = 123
    config_text: str
