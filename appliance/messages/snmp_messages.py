"""What the supervisor and the SNMP agent tell each other, and what operators ask the supervisor about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.messages.bus_messages import BusMessage, BusReply, BusRequest
from appliance.messages.supervisor_requests import Done


@dataclass(slots=True)
class SnmpConfiguration(BusMessage):
    """To the agent: a configuration is in force, as text."""

    kind = 130
    config_text: str


@dataclass(slots=True)
class AlarmsChanged(BusMessage):
    """To the agent: there are so many events of alarms now."""

    kind = 131
    events: int


@dataclass(slots=True)
class NotifyTest(BusMessage):
    """To the agent: send a test notification to every target."""

    kind = 132
    user: str


@dataclass(slots=True)
class SnmpTargetReport:
    """A target: notifications delivered (an inform is acknowledged, a trap is sent), waiting, and dropped."""

    name: str
    address: str
    port: int
    kind: str
    delivered: int
    waiting: int
    failed: int
    last_error: str


@dataclass(slots=True)
class SnmpReport(BusMessage):
    """From the agent: how it is. `counts`: of the snmp group, by name."""

    kind = 133
    engine_id: str = ""
    engine_boots: int = 0
    uptime_s: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    targets: list[SnmpTargetReport] = field(default_factory=list)


@dataclass(slots=True)
class SnmpState(BusReply):
    """How the agent is; `is_running`: has it a process, `fault`: why it has none."""

    kind = 135
    is_running: bool
    fault: str
    report: SnmpReport


@dataclass(slots=True)
class ShowSnmp(BusRequest[SnmpState]):
    """How is the SNMP agent?"""

    kind = 134


@dataclass(slots=True)
class RequestTestNotification(BusRequest[Done]):
    """Send a test notification to every target."""

    kind = 136
    user: str
