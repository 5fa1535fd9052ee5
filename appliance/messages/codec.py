"""Messages of the bus as octets, and back.

A message is a MessagePack array: format, number and version of its class, then its fields in order. How a field looks
follows from its annotation (field_codecs.py). A process may run beside one of another version of Signalbox: a message
of an unknown number or of another version is an UnknownMessage, which the receiver skips and counts. Anything else
that `encode` does not make is a BusProtocolError.

Nodes of two versions work together as well. What travels between nodes grows at its end only: a new version of a class
has more fields, each with a default. `decode_of_node` leaves out those that it does not know, and puts the defaults in
place of those that an older node has not sent. Records within a field do not grow; a new message takes their place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, fields
from itertools import islice
from types import ModuleType
from typing import Any, Final

from appliance.messages import (
    address_messages,
    bus_messages,
    call_messages,
    cluster_commits,
    cluster_messages,
    count_messages,
    dns_messages,
    flow_messages,
    link_messages,
    node_questions,
    route_table_messages,
    routing_messages,
    sealing_messages,
    snmp_messages,
    supervisor_requests,
    table_messages,
    worker_requests,
)
from appliance.messages.bus_messages import BusMessage
from appliance.messages.field_codecs import FieldCodec, codecs_of, exactly, read_fields
from appliance.messages.msgpack_codec import pack, unpack

FORMAT: Final = 2


class BusProtocolError(ValueError):
    """Octets from the bus that are no message. The text says what was wrong."""


class UnknownMessage(BusProtocolError):
    """A message that another version of Signalbox has sent."""


def _classes_in(*modules: ModuleType) -> Iterator[type[BusMessage]]:
    """The classes of messages that these modules define."""
    for module in modules:
        for found in vars(module).values():
            is_message = isinstance(found, type) and issubclass(found, BusMessage) and "kind" in vars(found)
            if is_message and found.__module__ == module.__name__:
                yield found


CODECS: Final[dict[type[BusMessage], dict[str, FieldCodec]]] = {
    message_class: codecs_of(message_class)
    for message_class in _classes_in(
        address_messages,
        bus_messages,
        call_messages,
        cluster_commits,
        cluster_messages,
        count_messages,
        dns_messages,
        flow_messages,
        link_messages,
        node_questions,
        route_table_messages,
        routing_messages,
        sealing_messages,
        snmp_messages,
        supervisor_requests,
        table_messages,
        worker_requests,
    )
}
_CLASSES: Final[dict[int, type[BusMessage]]] = {message_class.kind: message_class for message_class in CODECS}

# The fields that have no default.
_NEEDED: Final[dict[type[BusMessage], tuple[str, ...]]] = {
    message_class: tuple(
        field.name
        for field in fields(message_class)  # type: ignore[arg-type]
        if field.default is MISSING and field.default_factory is MISSING
    )
    for message_class in CODECS
}


def encode(message: BusMessage) -> bytes:
    """The octets of `message`."""
    fields = [codec.write(getattr(message, name)) for name, codec in CODECS[type(message)].items()]
    return pack([FORMAT, message.kind, message.version, *fields])


def decode(octets: bytes) -> BusMessage:
    """The message these octets are. Raises BusProtocolError for anything that `encode` does not make."""
    message_class, version, values = _parts(octets)
    if version != message_class.version:
        raise UnknownMessage(f"{message_class.__name__} of version {version}")
    return _read_message(message_class, CODECS[message_class], values)


def decode_of_node(octets: bytes) -> BusMessage:
    """The message of another node, which may be of another version. Raises as `decode`."""
    message_class, version, values = _parts(octets)
    codecs = CODECS[message_class]
    if version > message_class.version:
        values = values[: len(codecs)]
    elif version < message_class.version:
        codecs = dict(islice(codecs.items(), len(values)))
        if any(name not in codecs for name in _NEEDED[message_class]):
            raise UnknownMessage(f"{message_class.__name__} of version {version}")
    return _read_message(message_class, codecs, values)


def _parts(octets: bytes) -> tuple[type[BusMessage], int, list[Any]]:
    """The class of a message, its version, and its fields as they came. Raises BusProtocolError."""
    try:
        format_, kind, version, *values = exactly(list)(unpack(octets))
    except (TypeError, ValueError) as fault:
        raise BusProtocolError(f"not a message: {fault}") from fault
    if format_ != FORMAT:
        raise UnknownMessage(f"message format {format_!r}, this process uses {FORMAT}")
    if type(kind) is not int or type(version) is not int:
        raise BusProtocolError(f"no number and version: {kind!r}, {version!r}")
    message_class = _CLASSES.get(kind)
    if message_class is None:
        raise UnknownMessage(f"unknown message {kind}")
    return message_class, version, values


def _read_message(
    message_class: type[BusMessage], codecs: dict[str, FieldCodec], values: list[Any]
) -> BusMessage:
    try:
        return message_class(**read_fields(codecs, values))
    except (TypeError, ValueError, OverflowError) as fault:
        raise BusProtocolError(f"{message_class.__name__}: {fault}") from fault
