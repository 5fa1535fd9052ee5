"""Copies of calls between nodes: what the replicator of one says to that of another (see call_copies.py)."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.messages.bus_messages import BusMessage


@dataclass(slots=True)
class CopiesSent(BusMessage):
    """Copies, as octets. Batches of a link are numbered from 1. `is_anew`: all that came before is void, and all that
    the sender has for this node begins here.
    """

    kind = 170
    number: int
    is_anew: bool
    octets: bytes


@dataclass(slots=True)
class CopiesTaken(BusMessage):
    """The batches up to this number are kept."""

    kind = 171
    number: int
