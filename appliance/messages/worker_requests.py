"""What operators ask of a worker, by way of the management process, and the typed rows of the answers.

Lists are bounded by `limit`. Texts are for eyes: octets of messages, decoded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from appliance.messages.bus_messages import BusMessage, BusReply, BusRequest, Cleared


@dataclass(slots=True)
class TableRows(BusReply):
    """The base of a part of a table: some of its rows, and how many there are in all."""

    total: int
    rows: list[Any]


# -- is the worker there? ----------------------------------------------------------------------------


@dataclass(slots=True)
class HelloReply(BusReply):
    """The worker reaches the asker."""

    kind = 61


@dataclass(slots=True)
class Hello(BusRequest[HelloReply]):
    """Opens the way back: answers to what follows are not lost."""

    kind = 60


# -- registrations -----------------------------------------------------------------------------------


@dataclass(slots=True)
class RegistrationRow:
    """A registered contact. `worker` and `connection` name its connection: -1 and 0 for none."""

    address: str
    contact: str
    expires_s: int
    q: float
    source: str
    connection: int
    worker: int
    instance: str
    user_agent: str
    path: list[str]


@dataclass(slots=True)
class RegistrationRows(TableRows):
    """Registered contacts. `next`: where the next part begins, "" for none."""

    kind = 63
    rows: list[RegistrationRow]
    next: str = ""


@dataclass(slots=True)
class ListRegistrations(BusRequest[RegistrationRows]):
    """The contacts of an address, or of all that begin so; `after`: the part behind a place, "" for the first one."""

    kind = 62
    address: str = ""
    limit: int = 100
    after: str | None = None


@dataclass(slots=True)
class ClearRegistration(BusRequest[Cleared]):
    """End the registrations of an address on the whole node."""

    kind = 64
    address: str


# -- transactions, calls, connections ----------------------------------------------------------------


@dataclass(slots=True)
class TransactionRow:
    """A transaction: `side` is server or client, `state` as in RFC 3261 17."""

    side: str
    method: str
    state: str
    remote: str
    last_status: str
    key: str


@dataclass(slots=True)
class TransactionRows(TableRows):
    """Transactions of one worker."""

    kind = 67
    rows: list[TransactionRow]


@dataclass(slots=True)
class ListTransactions(BusRequest[TransactionRows]):
    """The transactions from the place `offset` on."""

    kind = 66
    limit: int = 100
    offset: int = 0


@dataclass(slots=True)
class CallRow:
    """A call that is being set up."""

    call_id: str
    from_: str
    to: str
    request_uri: str
    came_from: str
    state: str
    last_status: str


@dataclass(slots=True)
class CallRows(TableRows):
    """Calls of one worker."""

    kind = 69
    rows: list[CallRow]


@dataclass(slots=True)
class ListCalls(BusRequest[CallRows]):
    """The calls that are being set up, from the place `offset` on."""

    kind = 68
    limit: int = 100
    offset: int = 0


@dataclass(slots=True)
class ConnectionRow:
    """A stream connection. `opened_by`: `us` or `peer`."""

    connection: int
    listener: int
    remote: str
    opened_by: str
    state: str
    proven: bool


@dataclass(slots=True)
class ConnectionRows(TableRows):
    """Stream connections of one worker."""

    kind = 71
    rows: list[ConnectionRow]


@dataclass(slots=True)
class ListConnections(BusRequest[ConnectionRows]):
    """The stream connections from the place `offset` on."""

    kind = 70
    limit: int = 100
    offset: int = 0


# -- rate limits -------------------------------------------------------------------------------------


@dataclass(slots=True)
class LimitedKey:
    """A source, domain or listener, and its requests over the limit."""

    key: str
    exceeded: int


@dataclass(slots=True)
class RateLimitRow:
    """What a limit has let in and what not; `keys` have a bucket, `hit` are the most limited ones."""

    name: str
    passed: int
    exceeded: int
    keys: int
    hit: list[LimitedKey]


@dataclass(slots=True)
class RateLimitRows(BusReply):
    """The rate limits of one worker."""

    kind = 73
    limits: list[RateLimitRow]


@dataclass(slots=True)
class ListRateLimits(BusRequest[RateLimitRows]):
    """What the rate limits of this worker have counted."""

    kind = 72


# -- a dry run ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class LookupNeeded:
    """A question for DNS or the database: its kind, its subject, and its fields by name."""

    kind: str
    subject: str
    fields: dict[str, str]


@dataclass(slots=True)
class LookupResult:
    """What was found for a subject: [] where there is no such host or subscriber; None where nothing answered."""

    kind: str
    subject: str
    found: list[str] | None


@dataclass(slots=True)
class StageRow:
    """What a stage decided."""

    stage: str
    answer: str
    note: str


@dataclass(slots=True)
class TargetRow:
    """A target with its next hops, in the order in which they are tried."""

    uri: str
    q: float
    hops: list[str]
    path: list[str]


@dataclass(slots=True)
class Route(BusReply):
    """Which way a request would take. `lookups`: what has to be known to go on."""

    kind = 75
    stages: list[StageRow]
    targets: list[TargetRow]
    outcome: str
    lookups: list[LookupNeeded]


@dataclass(slots=True)
class DryRun(BusRequest[Route]):
    """Which way would a request take?

    `uri`: a URI, USER@DOMAIN or a number; `caller`: the same. Where the listener, the caller or the source is "": the
    first listener, a user `caller` of its address, and the address of the listener. `known`: answers to the look-ups
    of a former reply. `date`: unix time, 0.0 for now. `media`: a codec that it offers, "" for none.
    """

    kind = 74
    version = 2
    uri: str
    caller: str = ""
    source: str = ""
    listener: str = ""
    is_unauthenticated: bool = False
    known: list[LookupResult] = field(default_factory=list)
    date: float = 0.0
    media: str = ""
    method: str = "INVITE"


# -- ping --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class PingSent(BusReply):
    """The OPTIONS is on its way. `own_tag`: the To tag of an answer that the appliance itself gives."""

    kind = 77
    own_tag: str


@dataclass(slots=True)
class Ping(BusRequest[PingSent]):
    """Send an OPTIONS whose answer goes to `host` and `port`; `mark` is random and stands in its Call-ID."""

    kind = 76
    uri: str
    host: str
    port: int
    listener: int
    mark: str
    max_forwards: int = 70


# -- capture of messages -----------------------------------------------------------------------------


@dataclass(slots=True)
class CapturedMessage:
    """A SIP message that came (`direction` in) or went (out)."""

    wall_time: float
    direction: str
    transport: str
    local: str
    remote: str
    start_line: str
    call_id: str
    octets: int
    data: str


@dataclass(slots=True)
class CapturedMessages(BusReply):
    """What was captured since the last reply; `missed`: how many more there were in all."""

    kind = 79
    messages: list[CapturedMessage]
    missed: int
    is_over: bool


@dataclass(slots=True)
class StartCapture(BusRequest[CapturedMessages]):
    """Send copies of messages of an address or a call ("": all), in several replies; ends the capture before it."""

    kind = 78
    address: str
    call_id: str
    messages_max: int
    seconds: float


@dataclass(slots=True)
class StopCapture(BusMessage):
    """End the capture that the sender has started by the request of this id."""

    kind = 80
    capture: int


# -- events of calls and registrations ---------------------------------------------------------------


@dataclass(slots=True)
class EventRow:
    """What happened to a call or a contact (proxy/events.py); "" and 0 for what the kind of event does not have."""

    wall_time: float
    event: str
    call_id: str
    from_uri: str = ""
    to_uri: str = ""
    from_tag: str = ""
    to_tag: str = ""
    identity: str = ""
    request_uri: str = ""
    source: str = ""
    target: str = ""
    hop: str = ""
    status: int = 0
    reason: str = ""
    address: str = ""
    contact: str = ""
    expires_s: int = 0
    user_agent: str = ""
    is_by_operator: bool = False


@dataclass(slots=True)
class WatchedEvents(BusReply):
    """Events since the last reply; `missed`: how many more there were in all."""

    kind = 101
    events: list[EventRow]
    missed: int
    is_over: bool


@dataclass(slots=True)
class WatchEvents(BusRequest[WatchedEvents]):
    """Send the events of a user ("": all), in several replies; ends what was watched before it."""

    kind = 102
    user: str
    seconds: float


@dataclass(slots=True)
class StopEvents(BusMessage):
    """End what the sender watches by the request of this id."""

    kind = 103
    watch: int
