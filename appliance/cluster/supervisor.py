"""The supervisor: starts the workers, watches them, moves slots, answers questions, and stops.

Each cycle takes in what has happened, makes a view of it, lets `decisions.decide` say what to do and does
that; it ends in a sentence, which is logged when it changes. A death is known at once (pidfd), a hang by
the missing heartbeats, so the slots of either are with the siblings well within a second. While nothing but
heartbeats of live workers has come for a second, cycles are rare: a cycle that finds nothing to do costs as much as
some calls.

A supervisor that was itself held up (a paused machine) judges nobody for silence it could not hear.

Knows nothing of SIP.
"""

from __future__ import annotations

import os
import selectors
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from appliance import clock
from appliance.bus import SUPERVISOR, Bus, QuestionDoor
from appliance.catalogue.differences import needs_restart
from appliance.catalogue.places import names_of
from appliance.catalogue.settings import Settings
from appliance.cluster import decisions
from appliance.cluster.companion import Companion
from appliance.cluster.configuring import Configuring
from appliance.cluster.crew import Crew
from appliance.cluster.decisions import Action, AskToStop, ClusterView, Finish, GiveSlots, Kill, Life, Start
from appliance.cluster.endings import Endings
from appliance.cluster.launcher import Launcher
from appliance.cluster.orders import Orders
from appliance.cluster.processes import CommandLine, Figures, worker_count
from appliance.cluster.sockets import ListenFailed, ListeningSockets
from appliance.cluster.status_report import listeners_report, processes_report, totals_report, worker_report
from appliance.cluster.watch import Watch
from appliance.cluster.worker_record import WorkerRecord
from appliance.commits import CommitStore
from appliance.launch import WorkerLaunch
from appliance.recorder import Recording
from appliance.state.messages import (
    Asked,
    BusMessage,
    Drain,
    ForgetSubscriber,
    Heartbeat,
    InSync,
    Order,
    RestartWorker,
    SlotsChanged,
    StatusRequest,
    Stop,
    Told,
)
from appliance.state.slots import SlotTable, deal, seed_of

