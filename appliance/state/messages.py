"""What travels between the processes of a node: small slotted messages and their octets.

On the wire a message is a MessagePack array: format version, kind, then the fields in the order of
`_TABLE`, which is the one place that says which kind has which fields. To add a message: a number in
`Kind`, a class, a row. Whatever does not fit the table is a BusProtocolError and nothing else, so a
process of another version can do no more harm than to be counted.

Knows nothing of sockets, of who sends to whom, or of what a binding record holds.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, ClassVar, Final

from appliance.state.packing import pack, unpack
from appliance.state.shapes import (
    BOOL,
    BYTES,
    FLOW,
    FLOWS,
    GAUGES,
    INT,
    INTS,
    OUTGOING,
    RECORDS,
    REPORT,
    SLOT_TABLE,
    TEXT,
    TEXTS,
    Shape,
    exactly,
)
from appliance.state.slots import SlotTable
from appliance.transport.flow import Flow, Outgoing

FORMAT_VERSION: Final = 1


class BusProtocolError(ValueError):
    """Octets from the bus that are no message of this version. The message says what was wrong."""


class Kind(IntEnum):
    """The number of a message on the wire. Numbers are never used again for something else."""

    HANDED_OVER = 1
    SEND_ON = 2
    SEND_FAILED = 3
    PEER_STARTED = 4
    CONNECTIONS_CHANGED = 5
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
    ORDER = 24
    ASKED = 25
    TOLD = 26
    BINDING_CHANGES = 30
    BINDING_ACK = 31
    RANGE_DIGESTS = 32
    RANGE_REQUEST = 33
    RANGE_RECORDS = 34


class BusMessage:
    """Anything that travels on the bus; `kind` tells which class it is of."""

    __slots__ = ()
    kind: ClassVar[Kind]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BusMessage) and encode(self) == encode(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        names = [name for name, _ in _TABLE[self.kind][1]]
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({shown})"


class HandedOver(BusMessage):
    """A whole SIP message as it came by `flow`, from a worker that does not own its slot.

    The kind itself is the mark "handed over": whoever receives it handles it as its own, whatever its slot
    table says, so that two workers with different tables never pass a message to and fro.
    """

    __slots__ = ("data", "flow")
    kind = Kind.HANDED_OVER

    def __init__(self, data: bytes, flow: Flow) -> None:
        self.data = data
        self.flow = flow


class SendOn(BusMessage):
    """Please send this: the stream connection it goes by is yours."""

    __slots__ = ("outgoing",)
    kind = Kind.SEND_ON

    def __init__(self, outgoing: Outgoing) -> None:
        self.outgoing = outgoing


class SendFailed(BusMessage):
    """What you asked me to send for the client transaction of `branch` could not be sent (RFC 3261 17.1.4)."""

    __slots__ = ("branch",)
    kind = Kind.SEND_FAILED

    def __init__(self, branch: bytes) -> None:
        self.branch = branch


class PeerStarted(BusMessage):
    """Made by the receiving bus, before the first message of a process: the sender is new, or new again.

    Whatever was agreed with its predecessor (sequence numbers, connections) is void.
    """

    __slots__ = ()
    kind = Kind.PEER_STARTED


class Heartbeat(BusMessage):
    """A worker lives: its counters by id, its gauges by name, the turns its loop made, its alarms as name and sentence.

    `in_sync` says that it holds all registrations, and so may own slots.
    """

    __slots__ = ("alarms", "counters", "gauges", "in_sync", "turn", "worker")
    kind = Kind.HEARTBEAT

    def __init__(
        self,
        worker: int,
        counters: list[int],
        gauges: dict[str, int],
        turn: int,
        in_sync: bool = False,
        alarms: list[str] | None = None,
    ) -> None:
        self.worker = worker
        self.counters = counters
        self.gauges = gauges
        self.turn = turn
        self.in_sync = in_sync
        self.alarms: list[str] = [] if alarms is None else alarms


class SlotsChanged(BusMessage):
    """The slot table in force and the numbers of the workers that live, from the supervisor.

    `orphans` names what the dead left behind: worker number and bank, one after the other (see recorder.py).
    """

    __slots__ = ("live", "orphans", "table")
    kind = Kind.SLOTS_CHANGED

    def __init__(self, table: SlotTable, live: list[int], orphans: list[int] | None = None) -> None:
        self.table = table
        self.live = live
        self.orphans: list[int] = [] if orphans is None else orphans


class CallsMoved(BusMessage):
    """Calls that are being set up in slots which are yours now, as snapshots.

    `epoch`: of the slot table that says so. Whoever has a newer one passes on what is not its own.
    """

    __slots__ = ("epoch", "snapshots")
    kind = Kind.CALLS_MOVED

    def __init__(self, snapshots: list[bytes], epoch: int) -> None:
        self.snapshots = snapshots
        self.epoch = epoch


class Drain(BusMessage):
    """Take no new work, finish what you have."""

    __slots__ = ()
    kind = Kind.DRAIN


class Stop(BusMessage):
    """Stop reading, write down what must be kept, end."""

    __slots__ = ()
    kind = Kind.STOP


class InSync(BusMessage):
    """The sender holds every registration its siblings hold."""

    __slots__ = ()
    kind = Kind.IN_SYNC


class StatusRequest(BusMessage):
    """How is the appliance?"""

    __slots__ = ()
    kind = Kind.STATUS_REQUEST


class StatusReply(BusMessage):
    """The answer to any question asked of the supervisor: names and plain values (text, numbers, lists, maps)."""

    __slots__ = ("report",)
    kind = Kind.STATUS_REPLY

    def __init__(self, report: dict[str, Any]) -> None:
        self.report = report


class ForgetSubscriber(BusMessage):
    """The data of a subscriber changed: drop what is cached of it."""

    __slots__ = ("username",)
    kind = Kind.FORGET_SUBSCRIBER

    def __init__(self, username: bytes) -> None:
        self.username = username


class RestartWorker(BusMessage):
    """To the supervisor: drain this worker, stop it and start it again."""

    __slots__ = ("number",)
    kind = Kind.RESTART_WORKER

    def __init__(self, number: int) -> None:
        self.number = number


class Order(BusMessage):
    """To the supervisor, from whoever serves operators: `do` in the words of the control socket, and its arguments."""

    __slots__ = ("args", "do")
    kind = Kind.ORDER

    def __init__(self, do: str, args: dict[str, Any]) -> None:
        self.do = do
        self.args = args


class Asked(BusMessage):
    """To a worker: tell me this; the answer bears the same id."""

    __slots__ = ("args", "do", "id")
    kind = Kind.ASKED

    def __init__(self, id: int, do: str, args: dict[str, Any]) -> None:
        self.id = id
        self.do = do
        self.args = args


class Told(BusMessage):
    """The answer to Asked: names and plain values; several where something is watched."""

    __slots__ = ("id", "report")
    kind = Kind.TOLD

    def __init__(self, id: int, report: dict[str, Any]) -> None:
        self.id = id
        self.report = report


class BindingChanges(BusMessage):
    """Binding records numbered `first_seq`, `first_seq` + 1, ... on the link from this sender to this receiver."""

    __slots__ = ("first_seq", "records")
    kind = Kind.BINDING_CHANGES

    def __init__(self, first_seq: int, records: list[bytes]) -> None:
        self.first_seq = first_seq
        self.records = records


class BindingAck(BusMessage):
    """Every record up to and with number `seq` of the link to me is applied."""

    __slots__ = ("seq",)
    kind = Kind.BINDING_ACK

    def __init__(self, seq: int) -> None:
        self.seq = seq


class RangeDigests(BusMessage):
    """One digest per range of addresses-of-record; equal digests mean equal bindings."""

    __slots__ = ("digests",)
    kind = Kind.RANGE_DIGESTS

    def __init__(self, digests: list[int]) -> None:
        self.digests = digests


class RangeRequest(BusMessage):
    """Please send all records of these ranges."""

    __slots__ = ("ranges",)
    kind = Kind.RANGE_REQUEST

    def __init__(self, ranges: list[int]) -> None:
        self.ranges = ranges


class RangeRecords(BusMessage):
    """Some records of a range; `last` on the final portion."""

    __slots__ = ("last", "range", "records")
    kind = Kind.RANGE_RECORDS

    def __init__(self, range: int, records: list[bytes], last: bool) -> None:
        self.range = range
        self.records = records
        self.last = last


class ConnectionsChanged(BusMessage):
    """Stream connections of the sender that may be used, and that may no longer."""

    __slots__ = ("closed", "opened")
    kind = Kind.CONNECTIONS_CHANGED

    def __init__(self, opened: list[Flow], closed: list[Flow]) -> None:
        self.opened = opened
        self.closed = closed


_TABLE: Final[dict[int, tuple[type[BusMessage], tuple[tuple[str, Shape], ...]]]] = {
    Kind.HANDED_OVER: (HandedOver, (("data", BYTES), ("flow", FLOW))),
    Kind.SEND_ON: (SendOn, (("outgoing", OUTGOING),)),
    Kind.SEND_FAILED: (SendFailed, (("branch", BYTES),)),
    Kind.PEER_STARTED: (PeerStarted, ()),
    Kind.HEARTBEAT: (
        Heartbeat,
        (
            ("worker", INT),
            ("counters", INTS),
            ("gauges", GAUGES),
            ("turn", INT),
            ("in_sync", BOOL),
            ("alarms", TEXTS),
        ),
    ),
    Kind.SLOTS_CHANGED: (SlotsChanged, (("table", SLOT_TABLE), ("live", INTS), ("orphans", INTS))),
    Kind.CALLS_MOVED: (CallsMoved, (("snapshots", RECORDS), ("epoch", INT))),
    Kind.DRAIN: (Drain, ()),
    Kind.STOP: (Stop, ()),
    Kind.IN_SYNC: (InSync, ()),
    Kind.STATUS_REQUEST: (StatusRequest, ()),
    Kind.STATUS_REPLY: (StatusReply, (("report", REPORT),)),
    Kind.FORGET_SUBSCRIBER: (ForgetSubscriber, (("username", BYTES),)),
    Kind.RESTART_WORKER: (RestartWorker, (("number", INT),)),
    Kind.ORDER: (Order, (("do", TEXT), ("args", REPORT))),
    Kind.ASKED: (Asked, (("id", INT), ("do", TEXT), ("args", REPORT))),
    Kind.TOLD: (Told, (("id", INT), ("report", REPORT))),
    Kind.BINDING_CHANGES: (BindingChanges, (("first_seq", INT), ("records", RECORDS))),
    Kind.BINDING_ACK: (BindingAck, (("seq", INT),)),
    Kind.RANGE_DIGESTS: (RangeDigests, (("digests", INTS),)),
    Kind.RANGE_REQUEST: (RangeRequest, (("ranges", INTS),)),
    Kind.CONNECTIONS_CHANGED: (ConnectionsChanged, (("opened", FLOWS), ("closed", FLOWS))),
    Kind.RANGE_RECORDS: (RangeRecords, (("range", INT), ("records", RECORDS), ("last", BOOL))),
}


def encode(message: BusMessage) -> bytes:
    """The octets of `message`."""
    fields = [shape.write(getattr(message, name)) for name, shape in _TABLE[message.kind][1]]
    return pack([FORMAT_VERSION, int(message.kind), *fields])


def decode(octets: bytes) -> BusMessage:
    """The message these octets are. Raises BusProtocolError for anything that `encode` does not make."""
    try:
        version, kind, *values = exactly(list)(unpack(octets))
    except (TypeError, ValueError) as fault:
        raise BusProtocolError(f"not a message: {fault}") from fault
    if version != FORMAT_VERSION:
        raise BusProtocolError(f"message format {version!r}, this process speaks {FORMAT_VERSION}")
    row = _TABLE.get(kind) if type(kind) is int else None
    if row is None:
        raise BusProtocolError(f"unknown kind of message {kind!r}")
    return _read_fields(row[0], row[1], values)


def _read_fields(
    message_class: type[BusMessage], shapes: tuple[tuple[str, Shape], ...], values: list[Any]
) -> BusMessage:
    if len(values) != len(shapes):
        raise BusProtocolError(f"{message_class.__name__} has {len(shapes)} fields, not {len(values)}")
    try:
        return message_class(*[shape.read(value) for (_, shape), value in zip(shapes, values, strict=True)])
    except (TypeError, ValueError, OverflowError) as fault:
        raise BusProtocolError(f"{message_class.__name__}: {fault}") from fault
