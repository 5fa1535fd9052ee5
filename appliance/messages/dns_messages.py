"""What operators ask of a worker about DNS and next hops, and the typed rows of the answers."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.messages.bus_messages import BusRequest, Cleared
from appliance.messages.worker_requests import TableRows


@dataclass(slots=True)
class DnsCacheRow:
    """An answer of DNS.

    `kind`       `host`, `servers` (the type of the records stands before the name) or `enum`.
    `expires_s`  seconds left of its time.
    `state`      `valid`, `stale` (its time is over, and DNS does not answer) or `expired`.
    """

    kind: str
    name: str
    values: list[str]
    expires_s: int
    state: str


@dataclass(slots=True)
class DnsCacheRows(TableRows):
    """Answers that one worker keeps."""

    kind = 191
    rows: list[DnsCacheRow]


@dataclass(slots=True)
class ListDnsCache(BusRequest[DnsCacheRows]):
    """The answers from the place `offset` on."""

    kind = 190
    limit: int = 100
    offset: int = 0


@dataclass(slots=True)
class ClearDnsCache(BusRequest[Cleared]):
    """Forget the answers of DNS; all of them, or those of one name."""

    kind = 192
    name: str = ""


@dataclass(slots=True)
class HopRow:
    """A next hop that is left alone. `state`: why, in words; `seconds`: how long it still is."""

    transport: str
    address: str
    port: int
    state: str
    seconds: int


@dataclass(slots=True)
class HopRows(TableRows):
    """Next hops that one worker leaves alone."""

    kind = 194
    rows: list[HopRow]


@dataclass(slots=True)
class ListHops(BusRequest[HopRows]):
    """The next hops from the place `offset` on."""

    kind = 193
    limit: int = 100
    offset: int = 0
