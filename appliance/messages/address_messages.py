"""Virtual addresses: what the supervisor tells its workers when one comes or goes, and what operators order."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.messages.bus_messages import BusMessage, BusRequest
from appliance.messages.supervisor_requests import Done


@dataclass(slots=True)
class AddressOwned(BusMessage):
    """This node owns a virtual address from now on. `last_owner`: the number of the node before, 0 when none is known.

    `address` is its number (catalogue/cluster_values.py), `name` that of its section. It is sent once for each
    take-over, to the workers that run then.
    """

    kind = 140
    address: int
    name: str
    epoch: int
    last_owner: int


@dataclass(slots=True)
class AddressLost(BusMessage):
    """This node does not own the virtual address any more."""

    kind = 141
    address: int
    name: str


@dataclass(slots=True)
class AddressOwners(BusMessage):
    """The node that owns each virtual address, NO_MEMBER where none is known.

    Workers hear it once a second, and when an owner changes.
    """

    kind = 145
    addresses: list[int]
    owners: list[int]


# -- orders of operators -----------------------------------------------------------------------------


@dataclass(slots=True)
class SwitchAddress(BusRequest[Done]):
    """Have the owner of a virtual address give it to a node, "" for the best one. `address`: its name, or an address of
    its section."""

    kind = 142
    address: str
    node: str
    user: str


@dataclass(slots=True)
class DrainNode(BusRequest[Done]):
    """Have a node of the cluster own nothing, or let it own addresses again. `node`: its name, "" for this one."""

    kind = 143
    node: str
    is_on: bool
    user: str


@dataclass(slots=True)
class MaintainCluster(BusRequest[Done]):
    """From now on no node takes an address over by itself; or each may again."""

    kind = 144
    is_on: bool
    user: str
