"""The processes that a node has because it is in a cluster, and what the node knows by them.

A node without the file STATE/cluster has none of them.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from appliance.catalogue.alarms import Condition
from appliance.catalogue.errors import ConfigError
from appliance.catalogue.settings import Settings, SupervisionSettings
from appliance.configuration.node_text import text_of_node
from appliance.messages.bus_messages import BusMessage
from appliance.storage.cluster_file import ClusterFile
from appliance.supervisor.cluster_orders import ClusterOrders, Reply
from appliance.supervisor.lease_supervision import LeaseSupervision
from appliance.supervisor.lease_terms import node_faults
from appliance.supervisor.processes import interface_addresses
from appliance.supervisor.supporting_process import SupportingProcess

Report = Callable[[str], None]


class ClusterProcesses:
    """Call `tend` in every cycle. `fileno()` is readable when one of them has something to say, or has ended."""

    def __init__(self, known: ClusterFile, settings: Settings, state_dir: Path, report: Report) -> None:
        self.known = known
        self._awake = select.epoll()
        self._send: Callable[[int, BusMessage], bool] = lambda number, message: False
        self.leases = LeaseSupervision(
            known, settings, state_dir / "run", interface_addresses, self._watch, report
        )
        self.orders = ClusterOrders(self.leases, report)

    def fileno(self) -> int:
        """One descriptor for all of them."""
        return self._awake.fileno()

    def _watch(self, fd: int) -> None:
        # It is taken out by being closed.
        self._awake.register(fd, select.EPOLLIN)

    @property
    def members(self) -> dict[str, SupportingProcess[Any]]:
        """The processes, by the names that operators see."""
        return {"lease": self.leases}

    # -- the configuration ---------------------------------------------------------------------------

    def text_of_node(self, text: str) -> str:
        """The configuration as the processes of this node go by it. Raises ConfigError."""
        return text_of_node(text, self.known.member.name)

    def check(self, settings: Settings) -> None:
        """Does the configuration fit the cluster? Raises ConfigError."""
        faults = list(node_faults(settings, self.known.membership))
        if faults:
            raise ConfigError(faults)

    def put_in_force(self, settings: Settings, text: str) -> None:
        """Go by a new configuration; `text` is that of this node."""
        self.leases.put_in_force(settings)

    # -- their life ----------------------------------------------------------------------------------

    def tell_by(
        self, tell_workers: Callable[[BusMessage], object], send: Callable[[int, BusMessage], bool], reply: Reply
    ) -> None:
        """How all workers are told, a process of this node by its number (transport/process_id.py), and who asked."""
        self.leases.tell_workers = tell_workers
        self.orders.reply = reply
        self._send = send

    def heard(self, number: int, message: BusMessage, now: float) -> bool:
        """Take in what a process of this node says; is it a reason for a cycle?"""
        return False

    def tend(self, limits: SupervisionSettings, is_stopping: bool, is_serving: bool, now: float) -> None:
        """Keep them running. `is_serving`: does a worker of this node take calls?"""
        self.leases.tend_leases(limits, is_stopping, is_serving, now)

    def conditions(self, now: float) -> Iterator[Condition]:
        """The alarms that are true of them."""
        yield from self.leases.conditions(now)

    def stop(self) -> None:
        """Ask all of them to end; addresses are given away first."""
        self.leases.stop()

    def close(self) -> None:
        """Leave nothing behind."""
        self.leases.close()
        self._awake.close()
