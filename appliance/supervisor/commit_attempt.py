"""A change of the configuration that is under way on this node."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from appliance.messages.bus_messages import BusReply
from appliance.storage.commits import Commit


class Origin(Enum):
    """Where it comes from."""

    OPERATOR = "operator"
    """Of this node, or the appliance itself."""
    OTHER_NODE = "other node"
    """Of the cluster, proposed by another node."""
    CLUSTER = "cluster"
    """It is in force in the cluster already."""


@dataclass(slots=True)
class Attempt:
    """What waits for the end of a reconfiguration; `asker` b"" when no reply is wanted."""

    asker: bytes
    text: str
    user: str
    comment: str = ""
    confirm_s: float = 0.0
    file_text: str = ""
    """The text of the file that the commit was loaded from; "" for none."""
    base: int = 0
    """The commit that it was made from."""
    id: str = ""
    """Of its proposal in the cluster."""
    origin: Origin = Origin.OPERATOR
    decided: Commit | None = None
    """As the cluster has it; None as long as it is not decided there."""
    prepared_at: float = 0.0
    """Since when it waits for the cluster; 0.0 for not yet."""
    text_of_node: str = field(init=False)
    """What the processes of this node go by."""
    number: int = 0
    sockets_before: int = 0
    """For how many workers there were sockets: more than are wanted, while some of them drain."""
    reply: BusReply = field(default_factory=BusReply)
    """The result for `asker`."""

    def __post_init__(self) -> None:
        self.text_of_node = self.text
