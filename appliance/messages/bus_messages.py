"""What travels between the processes of a node: small messages, and the number each kind has.

To add one: a number in `Kind`, a class here, and a row in `wire.py`, which says what the fields look like as octets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, ClassVar

from appliance.messages.slots import SlotTable
from appliance.transport.flow import Flow, Outgoing


class Kind(IntEnum):
    """The number of a message on the wire. Numbers are never used again for something else."""

    HANDED_OVER = 1
    SEND_BY_CONNECTION = 2
    SEND_FAILED = 3
    PEER_STARTED = 4
    CONNECTIONS_CHANGED = 5
    HANDED_OVER_TAKEN = 6
    HEARTBEAT = 10
    SLOTS_CHANGED = 11
    DRAIN = 12
    STOP = 13
    IN_SYNC = 14
    CALLS_MOVED = 15
    STATUS_REQUEST = 20
    STATUS_REPLY = 21
    FORGET_SUBSCRIBER = 22
    RESTART_WORKER = 23
    OPERATOR_COMMAND = 24
    QUERY = 25
    QUERY_ANSWER = 26
    BINDING_CHANGES = 30
    BINDING_ACK = 31
    RANGE_DIGESTS = 32
    RANGE_REQUEST = 33
    RANGE_RECORDS = 34


class BusMessage:
    """Anything that travels on the bus; `kind` tells which class it is of. Messages of equal fields are equal."""

    __slots__ = ()
    kind: ClassVar[Kind]


@dataclass(slots=True)
class HandedOver(BusMessage):
    """A whole SIP message as it came by `flow`, from a worker that does not own its slot.

    The kind itself is the mark "handed over": whoever receives it handles it as its own, so that two workers with
    different tables never pass a message to and fro. `epoch` is that of the sender's table: only by a newer one a call
    goes on from here, or a response or a CANCEL whose call has gone.
    """

    kind = Kind.HANDED_OVER
    data: bytes
    flow: Flow
    epoch: int = 0


@dataclass(slots=True)
class HandedOverTaken(BusMessage):
    """So many more of the messages of streams that you have handed over are handled."""

    kind = Kind.HANDED_OVER_TAKEN
    count: int


@dataclass(slots=True)
class SendByConnection(BusMessage):
    """Please send this: the stream connection it goes by is yours."""

    kind = Kind.SEND_BY_CONNECTION
    outgoing: Outgoing


@dataclass(slots=True)
class SendFailed(BusMessage):
    """What you asked me to send for the client transaction of `branch` could not be sent (RFC 3261 17.1.4)."""

    kind = Kind.SEND_FAILED
    branch: bytes


@dataclass(slots=True)
class PeerStarted(BusMessage):
    """Made by the receiving bus, before the first message of a process: the sender is new, or new again.

    Whatever was agreed with its predecessor (sequence numbers, connections) is void.
    """

    kind = Kind.PEER_STARTED


@dataclass(slots=True)
class ConnectionsChanged(BusMessage):
    """Stream connections of the sender that may be used, and that may no longer."""

    kind = Kind.CONNECTIONS_CHANGED
    opened: list[Flow]
    closed: list[Flow]


@dataclass(slots=True)
class Heartbeat(BusMessage):
    """A worker lives: its counters by id, its gauges by name, the turns its loop made, its alarms as name and sentence.

    `in_sync` says that it holds all registrations, and so may own slots.
    """

    kind = Kind.HEARTBEAT
    worker: int
    counters: list[int]
    gauges: dict[str, int]
    turn: int
    in_sync: bool = False
    alarms: list[str] = field(default_factory=list)


@dataclass(slots=True)
class SlotsChanged(BusMessage):
    """The slot table in force and the numbers of the workers that live, from the supervisor.

    `orphans` names what the dead left behind: worker number and bank, one after the other (see recorder.py).
    """

    kind = Kind.SLOTS_CHANGED
    table: SlotTable
    live: list[int]
    orphans: list[int] = field(default_factory=list)


@dataclass(slots=True)
class CallsMoved(BusMessage):
    """Calls that are being set up in slots which are yours now, as snapshots.

    `epoch`: of the slot table that says so. Whoever has a newer one passes on what is not its own.
    """

    kind = Kind.CALLS_MOVED
    snapshots: list[bytes]
    epoch: int


@dataclass(slots=True)
class Drain(BusMessage):
    """Take no new work, finish what you have."""

    kind = Kind.DRAIN


@dataclass(slots=True)
class Stop(BusMessage):
    """Stop reading, write down what must be kept, end."""

    kind = Kind.STOP


@dataclass(slots=True)
class InSync(BusMessage):
    """The sender holds every registration its siblings hold."""

    kind = Kind.IN_SYNC


@dataclass(slots=True)
class StatusRequest(BusMessage):
    """How is the appliance?"""

    kind = Kind.STATUS_REQUEST


@dataclass(slots=True)
class StatusReply(BusMessage):
    """The answer to any question asked of the supervisor: names and plain values (text, numbers, lists, maps)."""

    kind = Kind.STATUS_REPLY
    report: dict[str, Any]


@dataclass(slots=True)
class ForgetSubscriber(BusMessage):
    """The data of a subscriber changed: drop what is cached of it."""

    kind = Kind.FORGET_SUBSCRIBER
    username: bytes


@dataclass(slots=True)
class RestartWorker(BusMessage):
    """To the supervisor: drain this worker, stop it and start it again."""

    kind = Kind.RESTART_WORKER
    number: int


@dataclass(slots=True)
class OperatorCommand(BusMessage):
    """To the supervisor, from whoever serves operators: `do` in the words of the control socket, and its arguments."""

    kind = Kind.OPERATOR_COMMAND
    do: str
    args: dict[str, Any]


@dataclass(slots=True)
class Query(BusMessage):
    """To a worker: tell me this; the answer bears the same id."""

    kind = Kind.QUERY
    id: int
    do: str
    args: dict[str, Any]


@dataclass(slots=True)
class QueryAnswer(BusMessage):
    """The answer to Asked: names and plain values; several where something is watched."""

    kind = Kind.QUERY_ANSWER
    id: int
    report: dict[str, Any]


@dataclass(slots=True)
class BindingChanges(BusMessage):
    """Binding records numbered `first_seq`, `first_seq` + 1, ... on the link from this sender to this receiver."""

    kind = Kind.BINDING_CHANGES
    first_seq: int
    records: list[bytes]


@dataclass(slots=True)
class BindingAck(BusMessage):
    """Every record up to and with number `seq` of the link to me is applied."""

    kind = Kind.BINDING_ACK
    seq: int


@dataclass(slots=True)
class RangeDigests(BusMessage):
    """One digest per range of addresses-of-record; equal digests mean equal bindings."""

    kind = Kind.RANGE_DIGESTS
    digests: list[int]


@dataclass(slots=True)
class RangeRequest(BusMessage):
    """Please send all records of these ranges."""

    kind = Kind.RANGE_REQUEST
    ranges: list[int]


@dataclass(slots=True)
class RangeRecords(BusMessage):
    """Some records of a range; `last` on the final portion."""

    kind = Kind.RANGE_RECORDS
    range: int
    records: list[bytes]
    last: bool
