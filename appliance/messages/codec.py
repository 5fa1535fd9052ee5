"""Messages of the bus as octets, and back.

A message is a MessagePack array: format, number and version of its class, then its fields in order. How a field looks
follows from its annotation (field_codecs.py). A process may run beside one of another version of Signalbox: a message
of an unknown number or of another version is an UnknownMessage, which the receiver skips and counts. Anything else
that `encode` does not make is a BusProtocolError.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final

from appliance.messages import (
    address_messages,
    bus_messages,
    call_messages,
    cluster_commits,
    cluster_messages,
    dns_messages,
    link_messages,
    routing_messages,
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
        dns_messages,
        link_messages,
        routing_messages,
        snmp_messages,
        supervisor_requests,
        table_messages,
        worker_requests,
    )
}
_CLASSES: Final[dict[int, type[BusMessage]]] = {message_class.kind: message_class for message_class in CODECS}


def encode(message: BusMessage) -> bytes:
    """The octets of `message`."""
    fields = [codec.write(getattr(message, name)) for name, codec in CODECS[type(message)].items()]
    return pack([FORMAT, message.kind, message.version, *fields])


def decode(octets: bytes) -> BusMessage:
    """The message these octets are. Raises BusProtocolError for anything that `encode` does not make."""
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
    if version != message_class.version:
        raise UnknownMessage(f"{message_class.__name__} of version {version}")
    return _read_message(message_class, values)


def _read_message(message_class: type[BusMessage], values: list[Any]) -> BusMessage:
    try:
        return message_class(**read_fields(CODECS[message_class], values))
    except (TypeError, ValueError, OverflowError) as fault:
        raise BusProtocolError(f"{message_class.__name__}: {fault}") from fault
