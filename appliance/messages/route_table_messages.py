"""What is said of route tables that are read from databases: by the lookup server, the supervisor, and operators."""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.messages.bus_messages import BusMessage, BusReply, BusRequest
from appliance.messages.supervisor_requests import Done


@dataclass(slots=True)
class TableReadRow:
    """A route table: its last read, times as unix time, 0 for never. `fault`: why the last one failed; "" for none."""

    table: str
    is_reading: bool
    rows: int
    read_at: float
    changed_at: float
    took_s: float
    fault: str
    reads: int
    failures: int
    changes: int


@dataclass(slots=True)
class LookupServerReport(BusMessage):
    """From the lookup server: it lives, and how its tables are; what it has counted, by id."""

    kind = 220
    counters: list[int]
    tables: list[TableReadRow] = field(default_factory=list)


@dataclass(slots=True)
class LookupServerSettings(BusMessage):
    """To the lookup server: a configuration is in force, as text."""

    kind = 221
    config_text: str


@dataclass(slots=True)
class ReadTable(BusMessage):
    """To the lookup server: read a table now; "": all."""

    kind = 222
    table: str


@dataclass(slots=True)
class TableReadRows(BusReply):
    """All tables that are read from databases."""

    kind = 224
    rows: list[TableReadRow]


@dataclass(slots=True)
class ListTableReads(BusRequest[TableReadRows]):
    """How are the tables that are read from databases?"""

    kind = 223


@dataclass(slots=True)
class RequestTableRead(BusRequest[Done]):
    """Read a table now; "": all."""

    kind = 225
    table: str
