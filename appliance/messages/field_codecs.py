"""How a field of a message looks on the wire, derived from its annotation.

A codec writes a value as something MessagePack has a type for and reads it back; `read` raises TypeError or ValueError
for what does not fit exactly. Codecs exist for numbers, text, octets, lists, maps, `X | None`, dataclasses (an array of
their fields in order), and the values in `_OWN`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, NewType, Union, get_args, get_origin, get_type_hints

from appliance.messages.slots import SlotTable
from appliance.transport.flow import Flow, Outgoing
from appliance.transport.transport_table import is_known


class FieldCodec:
    """`write` returns plain values; `read` returns the value or raises ValueError or TypeError.

    `plain` is the type of a value that is written as it is, None for others.
    """

    __slots__ = ("plain", "read", "write")

    def __init__(
        self, write: Callable[[Any], Any], read: Callable[[Any], Any], plain: type | None = None
    ) -> None:
        self.write = write
        self.read = read
        self.plain = plain


def exactly(wanted: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        # bool is an int to isinstance, so the type is compared and not asked.
        if type(value) is not wanted:
            raise TypeError(f"{wanted.__name__} expected, got {type(value).__name__}")
        return value

    return read


def _as_it_is(value: Any) -> Any:
    return value


def codecs_of(record: type) -> dict[str, FieldCodec]:
    """The codec of each field of a dataclass, in their order. Raises TypeError for an annotation that has none."""
    hints = get_type_hints(record)
    return {field.name: codec_of(hints[field.name]) for field in fields(record)}


@cache
def codec_of(annotation: Any) -> FieldCodec:
    """The codec of values with this annotation. Raises TypeError when there is none."""
    if annotation in _OWN:
        return _OWN[annotation]
    if isinstance(annotation, NewType):
        return codec_of(annotation.__supertype__)
    arguments = get_args(annotation)
    origin = get_origin(annotation)
    if origin is list:
        return _list_codec(codec_of(arguments[0]))
    if origin is dict:
        return _map_codec(codec_of(arguments[0]), codec_of(arguments[1]))
    if origin in (Union, UnionType) and len(arguments) == 2 and NoneType in arguments:
        return _optional_codec(codec_of(arguments[arguments[0] is NoneType]))
    if isinstance(annotation, type) and is_dataclass(annotation):
        return _record_codec(annotation)
    raise TypeError(f"{annotation} cannot travel on the bus")


def _list_codec(item: FieldCodec) -> FieldCodec:
    read_list, read_item, write_item, wanted = exactly(list), item.read, item.write, item.plain

    def read_plain(value: Any) -> list[Any]:
        found: list[Any] = read_list(value)
        for each in found:
            if type(each) is not wanted:
                read_item(each)
        return found

    if wanted is not None:
        return FieldCodec(_as_it_is, read_plain)
    return FieldCodec(
        lambda value: [write_item(each) for each in value],
        lambda value: [read_item(each) for each in read_list(value)],
    )


def _map_codec(key: FieldCodec, item: FieldCodec) -> FieldCodec:
    read_map, read_key, read_item, write_item = exactly(dict), key.read, item.read, item.write
    return FieldCodec(
        lambda value: {name: write_item(each) for name, each in value.items()},
        lambda value: {read_key(name): read_item(each) for name, each in read_map(value).items()},
    )


def _optional_codec(item: FieldCodec) -> FieldCodec:
    return FieldCodec(
        lambda value: None if value is None else item.write(value),
        lambda value: None if value is None else item.read(value),
    )


def _record_codec(record: type) -> FieldCodec:
    codecs = codecs_of(record)

    def write(value: Any) -> list[Any]:
        return [codec.write(getattr(value, name)) for name, codec in codecs.items()]

    def read(value: Any) -> Any:
        return record(**read_fields(codecs, exactly(list)(value)))

    return FieldCodec(write, read)


def read_fields(codecs: dict[str, FieldCodec], values: list[Any]) -> dict[str, Any]:
    """The fields of a record by name, from their plain values in order. Raises ValueError or TypeError."""
    if len(values) != len(codecs):
        raise ValueError(f"{len(codecs)} fields expected, got {len(values)}")
    return {name: codec.read(value) for (name, codec), value in zip(codecs.items(), values, strict=True)}


# -- values of their own -----------------------------------------------------------------------------


def _read_flow(value: Any) -> Flow:
    transport, listener, host, port, process, connection, name = exactly(list)(value)
    for number in (transport, listener, port, process, connection):
        exactly(int)(number)
    if not is_known(transport):
        raise ValueError(f"there is no transport {transport}")
    return Flow(transport, listener, (exactly(str)(host), port), process, connection, exactly(str)(name))


def _write_outgoing(outgoing: Outgoing) -> tuple[Any, ...]:
    return (outgoing.data, outgoing.flow.parts(), outgoing.branch)


def _read_outgoing(value: Any) -> Outgoing:
    data, flow, branch = exactly(list)(value)
    return Outgoing(exactly(bytes)(data), _read_flow(flow), exactly(bytes)(branch))


def _read_table(value: Any) -> SlotTable:
    owners, epoch = exactly(list)(value)
    return SlotTable(codec_of(list[int]).read(owners), exactly(int)(epoch))


FLOW: Final = FieldCodec(lambda flow: flow.parts(), _read_flow)
_OWN: Final[dict[Any, FieldCodec]] = {
    **{plain: FieldCodec(_as_it_is, exactly(plain), plain) for plain in (int, bytes, str)},
    bool: FieldCodec(bool, exactly(bool)),
    float: FieldCodec(float, exactly(float)),
    Flow: FLOW,
    Outgoing: FieldCodec(_write_outgoing, _read_outgoing),
    SlotTable: FieldCodec(lambda table: (table.owners, table.epoch), _read_table),
}