CYCLE_S: Final = 0.05
# The longest pause between two cycles, and how soon after the last event it may be so long.
CALM_CYCLE_S: Final = 0.5
RESTLESS_S: Final = 1.0
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
        store: CommitStore | None = None,
        companion: Companion | None = None,
    ) -> None:
        """`launch` is the start of a worker, but for its number and descriptors; `companion` serves operators.

        Raises BusUnavailable.
        """
        self.status = RUNNING
        """The exit status, once there is one."""
        self.watching = Watch(report)
        self.table = deal(range(workers))
        self.settings = settings
        self._limits = settings.supervision
        self._seed = seed_of(launch.key)
        self._sockets = sockets
        self._report = report
        self._is_stopping = False
        self._sentence = ""
        self._started_at = self._due_at = self._last_awake = clock.monotonic()
        self._restless_until = self._started_at + RESTLESS_S
        self._crew = Crew(self, sockets, workers)
        self._launcher = Launcher(launch, sockets, recording, command_line)
        self._processes = self._launcher.running
        self._told: dict[int, tuple[int, list[int], list[int]]] = {}
        runtime_dir = Path(launch.state_dir) / "run"
        self._bus = Bus(runtime_dir, SUPERVISOR)
        self._questions = QuestionDoor(runtime_dir)
        self._waiting = selectors.DefaultSelector()
        self._waiting.register(self._bus, selectors.EVENT_READ)
        self._waiting.register(self._questions, selectors.EVENT_READ)
        self._companion = companion
        kept = CommitStore(Path(launch.state_dir) / "configuration") if store is None else store
        self.configuring = Configuring(self, kept, sockets)
        self.endings = Endings(self, sockets)
        self._orders = Orders(self)
        self.steer()

    @property
    def records(self) -> list[WorkerRecord]:
        """What is known of each worker."""
        return self._crew.records

    def watch(self, fd: int) -> None:
        """Wake up for this descriptor as well."""
        self._waiting.register(fd, selectors.EVENT_READ)

    def step(self) -> int:
        """Wait until something happens or a cycle is due, and run it. Returns RUNNING or the exit status."""
        # A sleep that lasts longer is one in which it was itself held up.
        longest_s = self._limits.hang_ms / 3000
        ready = self._waiting.select(min(max(self._due_at - clock.monotonic(), 0.0), longest_s))
        now = clock.monotonic()
        is_eventful = self._receive(now) or any(key.fileobj not in (self._bus, self._questions) for key, _ in ready)
        is_eventful |= self._answer_questions(now)
        if is_eventful:
            self._restless_until = now + RESTLESS_S
        if is_eventful or now >= self._due_at:
            sentence = self.run_cycle(now)
            if sentence != self._sentence:
                self._sentence = sentence
                self._report(sentence)
            self._due_at = self._next_cycle_at(now)
        self._last_awake = now
        return self.status

    def _next_cycle_at(self, now: float) -> float:
        """Soon, or, while all is well and nothing happens, when the silence of a worker might become a hang."""
        is_calm = now >= self._restless_until and not self._is_stopping
        if not is_calm or any(record.life != Life.LIVE for record in self.records):
            return now + CYCLE_S
        hangs_at = min(record.last_heard for record in self.records) + self._limits.hang_ms / 1000
        return max(now + CYCLE_S, min(now + CALM_CYCLE_S, hangs_at))

    def stop(self) -> None:
        """Stop all workers, then end. Called again: kill what still runs."""
        if self._is_stopping:
            self._launcher.kill_all()
            if self._companion is not None:
                self._companion.kill()
        elif self._companion is not None:
            self._companion.stop()
        self._is_stopping = True

    def close(self) -> None:
        """Leave nothing behind, whatever happened: no process, no socket."""
        self._launcher.close()
        if self._companion is not None:
            self._companion.kill()
        self._waiting.close()
        self._bus.close()
        self._questions.close()

    def run_cycle(self, now: float) -> str:
        """See who has ended, decide, act. Returns the state of the node in a sentence."""
        self._reap(now)
        if not self._is_stopping:
            self.configuring.tend(now)
            self.endings.tend(now)
            self._crew.tend(now)
            for number, shares in self.watching.shares_to_deal(self.records, self.settings, now).items():
                self._bus.send(number, [Asked(0, "rate shares", {"shares": shares})])
        if self._companion is not None:
            self._companion.tend(self._limits, self._is_stopping, now)
            self.watching.is_management_down = not self._companion.is_running and self._companion.restarts >= 0
        for action in decisions.decide(self._view(now)):
            self._act(action, now)
        self._tell_slots()
        if not self._is_stopping:
            self.watching.look(self.records, self.settings, self.configuring, now)
        return decisions.sentence(self._view(now))

    # -- taking in ------------------------------------------------------------------------------------

    def _receive(self, now: float) -> bool:
        """Take in what came by the bus: was it more than heartbeats of workers that are live?"""
        arrived = self._bus.receive()
        while self._bus.pending():
            arrived += self._bus.receive()
        is_news = False
        for sender, message in arrived:
            if 0 <= sender < len(self.records):
                record = self.records[sender]
                is_news |= record.life != Life.LIVE or not isinstance(message, Heartbeat)
                self._receive_from(record, message, now)
        if (now - self._last_awake) * 1000 > self._limits.hang_ms / 2:
            for record in self.records:
                record.forgive_silence(now)
        return is_news

    def _receive_from(self, record: WorkerRecord, message: BusMessage, now: float) -> None:
        if record.number not in self._processes:
            return
        has_become_live = False
        if isinstance(message, Heartbeat):
            has_become_live = record.heard(message, now, self._processes[record.number].waited_s())
        elif isinstance(message, InSync):
            has_become_live = record.became_in_sync(now)
        elif isinstance(message, Told):
            self._told_by(record, message.report, now)
        if has_become_live:
            took_s = now - record.started_at
            self._report(f"Worker {record.number} is in sync, {took_s:.1f} s after its start.")

    def _told_by(self, record: WorkerRecord, report: dict[str, Any], now: float) -> None:
        if "rate_demand" in report:
            self.watching.told_demand(record.number, report["rate_demand"], now)
        else:
            self.configuring.told(record.number, report)

    def _reap(self, now: float) -> None:
        for number, process in list(self._processes.items()):
            if ending := process.ending():
                self._waiting.unregister(process)
                counters = self._launcher.forget(number)
                self._forget_worker(number)
                record = self.records[number]
                was_stopping = record.life == Life.STOPPING
                record.ended(ending, self._limits, now, counters)
                if not was_stopping or not self._is_stopping:
                    self._report(f"Worker {number} (process {process.pid}) {ending}.")

    def _forget_worker(self, number: int) -> None:
        self.configuring.died(number)
        self._told.pop(number, None)
        self.watching.dealer.forget_worker(number)
        self._bus.forget(number)
        self._sockets.withdraw(number)

    def _view(self, now: float) -> ClusterView:
        workers = tuple(record.view(self._waited_s(record, now)) for record in self.records)
        return ClusterView(now, workers, self.table, self._crew.home, self._is_stopping, self._limits)

    def _waited_s(self, record: WorkerRecord, now: float) -> float:
        """For how long a worker has had no processor; asked only when it has been silent for too long."""
        is_silent = (now - record.last_heard) * 1000 > self._limits.hang_ms
        return self._processes[record.number].waited_s() if is_silent and record.number in self._processes else 0.0

    # -- acting ---------------------------------------------------------------------------------------

    def _act(self, action: Action, now: float) -> None:
        if isinstance(action, Start):
            # One that starts while a configuration is prepared would know the old one only.
            if not self.configuring.is_preparing:
                self._start(self.records[action.number], now)
        elif isinstance(action, Kill):
            self.end_worker(action.number, action.reason, now)
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
            process = self._launcher.start(number, record.next_bank, names_of(self.settings.listeners))
        except OSError as fault:
            reason = str(fault) if isinstance(fault, ListenFailed) else f"cannot be started: {fault.strerror or fault}"
            if isinstance(fault, ListenFailed):
                self.watching.listener_faults[number] = f"{fault}"
            record.could_not_start(reason, self._limits, now)
            self._report(f"Worker {number}: {reason}.")
            return
        self.watching.listener_faults.pop(number, None)
        self._waiting.register(process, selectors.EVENT_READ)
        record.started(now)
        again = f", for the {record.restarts + 1}. time" if record.restarts else ""
        self._report(f"Worker {number} is started as process {process.pid}{again}.")

    def _give_slots(self, table: SlotTable) -> None:
        self.table = table
        shares = ", ".join(f"worker {r.number}: {table.count_of(r.number)}" for r in self.records)
        self._report(f"The slots have new owners ({shares}).")
        # The new owners first learn that they own; what the kernel steers to them then is theirs.
        self._tell_slots()
        self.steer()

    def steer(self) -> None:
        """Let the kernel give each datagram to the owner of its slot."""
        if not self.settings.supervision.steering:
            return
        refusals = self._sockets.steer(self.table, self._seed)
        for refusal in refusals:
            self._report(refusal)
        self.watching.refusals = refusals or self.watching.refusals
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

    def _answer_questions(self, now: float) -> bool:
        """Answer what was asked: was there more than to look?"""
        is_news = False
        # The descriptor tells of a change only, and a reply may take that: so until nothing is left.
        while asked := self._questions.receive():
            for asker, question in asked:
                is_news |= not isinstance(question, StatusRequest)
                answer = self._answer(asker, question, now)
                if answer is not None:
                    self.reply(asker, answer)
        return is_news

    def reply(self, asker: bytes, answer: dict[str, Any]) -> None:
        """Answer a question, now or later."""
        self._questions.reply(asker, answer)

    def _answer(self, asker: bytes, question: BusMessage, now: float) -> dict[str, Any] | None:
        """The answer, or None when it comes later."""
        if isinstance(question, StatusRequest):
            return self.status_report(now)
        if isinstance(question, ForgetSubscriber):
            told = [number for number in self._processes if self._bus.send(number, [question])]
            return {"workers_told": told}
        if isinstance(question, RestartWorker):
            return self.restart(question.number, now)
        if isinstance(question, Order):
            return self._orders.obey(asker, question, now)
        return {"error": f"The supervisor does not answer {type(question).__name__}."}

    def restart(self, number: int, now: float) -> dict[str, Any]:
        """Drain a worker, stop it and start it again."""
        if not 0 <= number < len(self.records):
            return {"error": f"There is no worker {number}."}
        if not self.records[number].drained(now):
            return {"error": f"Worker {number} is {self.records[number].life.name.lower()} and cannot be drained."}
        self.log(f"Worker {number} is drained and will be started again.")
        self._bus.send(number, [Drain()])
        return {"draining": number}

    # -- a new configuration -------------------------------------------------------------------------

    def log(self, sentence: str) -> None:
        """One sentence for the log."""
        self._report(sentence)

    def worker_count(self, settings: Settings) -> int:
        """How many workers the settings mean: as many as said, or one for each processor we may use."""
        return worker_count(settings)

    def processes_to_prepare(self) -> list[int]:
        """The workers whose processes run and are not about to end."""
        return [number for number in self._processes if self.records[number].life != Life.STOPPING]

    def send_document(self, number: int, document: dict[str, Any], fds: Sequence[int]) -> None:
        """Pass a document and sockets on to a worker. Raises OSError."""
        self._launcher.send_document(number, document, fds)

    def send(self, number: int, messages: Sequence[BusMessage]) -> bool:
        """A batch for a worker; False when it was refused."""
        return self._bus.send(number, messages)

    def end_worker(self, number: int, reason: str, now: float) -> None:
        """End a worker that does not do what it has to."""
        self._report(f"Worker {number} {reason}: it is killed.")
        self._processes[number].kill()
        self.records[number].killed(now)

    def put_in_force(self, settings: Settings, text: str, number: int, now: float) -> None:
        """Go by new settings: the supervisor's own part of a commit."""
        former, self.settings = self.settings, settings
        self._limits = settings.supervision
        self._launcher.go_by(text)
        if self._companion is not None:
            self._companion.launch = replace(self._companion.launch, config_text=text)
        self.endings.note(settings, now)
        self._sockets.set_receive_buffer(settings.limits.receive_buffer_kib * 1024)
        self._crew.resize(self.worker_count(settings), now)
        if settings.supervision.steering:
            self.steer()
        else:
            self._sockets.let_the_kernel_choose()
        if needs_restart(former, settings):
            self._crew.restart_all()

    def status_report(self, now: float) -> dict[str, Any]:
        """What `signalbox status` shows; see status_report.py for the names."""
        head = self.configuring.head
        return {
            "hostname": self.settings.hostname,
            "commit": head.number if head else 0,
            "supervisor": {
                "pid": os.getpid(),
                "uptime_s": round(now - self._started_at, 1),
                "sentence": decisions.sentence(self._view(now)),
            },
            "workers": [self._worker_report(record, now) for record in self.records],
            "listeners": listeners_report(self.settings.listeners, self._sockets.groups),
            "processes": processes_report(self._started_at, self._companion, self._processes, self.records, now),
            "slots": [list(run) for run in self.table.runs()],
            "epoch": self.table.epoch,
            **totals_report(self.records, self._crew.retired_counters),
            **self.watching.report(),
        }

    def _worker_report(self, record: WorkerRecord, now: float) -> dict[str, Any]:
        process = self._processes.get(record.number)
        figures = process.figures() if process else Figures(0.0, 0.0, 0)
        return worker_report(record, self.table, process.pid if process else 0, figures, now)
