"""What the tasks of operators share: the settings in force, the ways to the supervisor and the workers, the logs.

Plain data but for `ask`, and for how the settings are kept up to date.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appliance import clock
from appliance.catalogue.counters import COUNTERS, LOG_LINES_LOST, NODE_MESSAGES_DROPPED
from appliance.catalogue.errors import ConfigError
from appliance.catalogue.node_settings import settings_of_node
from appliance.catalogue.node_status import NodeStatus
from appliance.catalogue.settings import Settings
from appliance.configuration.text import parse_configuration
from appliance.ipc.bus import BusUnavailable, ask_supervisor
from appliance.management.arguments import Arguments
from appliance.management.audit_log import AuditLog
from appliance.management.counter_rates import Samples
from appliance.management.errors import Refused
from appliance.management.login_log import LoginLog
from appliance.management.node_questions import NodeQuestions
from appliance.management.open_sessions import OpenSessions
from appliance.management.sessions import Session
from appliance.management.system_commits import note_own_commits
from appliance.management.worker_link import WorkerLink
from appliance.messages.bus_messages import Answered, BusRequest, Refusal
from appliance.messages.plain_values import plain
from appliance.messages.supervisor_requests import StatusRequest
from appliance.own_machine import OfOthers, want_system
from appliance.storage.cluster_file import ClusterFileUnusable, cluster_path, read_cluster
from appliance.storage.commits import CommitStore
from appliance.storage.log_file import lines_lost, log_by

ASK_TIMEOUT_S: Final = 5.0
# How often the counters are looked at while operators are connected, and while none is.
SAMPLE_INTERVAL_S: Final = 1.0
CALM_INTERVAL_S: Final = 5.0

LOST: Final = COUNTERS[LOG_LINES_LOST].name
DROPPED: Final = COUNTERS[NODE_MESSAGES_DROPPED].name

log = logging.getLogger("signalbox.management")

Event = Callable[[dict[str, Any]], Awaitable[None]]


# A worker in these states answers.
ALIVE: Final = ("live", "drained", "draining")


class ApplianceClient:
    """One appliance, as its operators reach it."""

    def __init__(self, state_dir: Path, settings: Settings, workers: WorkerLink) -> None:
        self.state_dir = state_dir
        self.settings = settings
        self.commit = 0
        self.workers = workers
        self.nodes = NodeQuestions(workers)
        self.samples = Samples()
        self.cleared: dict[str, int] = {}
        """What the counters were when an operator cleared them."""
        self.audit = AuditLog(state_dir / "log" / "audit.log")
        self.sessions = OpenSessions()
        self.logins = LoginLog(self._note_login)
        self.status = NodeStatus()
        """What the supervisor said last."""
        self._sampled_at = 0.0

    async def ask(self, request: BusRequest[Answered], timeout_s: float = ASK_TIMEOUT_S) -> Answered:
        """The answer of the supervisor. Raises Refused: it refuses, or does not answer."""
        try:
            reply = await asyncio.to_thread(ask_supervisor, self.state_dir / "run", request, timeout_s)
        except BusUnavailable as fault:
            raise Refused(str(fault), "try again in a moment") from None
        if isinstance(reply, Refusal):
            more = {"faults": plain(reply.faults), "head": reply.head}
            raise Refused(reply.sentence, reply.remedy, **{name: value for name, value in more.items() if value})
        return reply

    def store(self) -> CommitStore:
        """The commits as they are now."""
        return CommitStore(self.state_dir / "configuration")

    async def look(self, is_exact: bool = False) -> None:
        """Have a report of now, or one not older than a second; workers may have come to life since the last one."""
        if is_exact or not self.workers.live or clock.monotonic() - self._sampled_at > SAMPLE_INTERVAL_S:
            await self.sample()

    async def sample(self) -> None:
        """See how the appliance is; call it every few seconds."""
        try:
            status = await self.read_status()
        except Refused:
            return
        self.status = status
        self._sampled_at = clock.monotonic()
        self.samples.add(self._sampled_at, status.counters)
        self.workers.set_live([worker.number for worker in status.workers if worker.state in ALIVE])
        if status.commit != self.commit:
            self._take_settings(status.commit)

    async def read_status(self) -> NodeStatus:
        """The status of now. Raises Refused."""
        status = (await self.ask(StatusRequest())).status
        # Those of the other processes are in it; this one has lines of its own.
        status.counters[LOST] = status.counters.get(LOST, 0) + lines_lost()
        if self.nodes.dropped:
            status.counters[DROPPED] = status.counters.get(DROPPED, 0) + self.nodes.dropped
        return status

    def greet_replicator(self) -> None:
        """Let the replicator of a node of a cluster know this process."""
        if cluster_path(self.state_dir).exists():
            self.nodes.greet()

    def of_this_node(self, settings: Settings) -> Settings:
        """The settings as this node has them, where it is one of a cluster."""
        try:
            known = read_cluster(self.state_dir)
        except ClusterFileUnusable:
            return settings
        return settings if known is None else settings_of_node(settings, known.member.name)

    def _take_settings(self, number: int) -> None:
        commit = self.store().find(number)
        if commit is None:
            return
        try:
            self.settings = parse_configuration(commit.text)
        except ConfigError:
            # Of another version; the supervisor runs by it, and reports it.
            return
        self.commit = number
        log_by(self.settings)
        self._want_system()
        self.sessions.tell_news(self.settings)
        with suppress(OSError):
            # A full disk: they are noted later.
            note_own_commits(self.store(), self.audit)

    def _want_system(self) -> None:
        """Have the machine follow the settings, where it is the appliance's own."""
        try:
            want_system(self.of_this_node(self.settings))
        except OfOthers:
            return
        except OSError as fault:
            log.error("The network settings cannot be handed to the machine: %s.", fault.strerror)

    def _note_login(self, user: str, place: str, command: str, result: str) -> None:
        with suppress(OSError):
            self.audit.write(clock.wall_time(), user, command, {}, result, place)


@dataclass(frozen=True, slots=True)
class Call:
    """One request: its session, its arguments, and where its events go."""

    client: ApplianceClient
    session: Session
    args: Arguments
    event: Event
