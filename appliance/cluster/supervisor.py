"""The supervisor: starts the workers, watches them, moves slots, answers questions, and stops.

Each cycle takes in what has happened, makes a view of it, lets `decisions.decide` say what to do and does
that; it ends in a sentence, which is logged when it changes. A death is known at once (pidfd), a hang by
the missing heartbeats, so the slots of either are with the siblings well within a second.

A supervisor that was itself held up (a paused machine) judges nobody for silence it could not hear.

Knows nothing of SIP.
"""

from __future__ import annotations

import os
import selectors
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from appliance import clock
from appliance.bus import SUPERVISOR, Bus, QuestionDoor
from appliance.catalogue.settings import Settings
from appliance.cluster import decisions
from appliance.cluster.decisions import Action, AskToStop, ClusterView, Finish, GiveSlots, Kill, Life, Start
from appliance.cluster.processes import CommandLine, Figures, WorkerProcess
from appliance.cluster.sockets import ListenFailed, ListeningSockets
from appliance.cluster.status_report import totals_report, worker_report
from appliance.cluster.worker_record import WorkerRecord
from appliance.launch import WorkerLaunch
from appliance.recorder import Recording
from appliance.state.messages import (
    BusMessage,
    Drain,
    ForgetSubscriber,
    Heartbeat,
    InSync,
    RestartWorker,
    SlotsChanged,
    StatusRequest,
    Stop,
)
from appliance.state.slots import SlotTable, deal, seed_of
from appliance.transport.flow import TCP, UDP

CYCLE_S: Final = 0.05
RUNNING: Final = -1

