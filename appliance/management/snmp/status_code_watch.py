"""Looks at the counts of responses now and then, as long as `snmp status-threshold` wants it; else it does nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from appliance import clock
from appliance.catalogue.node_status import NodeStatus
from appliance.catalogue.snmp_status_codes import StatusThreshold
from appliance.ipc.bus import BusUnavailable
from appliance.management.snmp.status_code_monitor import Crossing, StatusCodeMonitor

log = logging.getLogger("signalbox.snmp")


class StatusCodeWatch:
    """`read`: the status of the node, or BusUnavailable; `tell`: takes what was exceeded."""

    def __init__(self, read: Callable[[], Awaitable[NodeStatus]], tell: Callable[[Sequence[Crossing]], None]) -> None:
        self._read = read
        self._tell = tell
        self._monitor = StatusCodeMonitor()
        self._looking: asyncio.Task[None] | None = None

    def go_by(self, thresholds: Sequence[StatusThreshold]) -> None:
        """Look at these from now on."""
        self._monitor.go_by(thresholds)
        if self._monitor.pause_s is not None and self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        while (pause_s := self._monitor.pause_s) is not None:
            try:
                traffic = (await self._read()).traffic
            except BusUnavailable as fault:
                log.warning("the status of the node cannot be read: %s", fault)
            else:
                self._tell(list(self._monitor.look(traffic, clock.monotonic())))
            await asyncio.sleep(pause_s)
        self._looking = None
