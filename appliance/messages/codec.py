"""Messages of the bus as octets, and back.

A message is a MessagePack array: format version, kind, then the fields in the order of its row in `FIELDS`, which is
the one place that says how each field looks. Whatever does not fit its row is a BusProtocolError and nothing else, so
a process of another version can do no more harm than to be counted.
"""

from __future__ import annotations

from typing import Any, Final

from appliance.messages.bus_messages import (
    BindingAck,
    BindingChanges,
    BusMessage,
    CallsMoved,
    ConnectionsChanged,
    Drain,
    ForgetSubscriber,
    HandedOver,
    HandedOverTaken,
    Heartbeat,
    InSync,
    OperatorCommand,
    PeerStarted,
    Query,
    QueryAnswer,
    RangeDigests,
    RangeRecords,
    RangeRequest,
    RestartWorker,
    SendByConnection,
    SendFailed,
    SlotsChanged,
    StatusReply,
    StatusRequest,
    Stop,
)
from appliance.messages.field_codecs import (
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
from appliance.messages.msgpack_codec import pack, unpack

FORMAT_VERSION: Final = 1

# The names are those of the class, in its order.
FIELDS: Final[dict[type[BusMessage], dict[str, Shape]]] = {
    HandedOver: {"data": BYTES, "flow": FLOW, "epoch": INT},
    HandedOverTaken: {"count": INT},
    SendByConnection: {"outgoing": OUTGOING},
    SendFailed: {"branch": BYTES},
    PeerStarted: {},
    ConnectionsChanged: {"opened": FLOWS, "closed": FLOWS},
    Heartbeat: {
        "worker": INT,
        "counters": INTS,
        "gauges": GAUGES,
        "turn": INT,
        "in_sync": BOOL,
        "alarms": TEXTS,
    },
    SlotsChanged: {"table": SLOT_TABLE, "live": INTS, "orphans": INTS},
    CallsMoved: {"snapshots": RECORDS, "epoch": INT},
    Drain: {},
    Stop: {},
    InSync: {},
    StatusRequest: {},
    StatusReply: {"report": REPORT},
    ForgetSubscriber: {"username": BYTES},
    RestartWorker: {"number": INT},
    OperatorCommand: {"do": TEXT, "args": REPORT},
    Query: {"id": INT, "do": TEXT, "args": REPORT},
    QueryAnswer: {"id": INT, "report": REPORT},
    BindingChanges: {"first_seq": INT, "records": RECORDS},
    BindingAck: {"seq": INT},
    RangeDigests: {"digests": INTS},
    RangeRequest: {"ranges": INTS},
    RangeRecords: {"range": INT, "records": RECORDS, "last": BOOL},
}
_CLASSES: Final[dict[int, type[BusMessage]]] = {message_class.kind: message_class for message_class in FIELDS}


class BusProtocolError(ValueError):
    """Octets from the bus that are no message of this version. The message says what was wrong."""


def encode(message: BusMessage) -> bytes:
    """The octets of `message`."""
    fields = [shape.write(getattr(message, name)) for name, shape in FIELDS[type(message)].items()]
    return pack([FORMAT_VERSION, int(message.kind), *fields])


def decode(octets: bytes) -> BusMessage:
    """The message these octets are. Raises BusProtocolError for anything that `encode` does not make."""
    try:
        version, kind, *values = exactly(list)(unpack(octets))
    except (TypeError, ValueError) as fault:
        raise BusProtocolError(f"not a message: {fault}") from fault
    if version != FORMAT_VERSION:
        raise BusProtocolError(f"message format {version!r}, this process speaks {FORMAT_VERSION}")
    message_class = _CLASSES.get(kind) if type(kind) is int else None
    if message_class is None:
        raise BusProtocolError(f"unknown kind of message {kind!r}")
    return _read_fields(message_class, values)


def _read_fields(message_class: type[BusMessage], values: list[Any]) -> BusMessage:
    shapes = FIELDS[message_class].values()
    if len(values) != len(shapes):
        raise BusProtocolError(f"{message_class.__name__} has {len(shapes)} fields, not {len(values)}")
    try:
        return message_class(*[shape.read(value) for shape, value in zip(shapes, values, strict=True)])
    except (TypeError, ValueError, OverflowError) as fault:
        raise BusProtocolError(f"{message_class.__name__}: {fault}") from fault
