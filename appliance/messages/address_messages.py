"""Virtual addresses of a node: what the supervisor tells its workers when one comes or goes."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.messages.bus_messages import BusMessage


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
