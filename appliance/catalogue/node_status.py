"""The status of a node, as operators see it: made by the supervisor, drawn by every view.

`show status` and the other views of the node, `signalbox status` and its JSON are faces of these classes. A status that
came as JSON may be of another version of Signalbox: what is missing has its default, what is new is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar, get_args, get_type_hints


@dataclass(slots=True)
class SupervisorStatus:
    """`sentence`: the state of the node in words."""

    pid: int = 0
    uptime_s: float = 0.0
    sentence: str = ""


@dataclass(slots=True)
class WorkerStatus:
    """A worker, whether it has a process or not.

    `pid` 0 for none; `silent_ms` since its last sign of life; `last_ending`: why the process before it ended;
    `gauges`: how full its tables are, by name; `turn`: how many turns its loop has made.
    """

    number: int = 0
    pid: int = 0
    state: str = ""
    uptime_s: float = 0.0
    restarts: int = 0
    slots: int = 0
    cpu_s: float = 0.0
    cpu_percent: float = 0.0
    rss: int = 0
    transactions: int = 0
    registrations: int = 0
    turn: int = 0
    silent_ms: int = 0
    last_ending: str = ""
    gauges: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class ListenerStatus:
    """A listener that has sockets, or is shut down; `place`: its number while the appliance runs, -1 for none."""

    place: int = -1
    name: str = ""
    address: str = ""
    port: int = 0
    transports: list[str] = field(default_factory=list)
    role: str = ""
    authenticate: bool = False
    standing: str = ""
    steered: bool = False


@dataclass(slots=True)
class ProcessStatus:
    """What a process costs: CPU seconds since its start, CPU usage now, and bytes of memory."""

    name: str = ""
    pid: int = 0
    uptime_s: float = 0.0
    restarts: int = 0
    cpu_s: float = 0.0
    cpu_percent: float = 0.0
    rss: int = 0


@dataclass(slots=True)
class SlotRange:
    """Slots from `first` to `last` and the worker that owns them."""

    first: int = 0
    last: int = 0
    worker: int = 0


@dataclass(slots=True)
class NodeStatus:
    """A node.

    `commit`: number of the configuration in force, `commit_time`: when it was committed (Unix time), `is_confirmed`:
    does it stay by itself; `reload`: a sentence on the scheduled one, or ""; `epoch`: of the slot table; `counters` and
    `drops`: sums of all workers by name; `traffic`: messages by direction, method and status
    code, such as `sent INVITE 200`; `alarms`: a sentence each.
    """

    hostname: str = ""
    commit: int = 0
    commit_time: float = 0.0
    is_confirmed: bool = True
    reload: str = ""
    supervisor: SupervisorStatus = field(default_factory=SupervisorStatus)
    workers: list[WorkerStatus] = field(default_factory=list)
    listeners: list[ListenerStatus] = field(default_factory=list)
    processes: list[ProcessStatus] = field(default_factory=list)
    slots: list[SlotRange] = field(default_factory=list)
    epoch: int = 0
    registrations: int = 0
    transactions: int = 0
    counters: dict[str, int] = field(default_factory=dict)
    drops: dict[str, int] = field(default_factory=dict)
    alarms: list[str] = field(default_factory=list)
    traffic: dict[str, int] = field(default_factory=dict)


Record = TypeVar("Record")


def read_status(values: Mapping[str, Any]) -> NodeStatus:
    """The status from the values of JSON."""
    return _read(NodeStatus, values)


def _read(record: type[Record], values: Mapping[str, Any]) -> Record:
    hints = get_type_hints(record)
    known = (each.name for each in fields(record) if each.name in values)  # type: ignore[arg-type]
    return record(**{name: _read_field(hints[name], values[name]) for name in known})


def _read_field(annotation: Any, value: Any) -> Any:
    if is_dataclass(annotation):
        return _read(annotation, value)  # type: ignore[arg-type]
    if isinstance(value, list) and is_dataclass(item := get_args(annotation)[0]):
        return [_read(item, each) for each in value]  # type: ignore[arg-type]
    return value
