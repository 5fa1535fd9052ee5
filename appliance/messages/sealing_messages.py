"""How the keys that seal tokens go to workers and nodes (messages/sealing_keys.py), and how operators rotate them."""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.messages.bus_messages import BusMessage, BusRequest
from appliance.messages.sealing_keys import SealingKeys
from appliance.messages.supervisor_requests import Done


@dataclass(slots=True)
class SealingKeysChanged(BusMessage):
    """To a worker, until it says that it has them: seal and open with these keys from now on."""

    kind = 230
    keys: SealingKeys


@dataclass(slots=True)
class SealingKeysTaken(BusMessage):
    """From a worker: it goes by the keys of this step."""

    kind = 231
    step: int


@dataclass(slots=True)
class SealingState(BusMessage):
    """To the cluster process, again and again: all workers of this node go by the keys of this step.

    `linked`: the numbers of the nodes that there is a link to: they live, whatever etcd says.
    """

    kind = 232
    step: int
    linked: list[int] = field(default_factory=list)


@dataclass(slots=True)
class RotationAsked(BusMessage):
    """To the cluster process: make a new key, or, by force, use the one that is being distributed."""

    kind = 233
    number: int
    is_forced: bool


@dataclass(slots=True)
class RotationEnded(BusMessage):
    """From the cluster process, to RotationAsked of that number: what was done, or why nothing was and what to type."""

    kind = 234
    number: int
    is_done: bool
    sentence: str
    remedy: str = ""


@dataclass(slots=True)
class RotateSealingKey(BusRequest[Done]):
    """Have the cluster, or a node that is in none, seal with another key."""

    kind = 235
    is_forced: bool
    user: str
