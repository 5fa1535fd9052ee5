"""The shapes of message fields: how a value looks on the wire, and what is let in again.

A shape writes a value as something MessagePack knows and reads it back; what does not fit exactly raises
TypeError or ValueError, so that a reader of `wire.py` finds there only which message has which fields.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from appliance.messages.slots import SlotTable
from appliance.transport.flow import Flow, Outgoing
from appliance.transport.transport_table import is_known


class Shape:
    """How a field looks on the wire; `read` returns the value or raises ValueError or TypeError."""

    __slots__ = ("read", "write")

    def __init__(self, write: Callable[[Any], Any], read: Callable[[Any], Any]) -> None:
        self.write = write
        self.read = read


def exactly(wanted: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        # bool is an int to isinstance, so the type is compared and not asked.
        if type(value) is not wanted:
            raise TypeError(f"{wanted.__name__} expected, got {type(value).__name__}")
        return value

    return read


def _list_of(wanted: type) -> Callable[[Any], Any]:
    read_list = exactly(list)

    def read(value: Any) -> list[Any]:
        found: list[Any] = read_list(value)
        for item in found:
            if type(item) is not wanted:
                raise TypeError(f"{wanted.__name__} expected, got {type(item).__name__}")
        return found

    return read


def _read_gauges(value: Any) -> dict[str, int]:
    text, number = exactly(str), exactly(int)
    return {text(name): number(amount) for name, amount in exactly(dict)(value).items()}


def _write_flow(flow: Flow) -> tuple[Any, ...]:
    return flow.parts()


def _read_flow(value: Any) -> Flow:
    transport, listener, host, port, worker, connection = exactly(list)(value)
    for number in (transport, listener, port, worker, connection):
        exactly(int)(number)
    if not is_known(transport):
        raise ValueError(f"there is no transport {transport}")
    return Flow(transport, listener, (exactly(str)(host), port), worker, connection)


def _write_flows(flows: list[Flow]) -> list[tuple[Any, ...]]:
    return [_write_flow(flow) for flow in flows]


def _read_flows(value: Any) -> list[Flow]:
    return [_read_flow(flow) for flow in exactly(list)(value)]


def _write_outgoing(outgoing: Outgoing) -> tuple[Any, ...]:
    return (outgoing.data, _write_flow(outgoing.flow), outgoing.branch)


def _read_outgoing(value: Any) -> Outgoing:
    data, flow, branch = exactly(list)(value)
    return Outgoing(exactly(bytes)(data), _read_flow(flow), exactly(bytes)(branch))


def _read_table(value: Any) -> SlotTable:
    owners, epoch = exactly(list)(value)
    return SlotTable(exactly(bytes)(owners), exactly(int)(epoch))


def _as_it_is(value: Any) -> Any:
    return value


INT: Final = Shape(_as_it_is, exactly(int))
BOOL: Final = Shape(bool, exactly(bool))
BYTES: Final = Shape(_as_it_is, exactly(bytes))
INTS: Final = Shape(_as_it_is, _list_of(int))
TEXT: Final = Shape(_as_it_is, exactly(str))
TEXTS: Final = Shape(_as_it_is, _list_of(str))
RECORDS: Final = Shape(_as_it_is, _list_of(bytes))
GAUGES: Final = Shape(_as_it_is, _read_gauges)
REPORT: Final = Shape(_as_it_is, exactly(dict))
FLOW: Final = Shape(_write_flow, _read_flow)
FLOWS: Final = Shape(_write_flows, _read_flows)
OUTGOING: Final = Shape(_write_outgoing, _read_outgoing)
SLOT_TABLE: Final = Shape(lambda table: (table.owners, table.epoch), _read_table)
