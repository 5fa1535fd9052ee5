"""What travels between the processes of a node: each message is a class with a number (`kind`) and a version.

To add one: a class here, or in the module of its kind (worker_requests.py, supervisor_requests.py); what it looks like
as octets follows from its annotations (codec.py). A number is never used again for something else: a change of the
fields of a class raises its version.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar, get_args

from appliance.messages.slots import SlotTable
from appliance.transport.flow import Flow, Outgoing
from appliance.transport.process_id import ProcessId


class BusMessage:
    """Anything that travels on the bus. Messages of equal fields are equal."""

    __slots__ = ()
    kind: ClassVar[int]
    version: ClassVar[int] = 1


@dataclass(slots=True)
class BusReply(BusMessage):
    """The base of what answers a BusRequest: `id` is that of the request."""

    id: int = field(default=0, kw_only=True)


Answered = TypeVar("Answered", bound=BusReply, covariant=True)


@dataclass(slots=True)
class BusRequest(BusMessage, Generic[Answered]):
    """The base of what is asked of a worker or of the supervisor: it is answered by an Answered, or by a Refusal."""

    id: int = field(default=0, kw_only=True)


def reply_class(request: BusRequest[Answered]) -> type[Answered]:
    """The class of the reply that this request is answered by."""
    (answered,) = get_args(type(request).__orig_bases__[0])  # type: ignore[attr-defined]
    found: type[Answered] = answered
    return found


@dataclass(slots=True)
class ConfigurationFault:
    """A fault of a configuration: where it is, and what to type instead."""

    line: int
    column: int
    problem: str
    remedy: str


@dataclass(slots=True)
class Refusal(BusReply):
    """A request that was not fulfilled: why, in a sentence, and what the operator can do."""

    kind = 40
    sentence: str
    remedy: str = ""
    faults: list[ConfigurationFault] = field(default_factory=list)
    """Of a configuration that was to be committed."""
    head: int = 0
    """The commit in force, where it is not the one that a commit was made from; 0 elsewhere."""


@dataclass(slots=True)
class Cleared(BusReply):
    """How many entries were removed."""

    kind = 65
    count: int


@dataclass(slots=True)
class HandedOver(BusMessage):
    """A whole SIP message as it came by `flow`, from a worker that does not own its slot.

    Being of this class is the mark "handed over": the receiver handles it as its own, so that two workers with
    different tables never pass a message to and fro. `epoch` is that of the sender's table: only by a newer one a call
    goes on from here, or a response or a CANCEL whose call has gone.
    """

    kind = 1
    version = 2
    data: bytes
    flow: Flow
    epoch: int = 0


@dataclass(slots=True)
class HandedOverTaken(BusMessage):
    """So many more of the messages of streams that you have handed over are handled."""

    kind = 6
    count: int


@dataclass(slots=True)
class SendByConnection(BusMessage):
    """Please send this: the stream connection it goes by is yours."""

    kind = 2
    version = 2
    outgoing: Outgoing


@dataclass(slots=True)
class SendFailed(BusMessage):
    """What you asked me to send for the client transaction of `branch` could not be sent (RFC 3261 17.1.4)."""

    kind = 3
    branch: bytes


@dataclass(slots=True)
class PeerStarted(BusMessage):
    """Made by the receiving bus, before the first message of a process: the sender is new, or new again.

    Whatever was agreed with its predecessor (sequence numbers, connections) is void.
    """

    kind = 4


@dataclass(slots=True)
class ConnectionsChanged(BusMessage):
    """Stream connections of the sender that may be used, and that may no longer."""

    kind = 5
    version = 2
    opened: list[Flow]
    closed: list[Flow]


@dataclass(slots=True)
class Heartbeat(BusMessage):
    """A process lives: its counters by id, its gauges by name, the turns its loop made, its alarms (name, sentence).

    `traffic`: messages by method and status code, by name (sip/traffic_counts.py).
    """

    kind = 10
    version = 3
    worker: int
    counters: list[int]
    gauges: dict[str, int]
    turn: int
    alarms: list[str] = field(default_factory=list)
    traffic: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class SlotsChanged(BusMessage):
    """The slot table in force and the workers that live, from the supervisor.

    `orphans` names what the dead of this node left behind: number of the worker and bank, one after the other (see
    storage/flight_recorder.py). `former` names what the last start of the appliance left behind, in the same way.
    """

    kind = 11
    version = 2
    table: SlotTable
    live: list[ProcessId]
    orphans: list[int] = field(default_factory=list)
    former: list[int] = field(default_factory=list)


@dataclass(slots=True)
class CallsMoved(BusMessage):
    """Calls that are being set up in slots which are yours now, as snapshots.

    `epoch`: of the slot table that says so. A worker with a newer one passes on what is not its own.
    """

    kind = 15
    snapshots: list[bytes]
    epoch: int


@dataclass(slots=True)
class Drain(BusMessage):
    """Take no new work, finish what you have."""

    kind = 12


@dataclass(slots=True)
class Stop(BusMessage):
    """Stop reading, write down what must be kept, end."""

    kind = 13


# -- a new configuration, from the supervisor to workers and back ------------------------------------


@dataclass(slots=True)
class TakeEffect(BusMessage):
    """Go by the configuration that was prepared as `revision`."""

    kind = 41
    revision: int


@dataclass(slots=True)
class Abandon(BusMessage):
    """Drop the configuration that was prepared as `revision`, or is about to be."""

    kind = 42
    revision: int


@dataclass(slots=True)
class ListeningSocket:
    """The socket of a listener, by the listener's number and the transport's."""

    listener: int
    transport: int


@dataclass(slots=True)
class CloseListeners(BusMessage):
    """These sockets and listeners have finished: close what they have."""

    kind = 43
    listeners: list[int]
    sockets: list[ListeningSocket]


@dataclass(slots=True)
class Prepared(BusMessage):
    """The sender is ready to go by `revision`; or not, for the reason in `fault`."""

    kind = 44
    revision: int
    fault: str = ""


@dataclass(slots=True)
class TookEffect(BusMessage):
    """The sender goes by `revision`."""

    kind = 45
    revision: int


@dataclass(slots=True)
class Abandoned(BusMessage):
    """The sender has closed what came with `revision`."""

    kind = 46
    revision: int


RolloutReport = Prepared | TookEffect | Abandoned

# -- what a node counts as a whole -------------------------------------------------------------------


@dataclass(slots=True)
class RateDemand(BusMessage):
    """What was asked of a worker since its last report: by rate limit and key, [offered, exceeded]."""

    kind = 47
    demand: dict[str, dict[str, list[int]]]


@dataclass(slots=True)
class RateShares(BusMessage):
    """What a worker may let in each second, by rate limit and key."""

    kind = 48
    shares: dict[str, dict[str, float]]


@dataclass(slots=True)
class FailuresCounted(BusMessage):
    """Wrong passwords since the last report, by source and user; the supervisor passes it on to the other workers."""

    kind = 49
    failures: dict[str, dict[str, int]]
