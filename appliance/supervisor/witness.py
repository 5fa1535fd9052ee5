"""Runs a witness on a state folder until a signal stops it: the processes of a member, and none that handles SIP.

A witness votes on which node owns an address, and owns none. It answers `signalbox cluster status`.
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from appliance import clock
from appliance.catalogue.settings import Settings
from appliance.ipc.bus import Bus, BusUnavailable, ControlEndpoint
from appliance.messages.bus_messages import BusMessage, BusReply, Refusal
from appliance.messages.cluster_messages import ClusterReply, ShowCluster
from appliance.privileges import sockets_are_open
from appliance.service_manager import ServiceManager
from appliance.storage.cluster_file import ClusterFile, ClusterFileUnusable, read_cluster
from appliance.storage.log_file import LogFile, log_by, log_path, log_to_journal
from appliance.supervisor.alarm_table import AlarmTable
from appliance.supervisor.cluster_processes import ClusterProcesses
from appliance.supervisor.state_folder import StateFolder, StateFolderUnusable
from appliance.supervisor.stop_signals import received, stop_signals
from appliance.transport.process_id import SUPERVISOR, process_id, worker_of

CYCLE_S: Final = 0.25
STOP_MAX_S: Final = 5.0

Say = Callable[[str], None]


def run_witness(state_dir: Path, say: Say) -> int:
    """Run until stopped. Returns the exit status: 0 after a stop, 1 when it could not start.

    `say` gets each event as a sentence, where it does not go to the journal by itself.
    """
    settings = Settings()
    log_by(settings)
    is_in_journal = log_to_journal({})
    log = LogFile(log_path(state_dir))

    def note(sentence: str, level: int = logging.INFO, event: Mapping[str, Any] | None = None) -> None:
        if log.takes(level):
            log.write(sentence, level, event)
            if not is_in_journal:
                say(sentence)

    manager = ServiceManager(os.environ)
    with ExitStack() as opened:
        try:
            folder = StateFolder(state_dir)
            opened.callback(folder.release)
            witness = Witness(_known(folder.path), settings, folder.path, note)
        except (StateFolderUnusable, ClusterFileUnusable, BusUnavailable) as fault:
            note(str(fault), logging.ERROR)
            manager.tell_status(str(fault))
            return 1
        opened.callback(witness.close)
        sockets_are_open(is_in_cluster=True)
        manager.ready()
        witness.run(manager)
    return 0


def _known(state_dir: Path) -> ClusterFile:
    """What the state folder says of the witness. Raises ClusterFileUnusable."""
    known = read_cluster(state_dir)
    if known is None:
        raise ClusterFileUnusable("This machine is in no cluster: type `signalbox witness join TOKEN` first.")
    if not known.member.is_witness:
        raise ClusterFileUnusable(
            f"This machine is a node of the cluster {known.name}, and no witness: type `signalbox run`."
        )
    return known


class Witness:
    """The processes of a witness. Raises BusUnavailable."""

    def __init__(self, known: ClusterFile, settings: Settings, state_dir: Path, note: Callable[..., None]) -> None:
        self._settings = settings
        self._note = note
        self._bus = Bus(state_dir / "run", process_id(known.me, SUPERVISOR))
        self._questions = ControlEndpoint(state_dir / "run")
        self._cluster = ClusterProcesses(known, "", state_dir, note)
        self._cluster.tell_by(lambda message: None, self._send, self._questions.reply)
        self._node = known.me
        self._alarms = AlarmTable(note)
        self._waiting = selectors.DefaultSelector()
        for readable in (self._bus, self._questions, self._cluster):
            self._waiting.register(readable, selectors.EVENT_READ)

    def run(self, manager: ServiceManager) -> None:
        """Work until a signal comes, then have the processes end."""
        with stop_signals() as signals:
            self._waiting.register(signals, selectors.EVENT_READ)
            stop_by = float("inf")
            while clock.monotonic() < stop_by and (stop_by == float("inf") or self._is_running):
                self._cycle(stop_by < float("inf"))
                sentence = f"Witness of the cluster {self._cluster.known.name}."
                if remark := manager.cycle_done(sentence, clock.monotonic()):
                    self._note(remark)
                for number in received(signals):
                    self._note(f"{signal.Signals(number).name} received: the witness stops.")
                    manager.stopping()
                    self._cluster.stop()
                    stop_by = min(stop_by, clock.monotonic() + STOP_MAX_S)

    @property
    def _is_running(self) -> bool:
        return any(process.is_running for process in self._cluster.members.values())

    def _cycle(self, is_stopping: bool) -> None:
        self._waiting.select(CYCLE_S)
        now = clock.monotonic()
        arrived = self._bus.receive()
        while self._bus.pending():
            arrived += self._bus.receive()
        for sender, message in arrived:
            self._cluster.heard(worker_of(sender), message, now)
        # The descriptor tells of a change only, and a reply may take that: so until nothing is left.
        while asked := self._questions.receive():
            for asker, request in asked:
                self._questions.reply(asker, self._answer(request))
        self._cluster.tend(self._settings.supervision, is_stopping, False, now)
        self._alarms.update(self._cluster.conditions(now), clock.wall_time())

    def _answer(self, request: BusMessage) -> BusReply:
        if isinstance(request, ShowCluster):
            return ClusterReply(self._cluster.status(clock.monotonic()))
        return Refusal("This machine is a witness: it answers `signalbox cluster status` only.")

    def _send(self, number: int, message: BusMessage) -> bool:
        return self._bus.send(process_id(self._node, number), [message])

    def close(self) -> None:
        """Leave no process and no socket behind."""
        self._cluster.close()
        self._waiting.close()
        self._questions.close()
        self._bus.close()