Report = Callable[[str], None]


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
    ) -> None:
        """`launch` is the start of a worker, but for its number and descriptors. Raises BusUnavailable."""
        self.status = RUNNING
        """The exit status, once there is one."""
        self.alarms: list[str] = []
        """Sentences that stay true while the appliance runs."""
        self.table = deal(range(workers))
        self._home = self.table
        self._settings = settings
        self._limits = settings.supervision
        self._launch = launch
        self._seed = seed_of(launch.key)
        self._sockets = sockets
        self._recording = recording
        self._report = report
        self._command_line = command_line
        self._is_stopping = False
        self._sentence = ""
        self._started_at = self._last_cycle = clock.monotonic()
        self.records = [WorkerRecord(number) for number in range(workers)]
        self._processes: dict[int, WorkerProcess] = {}
        self._told: dict[int, tuple[int, list[int], list[int]]] = {}
        runtime_dir = Path(launch.state_dir) / "run"
        self._bus = Bus(runtime_dir, SUPERVISOR)
        self._questions = QuestionDoor(runtime_dir)
        self._waiting = selectors.DefaultSelector()
        self._waiting.register(self._bus, selectors.EVENT_READ)
        self._waiting.register(self._questions, selectors.EVENT_READ)
        self._steer()

    def watch(self, fd: int) -> None:
        """Wake up for this descriptor as well."""
        self._waiting.register(fd, selectors.EVENT_READ)

    def step(self) -> int:
        """Wait until something happens or a cycle is due, and run it. Returns RUNNING or the exit status."""
        self._waiting.select(CYCLE_S)
        sentence = self.run_cycle(clock.monotonic())
        if sentence != self._sentence:
            self._sentence = sentence
            self._report(sentence)
        return self.status

    def stop(self) -> None:
        """Stop all workers, then end. Called again: kill what still runs."""
        if self._is_stopping:
            for process in self._processes.values():
                process.kill()
        self._is_stopping = True

    def close(self) -> None:
        """Leave nothing behind, whatever happened: no process, no socket."""
        for process in self._processes.values():
            process.kill()
        self._waiting.close()
        self._bus.close()
        self._questions.close()

    def run_cycle(self, now: float) -> str:
        """One turn: take in, decide, act. Returns the state of the node in a sentence."""
        self._receive(now)
        self._reap(now)
        for action in decisions.decide(self._view(now)):
            self._act(action, now)
        self._tell_slots()
        self._answer_questions(now)
        self._last_cycle = now
        return decisions.sentence(self._view(now))

    # -- taking in ------------------------------------------------------------------------------------

    def _receive(self, now: float) -> None:
        arrived = self._bus.receive()
        while self._bus.pending():
            arrived += self._bus.receive()
        for sender, message in arrived:
            if 0 <= sender < len(self.records):
                self._receive_from(self.records[sender], message, now)
        if (now - self._last_cycle) * 1000 > self._limits.hang_ms / 2:
            for record in self.records:
                record.forgive_silence(now)

    def _receive_from(self, record: WorkerRecord, message: BusMessage, now: float) -> None:
        if record.number not in self._processes:
            return
        has_become_live = False
        if isinstance(message, Heartbeat):
            has_become_live = record.heard(message, now)
        elif isinstance(message, InSync):
            has_become_live = record.became_in_sync(now)
        if has_become_live:
            took_s = now - record.started_at
            self._report(f"Worker {record.number} is in sync, {took_s:.1f} s after its start.")

    def _reap(self, now: float) -> None:
        for number, process in list(self._processes.items()):
            if ending := process.ending():
                self._forget_process(number, process)
                record = self.records[number]
                was_stopping = record.life == Life.STOPPING
                counters = self._recording.counters_of(number, process.bank)
                record.ended(ending, self._limits, now, counters)
                if not was_stopping or not self._is_stopping:
                    self._report(f"Worker {number} (process {process.pid}) {ending}.")

    def _forget_process(self, number: int, process: WorkerProcess) -> None:
        self._waiting.unregister(process)
        process.close()
        del self._processes[number]
        self._told.pop(number, None)
        self._bus.forget(number)
        self._sockets.withdraw(number)

    def _view(self, now: float) -> ClusterView:
        workers = tuple(record.view() for record in self.records)
        return ClusterView(now, workers, self.table, self._home, self._is_stopping, self._limits)

    # -- acting ---------------------------------------------------------------------------------------

    def _act(self, action: Action, now: float) -> None:
        if isinstance(action, Start):
            self._start(self.records[action.number], now)
        elif isinstance(action, Kill):
            self._report(f"Worker {action.number} {action.reason}: it is killed.")
            self._processes[action.number].kill()
            self.records[action.number].killed(now)
        elif isinstance(action, AskToStop):
            self.records[action.number].asked_to_stop(now)
            if not self._bus.send(action.number, [Stop()]):
                self._processes[action.number].terminate()
        elif isinstance(action, GiveSlots):
            self._give_slots(action.table)
        elif isinstance(action, Finish):
            if action.status:
                endings = ", ".join(f"worker {r.number} {r.last_ending}" for r in self.records)
                self._report(f"No worker can be started ({endings}): the appliance ends.")
            self.status = action.status

    def _start(self, record: WorkerRecord, now: float) -> None:
        number = record.number
        try:
            self._sockets.restore(number)
            launch = self._launch_of(number)
            process = WorkerProcess(launch, self._command_line(launch))
        except OSError as fault:
            reason = str(fault) if isinstance(fault, ListenFailed) else f"cannot be started: {fault.strerror or fault}"
            record.could_not_start(reason, self._limits, now)
            self._report(f"Worker {number}: {reason}.")
            return
        self._processes[number] = process
        self._waiting.register(process, selectors.EVENT_READ)
        record.started(now)
        again = f", for the {record.restarts + 1}. time" if record.restarts else ""
        self._report(f"Worker {number} is started as process {process.pid}{again}.")

    def _launch_of(self, number: int) -> WorkerLaunch:
        given = self._launch
        return WorkerLaunch(
            number=number,
            datagram_fds=self._sockets.fds_of(number, UDP),
            stream_fds=self._sockets.fds_of(number, TCP),
            config_text=given.config_text,
            state_dir=given.state_dir,
            key_hex=given.key_hex,
            config_name=given.config_name,
            recording_fd=self._recording.fd,
            bank=self.records[number].next_bank,
        )

    def _give_slots(self, table: SlotTable) -> None:
        self.table = table
        shares = ", ".join(f"worker {r.number}: {table.count_of(r.number)}" for r in self.records)
        self._report(f"The slots have new owners ({shares}).")
        # The new owners first learn that they own; what the kernel steers to them then is theirs.
        self._tell_slots()
        self._steer()

    def _steer(self) -> None:
        if not self._settings.supervision.steering:
            return
        refusals = self._sockets.steer(self.table, self._seed)
        for refusal in refusals:
            self._report(refusal)
        self.alarms += refusals
        for record in self.records if refusals else []:
            if record.number not in self._processes:
                self._sockets.withdraw(record.number)

    def _tell_slots(self) -> None:
        """Whoever does not know the table in force, or who is there, is told; again if the bus refused."""
        present = [r.number for r in self.records if r.is_on_the_bus and r.life != Life.STOPPING]
        orphans = [number for r in self.records for bank in r.orphaned_banks() for number in (r.number, bank)]
        news = (self.table.epoch, present, orphans)
        for number in present:
            if self._told.get(number) == news:
                continue
            if self._bus.send(number, [SlotsChanged(self.table, present, orphans)]):
                self._told[number] = news

    # -- questions ------------------------------------------------------------------------------------

    def _answer_questions(self, now: float) -> None:
        for asker, question in self._questions.receive():
            self._questions.reply(asker, self._answer(question, now))

    def _answer(self, question: BusMessage, now: float) -> dict[str, Any]:
        if isinstance(question, StatusRequest):
            return self.status_report(now)
        if isinstance(question, ForgetSubscriber):
            told = [number for number in self._processes if self._bus.send(number, [question])]
            return {"workers_told": told}
        if isinstance(question, RestartWorker):
            return self._drain(question.number, now)
        return {"error": f"The supervisor does not answer {type(question).__name__}."}

    def _drain(self, number: int, now: float) -> dict[str, Any]:
        if not 0 <= number < len(self.records):
            return {"error": f"There is no worker {number}."}
        if not self.records[number].drained(now):
            return {"error": f"Worker {number} is {self.records[number].life.name.lower()} and cannot be drained."}
        self._report(f"Worker {number} is drained and will be started again.")
        self._bus.send(number, [Drain()])
        return {"draining": number}

    def status_report(self, now: float) -> dict[str, Any]:
        """What `signalbox status` shows; see status_report.py for the names."""
        return {
            "hostname": self._settings.hostname,
            "supervisor": {
                "pid": os.getpid(),
                "uptime_s": round(now - self._started_at, 1),
                "sentence": decisions.sentence(self._view(now)),
            },
            "workers": [self._worker_report(record, now) for record in self.records],
            "slots": [list(run) for run in self.table.runs()],
            "epoch": self.table.epoch,
            **totals_report(self.records),
            "alarms": self._alarms(),
        }

    def _worker_report(self, record: WorkerRecord, now: float) -> dict[str, Any]:
        process = self._processes.get(record.number)
        figures = process.figures() if process else Figures(0.0, 0.0, 0)
        return worker_report(record, self.table, process.pid if process else 0, figures, now)

    def _alarms(self) -> list[str]:
        found = list(self.alarms)
        for record in self.records:
            found += [f"Worker {record.number}: {alarm}" for alarm in record.alarms]
            if record.life in (Life.ABSENT, Life.STARTING) and record.last_ending:
                found.append(f"Worker {record.number} is away: the last one {record.last_ending}.")
        return found
