"""The state of the SIP service in the terms of RFC 4780 (sipCommonCfgServiceOperStatus), and since when it is so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from appliance.catalogue.alarms import OVERLOAD
from appliance.catalogue.node_status import NodeStatus
from appliance.messages.supervisor_requests import AlarmRow

UNKNOWN, UP, DOWN, CONGESTED, RESTARTING, QUIESCING = 1, 2, 3, 4, 5, 6
_DRAINED: Final = "drained"


@dataclass(frozen=True, slots=True)
class ServiceState:
    """`status`: of sipCommonCfgServiceOperStatus. `started`, `changed`: sysUpTime when the service was started, and
    when this state was seen first; 0 where that was before the agent was started.
    """

    status: int = UNKNOWN
    started: int = 0
    changed: int = 0

    def after(self, status: int, uptime_ticks: int) -> ServiceState:
        """The state that follows."""
        if status == self.status:
            return self
        return replace(self, status=status, changed=0 if self.status == UNKNOWN else uptime_ticks)


def service_status(status: NodeStatus, alarms: Sequence[AlarmRow]) -> int:
    """In which state is the service?"""
    if any(worker.slots for worker in status.workers):
        return CONGESTED if any(alarm.name == OVERLOAD for alarm in alarms) else UP
    if any(worker.state == _DRAINED for worker in status.workers):
        return QUIESCING
    return RESTARTING if any(worker.pid for worker in status.workers) else DOWN
