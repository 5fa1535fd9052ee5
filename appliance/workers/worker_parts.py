"""The parts of a worker besides the stack: the bus, the registration table, and the flight recorder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from appliance.messages.bus_messages import BusMessage
from appliance.messages.call_copies import CallCopy
from appliance.transport.process_id import ProcessId


class MessageBus(Protocol):
    """The door to the other processes (see appliance/ipc/bus.py)."""

    refused: int
    damaged: int
    skipped: int
    stale: int

    def fileno(self) -> int: ...
    def receive(self) -> list[tuple[ProcessId, BusMessage]]: ...
    def pending(self) -> bool: ...
    def connect(self, destinations: Sequence[ProcessId]) -> None: ...
    def forget(self, process: ProcessId) -> None: ...
    def send(self, destination: ProcessId, messages: Sequence[BusMessage]) -> bool: ...
    def has_reached(self, destination: ProcessId) -> bool: ...
    def close(self, linger_ms: int = 0) -> None: ...


class NodeTable(Protocol):
    """This worker's view of the registrations of the node (see appliance/storage/registrations.py)."""

    fault: str

    @property
    def directory(self) -> str: ...
    def move_to(self, directory: str) -> None: ...
    def close(self) -> None: ...


class CopyLog(Protocol):
    """Where copies of calls leave for another node (see appliance/storage/call_log.py)."""

    def write(self, copies: Sequence[CallCopy]) -> int: ...
    def close(self) -> None: ...


class CopiedCallSource(Protocol):
    """Where copies of other nodes' calls are taken from (see appliance/storage/copied_calls.py)."""

    def take(self, node: int, address: int, slots: frozenset[int]) -> list[bytes]: ...


class CallRecorder(Protocol):
    """Where calls that are being set up are recorded (see appliance/storage/flight_recorder.py)."""

    def keep(self, snapshots: Sequence[tuple[bytes, int, bytes]], counters: Sequence[int]) -> int: ...
    def sign(self, now: float) -> None: ...
    def take(self, orphans: Sequence[tuple[int, int]], slots: frozenset[int]) -> list[bytes]: ...
    def close(self) -> None: ...
