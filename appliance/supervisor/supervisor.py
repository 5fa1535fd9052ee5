"""The supervisor: starts the workers, watches them, moves slots, answers questions, and stops.

Each cycle takes in what has happened, makes a view of it, and does what `decisions.decide` says; it ends in a sentence,
which is logged when it changes. The end of a worker is known at once (pidfd), a hang by missing signs of life (a store
in shared memory), so its slots are with other workers well within a second. Heartbeats and questions start no cycle.

A supervisor that was itself held up (a paused machine) does not count that time as silence of a worker.
"""

from __future__ import annotations

import os
import selectors
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from appliance import clock
from appliance.catalogue.counters import BUS_MALFORMED, BUS_SKIPPED, COUNTERS, LOG_LINES_LOST
from appliance.catalogue.listener_ids import names_of
from appliance.catalogue.node_status import NodeStatus, SupervisorStatus
from appliance.catalogue.settings import Settings
from appliance.configuration.diff import needs_restart
from appliance.ipc.bus import Bus
from appliance.ipc.launch import WorkerLaunch
from appliance.messages.bus_messages import (
    BusMessage,
    BusReply,
    FailuresCounted,
    Heartbeat,
    RateDemand,
    RateShares,
    RolloutReport,
    Stop,
)
from appliance.messages.sealing_messages import SealingKeysTaken
from appliance.messages.slots import deal, seed_of
from appliance.messages.table_messages import TableUnsound
from appliance.storage.commits import UNCONFIRMED, CommitStore
from appliance.storage.flight_recorder import Recording
from appliance.storage.log_file import lines_lost, log_by
from appliance.supervisor import decisions
from appliance.supervisor.alarm_monitor import AlarmMonitor
from appliance.supervisor.alarm_table import ReportAlarm
from appliance.supervisor.commit_coordinator import CommitCoordinator
from appliance.supervisor.control_endpoint import Questions
from appliance.supervisor.cycle_scheduler import CycleScheduler
from appliance.supervisor.decisions import (
    Action,
    AskToStop,
    Finish,
    GiveSlots,
    Kill,
    Start,
    SupervisorView,
    WorkerState,
)
from appliance.supervisor.key_rotation import KeyRotation
from appliance.supervisor.listener_drain import ListenerDrain
from appliance.supervisor.listening_sockets import ListenFailed, ListeningSockets
from appliance.supervisor.lock_watch import has_thread
from appliance.supervisor.processes import CommandLine, worker_count
from appliance.supervisor.sealing_key_rollout import SealingKeyRollout
from appliance.supervisor.slot_assignment import SlotAssignment
from appliance.supervisor.status_report import (
    counter_totals,
    drops_in,
    in_minutes,
    listener_statuses,
    process_statuses,
    slot_ranges,
    traffic_totals,
    worker_statuses,
)
from appliance.supervisor.supporting_processes import SupportingProcesses
from appliance.supervisor.worker_launcher import Launcher
from appliance.supervisor.worker_pool import WorkerPool, processes_of
from appliance.supervisor.worker_record import WorkerRecord, registrations_of
from appliance.transport.process_id import SUPERVISOR, process_id, worker_of

RUNNING: Final = -1

Report = Callable[[str], None]
OnCycle = Callable[[str, float], None]


