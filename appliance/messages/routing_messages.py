"""What operators ask of a worker about routing, and the typed rows of the answers."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.messages.bus_messages import BusReply, BusRequest, Cleared
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


@dataclass(slots=True)
class RouteCountRow:
    """How many calls have followed an entry of a route table in one worker."""

    table: str
    prefix: str
    action: str
    calls: int


@dataclass(slots=True)
class RouteCountRows(TableRows):
    """Entries of one worker, the most followed first. `uncounted`: calls by entries beyond the limit."""

    kind = 217
    rows: list[RouteCountRow]
    uncounted: int = 0


@dataclass(slots=True)
class ListRouteCounts(BusRequest[RouteCountRows]):
    """Entries of one table, or ("") of all, from the place `offset` on."""

    kind = 216
    table: str = ""
    limit: int = 100
    offset: int = 0


@dataclass(slots=True)
class ClearRouteCounts(BusRequest[Cleared]):
    """Count anew."""

    kind = 218
