"""What operators ask of a worker about routing, and the typed rows of the answers."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.messages.bus_messages import BusReply, BusRequest
from appliance.messages.worker_requests import TableRows


@dataclass(slots=True)
class LookupRow:
    """What a lookup has done in one worker (lookups/number_lookup.py). `busy_s`: the sum of the times of answers."""

    name: str
    asked: int
    found: int
    empty: int
    failed: int
    refused: int
    busy_s: float
    fault: str
    fault_at: float


@dataclass(slots=True)
class LookupRows(BusReply):
    """The lookups of one worker."""

    kind = 211
    rows: list[LookupRow]


@dataclass(slots=True)
class ListLookups(BusRequest[LookupRows]):
    """What the lookups have done."""

    kind = 210


@dataclass(slots=True)
class LookupCacheRow:
    """How many answers of a lookup a worker keeps, and how often one was of use."""

    name: str
    cached: int
    hits: int


@dataclass(slots=True)
class LookupCacheRows(BusReply):
    """The lookups of one worker."""

    kind = 213
    rows: list[LookupCacheRow]


@dataclass(slots=True)
class ListLookupCaches(BusRequest[LookupCacheRows]):
    """How much of lookups is kept."""

    kind = 212


@dataclass(slots=True)
class RoutingFailureRow:
    """A call to a number that found no way (routing/routing_failures.py)."""

    wall_time: float
    call_id: str
    source: str
    caller: str
    called: str
    status: int
    reason: str
    steps: list[str]


@dataclass(slots=True)
class RoutingFailureRows(TableRows):
    """The routing failures of one worker, the latest first."""

    kind = 215
    rows: list[RoutingFailureRow]


@dataclass(slots=True)
class ListRoutingFailures(BusRequest[RoutingFailureRows]):
    """The routing failures from the place `offset` on."""

    kind = 214
    limit: int = 100
    offset: int = 0