class Supervisor:
    """The workers of a node and what is known of them. Call `step` again and again until it returns a status."""

    def __init__(
        self,
        settings: Settings,
        launch: WorkerLaunch,
        workers: int,
        sockets: ListeningSockets,
        recording: Recording,
        report: Report,
        command_line: CommandLine = WorkerLaunch.argv,
        store: CommitStore | None = None,
        supporting: SupportingProcesses | None = None,
        report_alarm: ReportAlarm | None = None,
    ) -> None:
        """`launch` is the start of a worker, but for its number and descriptors.

        Raises BusUnavailable.
        """
        self.status = RUNNING
        """The exit status, once there is one."""
        note_alarm = report_alarm or (lambda sentence, level, event: report(sentence))
        self.supporting = supporting or SupportingProcesses()
        self.watching = AlarmMonitor(settings, note_alarm, Path(launch.state_dir), self.supporting)
        self.settings = settings
        self._sockets = sockets
        self._report = report
        self._is_stopping = False
        self.on_cycle: OnCycle = lambda sentence, now: None
        """Called with the state of the node after each cycle."""
        self._sentence = ""
        self._started_at = clock.monotonic()
        self._cycle_scheduler = CycleScheduler(self._started_at)
        state_dir = Path(launch.state_dir)
        self._node = launch.node
        self._bus = Bus(state_dir / "run", process_id(launch.node, SUPERVISOR))
        home = deal(processes_of(launch.node, workers))
        self.slots = SlotAssignment(home, seed_of(launch.key, launch.boot), sockets, self._bus, report)
        self.worker_pool = WorkerPool(self, sockets, self.slots, launch.node, workers)
        lifetime_offset_s = self.watching.clock.lifetime_offset_s
        launch = replace(launch, lifetime_offset_s=lifetime_offset_s)
        self.supporting.connect(
            self.tell_all,
            lambda number, message: self._bus.send(process_id(self._node, number), [message]),
            lambda number: self._bus.forget(process_id(self._node, number)),
            self.reply,
            lifetime_offset_s,
        )
        self._launcher = Launcher(launch, sockets, recording, command_line)
        self._processes = self._launcher.running
        cluster = self.supporting.cluster
        self.sealing = SealingKeyRollout(launch.sealing, self.send, self._launcher.seal_with)
        coordination = None if cluster is None else cluster.coordination
        self.rotation = KeyRotation(self.sealing, state_dir, launch.key, coordination, self.reply, report)
        kept = CommitStore(state_dir / "configuration") if store is None else store
        self.configuring = CommitCoordinator(self, kept, sockets)
        self.listener_drain = ListenerDrain(self, sockets)
        self.questions = Questions(self, state_dir / "run")
        self._waiting = selectors.DefaultSelector()
        self._waiting.register(self._bus, selectors.EVENT_READ)
        self._waiting.register(self.questions, selectors.EVENT_READ)
        if cluster is not None:
            self.watch(cluster.fileno())
            self.configuring.join(cluster.coordination)
            cluster.counts.join(self.watching.dealer, self.watching.failures)
        self.slots.set_steering(settings.supervision.steering, self.records)

    @property
    def records(self) -> list[WorkerRecord]:
        """What is known of each worker."""
        return self.worker_pool.records

    def watch(self, fd: int) -> None:
        """Wake up for this descriptor as well."""
        self._waiting.register(fd, selectors.EVENT_READ)

    def step(self) -> int:
        """Wait until something happens or a cycle is due, and run it. Returns RUNNING or the exit status."""
        sleep_s = self._cycle_scheduler.sleep_s(self.records, self.settings.supervision, clock.monotonic())
        table = self.supporting.table
        ready = self._waiting.select(sleep_s if table is None else min(sleep_s, table.look_within_s))
        now = clock.monotonic()
        is_eventful = self._receive(now) or any(key.fileobj not in (self._bus, self.questions) for key, _ in ready)
        is_eventful |= self.questions.answer_all(now)
        if is_eventful:
            self._cycle_scheduler.disturbed(now)
        self._look_for_signs()
        self._look_at_lock(now)
        if self._cycle_scheduler.is_due(self.records, self.settings.supervision, now):
            sentence = self.run_cycle(now)
            if sentence != self._sentence:
                self._sentence = sentence
                self._report(sentence)
            self._cycle_scheduler.cycle_done(self.records, self._is_stopping, now)
            self.on_cycle(sentence, now)
        return self.status

    def stop(self) -> None:
        """Stop all workers, then end. Called again: kill what still runs."""
        if self._is_stopping:
            self._launcher.kill_all()
            self.supporting.kill()
        else:
            self.supporting.stop()
        self._is_stopping = True

    def close(self) -> None:
        """Leave no process and no socket behind, after any failure."""
        self._launcher.close()
        self.supporting.close()
        self._waiting.close()
        self._bus.close()
        self.questions.close()

    def run_cycle(self, now: float) -> str:
        """Note the workers that have ended, decide, act. Returns the state of the node in a sentence."""
        self._reap(now)
        if not self._is_stopping:
            self.configuring.tend(now)
            # A configuration that is being prepared counts upon the sockets that were there when it was begun.
            if not self.configuring.is_preparing:
                self.listener_drain.tend(now)
                self.worker_pool.tend(now)
            for number, shares in self.watching.shares_to_deal(self.records, self.settings, now).items():
                self.send(number, [RateShares(shares)])
        self._tend_supporting(now)
        self.rotation.tend(now)
        for action in decisions.decide(self._view(now)):
            self._act(action, now)
        self.slots.tell(self.records)
        if not self._is_stopping:
            self.watching.refusals = self.slots.refusals
            self.watching.look(self.records, self.settings, self.configuring, now)
        if not self.supporting.has_table and not self._is_stopping:
            return "The registration table is being loaded."
        return decisions.sentence(self._view(now))

    def _tend_supporting(self, now: float) -> None:
        supporting, had_table = self.supporting, self.supporting.has_table
        is_serving = any(record.life == WorkerState.LIVE for record in self.records)
        events = self.watching.alarms.event_count
        supporting.tend(self.settings.supervision, self._is_stopping, is_serving, events, now)
        if supporting.table is not None:
            self._launcher.table_dir = supporting.table.directory
        if supporting.has_table and not had_table:
            self._cycle_scheduler.disturbed(now)
        if supporting.table is not None and supporting.table.is_hopeless and not self._is_stopping:
            self._report(f"The registration table cannot be loaded ({supporting.table.persister.last_ending}).")
            self.status = 1

    def _look_at_lock(self, now: float) -> None:
        """End a process that holds the lock of the table and does not go on."""
        table = self.supporting.table
        if table is None or not (thread := table.hung_writer(now)):
            return
        holders = [number for number, process in self._processes.items() if has_thread(process.pid, thread)]
        for number in holders:
            self.end_worker(number, "held the lock of the registration table", now)
        table.writer_killed("".join(f"Worker {number}" for number in holders), thread, now)

    # -- taking in ------------------------------------------------------------------------------------

    def _receive(self, now: float) -> bool:
        """Take in what came by the bus: was it more than heartbeats of workers that are live?"""
        arrived = self._bus.receive()
        while self._bus.pending():
            arrived += self._bus.receive()
        is_news = False
        for sender, message in arrived:
            if worker_of(sender) < len(self.records):
                record = self.records[worker_of(sender)]
                is_news |= record.life != WorkerState.LIVE or not isinstance(message, Heartbeat)
                self._receive_from(record, message, now)
            else:
                is_news |= self.supporting.heard(worker_of(sender), message, now)
        if self._cycle_scheduler.woke(self.settings.supervision, now):
            for record in self.records:
                record.forgive_silence(now)
            self.supporting.forgive(now)
        return is_news

    def _look_for_signs(self) -> None:
        for number, process in self._processes.items():
            signed_at = self._launcher.signed_at(number)
            if signed_at > self.records[number].last_heard:
                self.records[number].signed(signed_at, process.waited_s())

    def _receive_from(self, record: WorkerRecord, message: BusMessage, now: float) -> None:
        if record.number not in self._processes:
            return
        has_become_live = False
        if isinstance(message, Heartbeat):
            has_become_live = record.heard(message, now, self._processes[record.number].waited_s())
        elif isinstance(message, RateDemand):
            self.watching.told_demand(record.number, message.demand, now)
        elif isinstance(message, FailuresCounted):
            self.watching.told_failures(message.failures, now)
            self._tell_others(record.number, message)
        elif isinstance(message, RolloutReport):
            self.configuring.told(record.number, message)
        elif isinstance(message, SealingKeysTaken):
            self.sealing.taken(record.number, message.step)
        elif isinstance(message, TableUnsound) and self.supporting.table is not None:
            self.supporting.table.told_unsound(message)
        if has_become_live:
            took_s = now - record.started_at
            self._report(f"Worker {record.number} is live, {took_s:.1f} s after its start.")

    def _tell_others(self, told_by: int, message: BusMessage) -> None:
        for number in self._processes:
            if number != told_by:
                self.send(number, [message])

    def _reap(self, now: float) -> None:
        for number, process in list(self._processes.items()):
            if ending := process.ending():
                self._waiting.unregister(process)
                counters = self._launcher.forget(number)
                self._forget_worker(number)
                record = self.records[number]
                was_stopping = record.life == WorkerState.STOPPING
                record.ended(ending, self.settings.supervision, now, counters)
                if not was_stopping or not self._is_stopping:
                    self._report(f"Worker {number} (process {process.pid}) is down: {ending}.")

    def _forget_worker(self, number: int) -> None:
        self.configuring.died(number, self.records[number].was_asked_to_end)
        self.slots.forget(number)
        self.sealing.forget(number)
        self.watching.dealer.forget_worker(number)
        self._bus.forget(process_id(self._node, number))
        self._sockets.withdraw(number)

    def _view(self, now: float) -> SupervisorView:
        workers = tuple(record.view(self._waited_s(record, now)) for record in self.records)
        limits = self.settings.supervision
        return SupervisorView(now, workers, self.slots.table, self.worker_pool.home, self._is_stopping, limits)

    def _waited_s(self, record: WorkerRecord, now: float) -> float:
        """For how long a worker has had no processor; asked only when it has been silent for too long to be live."""
        is_silent = (now - record.last_heard) * 1000 > self.settings.supervision.hang_ms
        return self._processes[record.number].waited_s() if is_silent and record.number in self._processes else 0.0

    # -- acting ---------------------------------------------------------------------------------------

    def _act(self, action: Action, now: float) -> None:
        if isinstance(action, Start):
            # One that starts while a configuration is prepared would have the old one only.
            if self.supporting.has_table and not self.configuring.is_preparing:
                self._start(self.records[action.number], now)
        elif isinstance(action, Kill):
            self.end_worker(action.number, action.reason, now)
        elif isinstance(action, AskToStop):
            self.records[action.number].asked_to_stop(now)
            if not self.send(action.number, [Stop()]):
                self._processes[action.number].terminate()
        elif isinstance(action, GiveSlots):
            self.slots.put_in_force(action.table, self.records)
        elif isinstance(action, Finish):
            if not self.supporting.has_stopped(self.settings.supervision, now):
                return
            if action.status:
                endings = ", ".join(f"worker {r.number}: {r.last_ending}" for r in self.records)
                self._report(f"No worker can be started ({endings}). The appliance stops.")
            self.status = action.status

    def _start(self, record: WorkerRecord, now: float) -> None:
        number = record.number
        try:
            process = self._launcher.start(number, record.next_bank, names_of(self.settings.listeners))
        except OSError as fault:
            reason = str(fault) if isinstance(fault, ListenFailed) else f"cannot be started: {fault.strerror or fault}"
            if isinstance(fault, ListenFailed):
                self.watching.listener_faults[number] = f"{fault}"
            record.could_not_start(reason, self.settings.supervision, now)
            self._report(f"Worker {number}: {reason}.")
            return
        self.sealing.started(number)
        self.watching.listener_faults.pop(number, None)
        self._waiting.register(process, selectors.EVENT_READ)
        record.started(now)
        again = f" (restart {record.restarts})" if record.restarts else ""
        self._report(f"Worker {number} started as process {process.pid}{again}.")

    # -- for its parts, and for the control endpoint --------------------------------------------------

    def reply(self, asker: bytes, reply: BusReply) -> None:
        """Answer a request that was made before."""
        self.questions.reply(asker, reply)

    def log(self, sentence: str) -> None:
        """One sentence for the log."""
        self._report(sentence)

    def processes_to_prepare(self) -> list[int]:
        """The workers whose processes run and are not about to end."""
        return [number for number in self._processes if self.records[number].life != WorkerState.STOPPING]

    def starting_workers(self) -> list[int]:
        """The workers whose processes run and are not live yet."""
        return [number for number in self._processes if self.records[number].life == WorkerState.STARTING]

    def send_document(self, number: int, document: dict[str, Any], fds: Sequence[int]) -> None:
        """Pass a document and sockets on to a worker. Raises OSError."""
        self._launcher.send_document(number, document, fds)

    def send(self, number: int, messages: Sequence[BusMessage]) -> bool:
        """A batch for a worker; False when it was refused."""
        return self._bus.send(process_id(self._node, number), messages)

    def tell_all(self, message: BusMessage) -> list[int]:
        """Send a message to all processes that run; returns the numbers of those that the bus had room for."""
        return [number for number in self._processes if self.send(number, [message])]

    def end_worker(self, number: int, reason: str, now: float) -> None:
        """End a worker that does not do what it has to."""
        self._report(f"Worker {number} {reason}; it is killed.")
        self._processes[number].kill()
        self.records[number].killed(now)

    def put_in_force(self, settings: Settings, text: str, number: int, now: float) -> None:
        """Go by new settings: the supervisor's own part of a commit."""
        former, self.settings = self.settings, settings
        self.watching.failures.reconfigure(settings.lockout)
        log_by(settings)
        self._launcher.go_by(text)
        self.supporting.put_in_force(settings, text)
        self.listener_drain.note(settings, now)
        self._sockets.set_receive_buffer(settings.limits.receive_buffer_kib * 1024)
        self.worker_pool.resize(worker_count(settings), now)
        self.slots.set_steering(settings.supervision.steering, self.records)
        if needs_restart(former, settings):
            self.worker_pool.restart_all()

    def node_status(self, now: float) -> NodeStatus:
        """How the node is."""
        head, reload_in_s = self.configuring.head, self.worker_pool.reload_in_s(now)
        records, processes, table = self.records, self._processes, self.slots.table
        others = (self.worker_pool.retired_counters, self.supporting.counters(), self._own_counters())
        totals = counter_totals(records, *others)
        return NodeStatus(
            hostname=self.settings.hostname,
            commit=head.number if head else 0,
            commit_time=head.wall_time if head else 0.0,
            is_confirmed=not (head and head.state == UNCONFIRMED),
            reload="" if reload_in_s is None else f"Reload scheduled in {in_minutes(reload_in_s)}.",
            supervisor=SupervisorStatus(
                os.getpid(), round(now - self._started_at, 1), decisions.sentence(self._view(now))
            ),
            workers=worker_statuses(records, table, processes, now),
            listeners=listener_statuses(self.settings.listeners, self._sockets.groups),
            processes=process_statuses(self._started_at, self.supporting.members, processes, records, now),
            slots=slot_ranges(table),
            epoch=table.epoch,
            # Every worker holds all registrations, so they are not added up.
            registrations=registrations_of(records),
            transactions=sum(record.gauges.get("transactions", 0) for record in records),
            counters=totals,
            drops=drops_in(totals),
            alarms=self.watching.alarms.sentences(),
            traffic=traffic_totals(records, self.worker_pool.retired_traffic),
        )

    def _own_counters(self) -> list[int]:
        """What the supervisor itself has counted, by id."""
        counters = [0] * len(COUNTERS)
        counters[BUS_MALFORMED] = self._bus.damaged + self.questions.door.damaged
        counters[BUS_SKIPPED] = self._bus.skipped + self.questions.door.skipped
        counters[LOG_LINES_LOST] = lines_lost()
        return counters
