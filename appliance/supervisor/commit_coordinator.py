"""The configuration of a node: its commits, and the one at a time that is being put in force.

A request to commit names the commit it was made from. If that is no longer the head, it is refused, and
the operator brings it up to date: so no work of another operator is lost.

Order of a commit: its text is checked, sockets are opened, every worker prepares, the commit is written to the
disk, and then it takes effect everywhere. In a cluster all nodes prepare, and it is written down when the cluster has
decided so (cluster_commits.py). A fault before the writing leaves everything as it was. An
unconfirmed commit is taken back here when its time is over, also after a restart of the appliance.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

from appliance import clock
from appliance.catalogue.errors import ConfigError
from appliance.catalogue.listener_ids import place, with_places
from appliance.catalogue.node_settings import virtual_ip_addresses
from appliance.catalogue.settings import Settings
from appliance.catalogue.time_zones import time_zones_of
from appliance.configuration.diff import effects_of
from appliance.configuration.password_lines import without_passwords
from appliance.configuration.text import parse_configuration
from appliance.messages.bus_messages import BusMessage, BusReply, ConfigurationFault, Refusal, RolloutReport
from appliance.messages.supervisor_requests import CommitConfiguration, Committed, Confirmed, SettingChange
from appliance.storage.commits import SYSTEM, UNCONFIRMED, Commit, CommitFailed, CommitStore, checksum
from appliance.supervisor.cluster_commits import ClusterCommits
from appliance.supervisor.commit_attempt import Attempt
from appliance.supervisor.configuration_rollout import Reconfiguration, too_many_sockets
from appliance.supervisor.coordination_process import CoordinationProcess
from appliance.supervisor.listening_sockets import ListenFailed, ListeningSockets
from appliance.supervisor.processes import worker_count
from appliance.supervisor.snmp_process import SnmpSocketFailed
from appliance.supervisor.supporting_processes import SupportingProcesses
from appliance.tls_contexts import certificate_faults

REVERT_RETRY_S: Final = 10.0
# How often the disk is tried again after a commit could not be kept.
TRIAL_INTERVAL_S: Final = 10.0


class Node(Protocol):
    """The supervisor, as far as a change of the configuration needs it."""

    settings: Settings
    supporting: SupportingProcesses

    def processes_to_prepare(self) -> list[int]:
        """The workers whose processes run and are not about to end."""

    def starting_workers(self) -> list[int]:
        """The workers whose processes run and are not live yet."""

    def send_document(self, number: int, document: dict[str, Any], fds: Sequence[int]) -> None: ...
    def send(self, number: int, messages: Sequence[BusMessage]) -> bool: ...
    def put_in_force(self, settings: Settings, text: str, number: int, now: float) -> None:
        """The supervisor's own part."""

    def end_worker(self, number: int, reason: str, now: float) -> None: ...
    def reply(self, asker: bytes, reply: BusReply) -> None: ...
    def log(self, sentence: str) -> None: ...


class CommitCoordinator:
    """Call `tend` in every cycle."""

    def __init__(self, node: Node, store: CommitStore, sockets: ListeningSockets) -> None:
        self._node = node
        self._store = store
        self._sockets = sockets
        self.attempt: Attempt | None = None
        self.cluster: ClusterCommits | None = None
        self._change: Reconfiguration | None = None
        self._revision = 0
        self._revert_at = 0.0
        self._unconfirmed = (0, 0.0)
        """The number of the commit that waits to be confirmed, and when it ends (monotonic)."""
        self.fault = ""
        """Why the last commit could not be kept; "" when the last one could, or the next one can."""
        self._try_at = 0.0

    def join(self, coordination: CoordinationProcess) -> None:
        """From now on the configuration is that of a cluster."""
        self.cluster = ClusterCommits(self, self._store, coordination)

    @property
    def is_preparing(self) -> bool:
        """Is a configuration being prepared? No process should be started then.

        While the cluster decides, one may be: it is started anew when it does not follow (configuration_rollout.py).
        """
        return self.attempt is not None and not self.attempt.number and not self.attempt.prepared_at

    @property
    def is_prepared(self) -> bool:
        """Has every worker prepared, and is nothing written down yet?"""
        return self._change is not None and self._change.is_prepared

    @property
    def head(self) -> Commit | None:
        return self._store.head

    # -- orders --------------------------------------------------------------------------------------

    def commit(self, asker: bytes, request: CommitConfiguration, now: float) -> BusReply | None:
        """Begin a commit; None when the reply comes later."""
        head = self._store.head
        number = head.number if head else 0
        if self.attempt is not None:
            return _busy()
        if request.base != number:
            sentence = f"Commit {number} was made in the meantime."
            return Refusal(sentence, "type `rebase`, then commit again", head=number)
        if head and head.state == UNCONFIRMED and not request.is_back:
            remedy = "type `confirm` to keep it, or `rollback` to revert it"
            return Refusal(f"Commit {head.number} by {head.user} is not confirmed yet.", remedy)
        text, id_ = without_passwords(request.text), ""
        if self.cluster is not None:
            if refusal := self.cluster.read_only():
                return refusal
            id_ = self.cluster.new_id()
        attempt = Attempt(
            asker, text, request.user, request.comment, request.confirm_s, request.file_text, request.base, id_
        )
        return self.begin(attempt, now)

    def confirm(self, asker: bytes, user: str, now: float) -> BusReply | None:
        """Keep the head; None when the reply comes later."""
        if self.attempt is not None:
            # The head may be about to be reverted.
            return _busy()
        head = self._store.head
        if head is None or head.state != UNCONFIRMED:
            return Refusal("No commit is waiting for confirmation.", "see `show configuration history`")
        if self.cluster is not None:
            return self.cluster.confirm(asker, user, head.number, now)
        try:
            self._store.confirm()
        except CommitFailed as fault:
            self.fault = str(fault)
            return Refusal(self.fault, "free disk space, then confirm again")
        self.fault = ""
        self._node.log(f"Commit {head.number} confirmed by {user}.")
        return Confirmed(head.number)

    # -- one attempt ---------------------------------------------------------------------------------

    def begin(self, attempt: Attempt, now: float) -> Refusal | None:
        """Check it, open its sockets, have the workers prepare; the Refusal when that cannot be."""
        cluster = self._node.supporting.cluster
        try:
            wanted = parse_configuration(attempt.text)
            if cluster is not None:
                cluster.check(wanted)
                attempt.text_of_node = cluster.text_of_node(attempt.text)
                wanted = parse_configuration(attempt.text_of_node)
        except ConfigError as error:
            faults = [ConfigurationFault(**values) for values in error.as_values()]
            return Refusal("The configuration has faults.", "correct them", faults)
        if zone := clock.unknown_time_zone(time_zones_of(wanted)):
            return Refusal(f"Unknown time zone {zone}.", f"see {clock.ZONES} for valid names")
        if unusable := certificate_faults(wanted):
            faults = [ConfigurationFault(**values) for values in ConfigError(unusable).as_values()]
            return Refusal("A certificate cannot be used.", "correct the files", faults)
        node = self._node
        listeners = place(node.settings.listeners, wanted.listeners)
        attempt.sockets_before = self._sockets.workers
        virtual = virtual_ip_addresses(wanted)
        try:
            if node.supporting.snmp is not None:
                node.supporting.snmp.open_more(wanted.snmp.listen, virtual)
            self._sockets.grow(worker_count(wanted))
            opened = self._sockets.open_more(listeners, virtual)
        except (ListenFailed, SnmpSocketFailed) as fault:
            self._sockets.trim(attempt.sockets_before)
            self._close_snmp_sockets()
            return Refusal(str(fault), "choose another address or port")
        self._revision += 1
        self.attempt = attempt
        self._change = Reconfiguration(
            self._revision, attempt.text_of_node, with_places(wanted, listeners), opened, node.send_document, node.send
        )
        if sentence := too_many_sockets(opened):
            self._change.refusals.append(sentence)
        else:
            self._change.prepare(node.processes_to_prepare(), now)
        return None

    def told(self, worker: int, report: RolloutReport) -> None:
        """The report of a worker on its part in it."""
        if self._change is not None:
            self._change.told(worker, report)

    def died(self, worker: int, was_asked: bool) -> None:
        """The process of a worker is gone; `was_asked`: as it was asked to."""
        if self._change is not None:
            self._change.died(worker, was_asked)

    def tend(self, now: float) -> None:
        """Go on with what is under way; take back what was not confirmed in time."""
        if self.cluster is not None:
            self.cluster.take_in(now)
        self._go_on_or_revert(now)
        if self.cluster is not None:
            self.cluster.tell(now)

    def _go_on_or_revert(self, now: float) -> None:
        if self._change is not None:
            self._go_on(self._change, now)
        elif self._is_to_revert(now):
            self._revert(now)
        elif self.fault and now >= self._try_at:
            self._try_at = now + TRIAL_INTERVAL_S
            if self._store.can_keep():
                self.fault = ""

    def _go_on(self, change: Reconfiguration, now: float) -> None:
        for number in change.late(self._node.starting_workers(), now):
            self._node.end_worker(number, "did not apply a configuration", now)
        attempt = self.attempt
        assert attempt is not None
        if change.is_done:
            self._finish(attempt)
        elif attempt.number or change.is_abandoned:
            change.tell()
        elif change.refusals:
            self.give_up(Refusal(" ".join(change.refusals), "nothing was changed; see `show logging`"), now)
        elif change.is_prepared and (self.cluster is None or self.cluster.is_decided(attempt, now)):
            self._write_down(change, now)

    def give_up(self, refusal: Refusal, now: float) -> None:
        """Leave everything as it was; the asker gets the result when the workers have dropped it too."""
        attempt, change = self.attempt, self._change
        if attempt is None or change is None or attempt.number or change.is_abandoned:
            return
        change.abandon(self._node.processes_to_prepare(), now)
        self._sockets.close_some(change.opened)
        self._sockets.trim(attempt.sockets_before)
        self._close_snmp_sockets()
        attempt.reply = refusal
        self._node.log(f"Commit by {attempt.user} rejected: {refusal.sentence}")
        if self.cluster is not None:
            self.cluster.gave_up(attempt, refusal, now)

    def _close_snmp_sockets(self) -> None:
        """Close those that the configuration in force has not."""
        if self._node.supporting.snmp is not None:
            self._node.supporting.snmp.keep_only(self._node.settings.snmp.listen)

    def _write_down(self, change: Reconfiguration, now: float) -> None:
        attempt = self.attempt
        assert attempt is not None
        former_text = self._store.head.text if self._store.head else ""
        try:
            commit = self._kept(attempt)
            self._keep_file(attempt.file_text)
        except CommitFailed as fault:
            self.note_fault(fault, now)
            self.give_up(Refusal(self.fault, "free disk space, then commit again"), now)
            return
        self.fault = ""
        attempt.number = commit.number
        self._node.put_in_force(change.settings, attempt.text_of_node, commit.number, now)
        change.put_in_force(self._node.processes_to_prepare(), now)
        self._node.log(f"Commit {commit.number} by {attempt.user} is active{_until(attempt.confirm_s)}.")
        attempt.reply = Committed(commit.number, _effects(former_text, attempt.text))

    def _kept(self, attempt: Attempt) -> Commit:
        """The commit, on the disk. Raises CommitFailed."""
        if attempt.decided is not None:
            self._store.take_head(attempt.decided)
            return attempt.decided
        wall_time = clock.wall_time()
        confirm_by = wall_time + attempt.confirm_s if attempt.confirm_s else 0.0
        source = checksum(attempt.file_text) if attempt.file_text else ""
        return self._store.add(attempt.text, attempt.user, attempt.comment, wall_time, confirm_by, source)

    def _keep_file(self, file_text: str) -> None:
        """Without it the next change of the file is taken in whole: no reason to refuse a commit that is kept."""
        if file_text:
            with suppress(OSError):
                self._store.keep_file(file_text)

    def note_fault(self, fault: CommitFailed, now: float) -> None:
        """A commit cannot be kept; it is tried again and again."""
        self.fault = str(fault)
        self._try_at = now + TRIAL_INTERVAL_S

    def _finish(self, attempt: Attempt) -> None:
        self.attempt = self._change = None
        if attempt.asker:
            self.reply(attempt.asker, attempt.reply)

    def reply(self, asker: bytes, reply: BusReply) -> None:
        """Answer a request that was made before."""
        self._node.reply(asker, reply)

    def log(self, sentence: str) -> None:
        """One sentence for the log."""
        self._node.log(sentence)

    # -- a commit that is not confirmed --------------------------------------------------------------

    def _is_to_revert(self, now: float) -> bool:
        head = self._store.head
        if self.cluster is not None or head is None or head.state != UNCONFIRMED or now < self._revert_at:
            # In a cluster whichever node is first reverts it.
            return False
        if self._unconfirmed[0] != head.number:
            # From here on the clock may be set: the time to confirm stays as long as it was announced.
            self._unconfirmed = (head.number, now + head.confirm_by - clock.wall_time())
        return now >= self._unconfirmed[1]

    def _revert(self, now: float) -> None:
        head = self._store.head
        former = self._store.before(head.number) if head else None
        # Should it fail, because the disk is full: again and again, while the alarm stands.
        self._revert_at = now + REVERT_RETRY_S
        if head is not None and former is not None:
            comment = f"commit {head.number} was not confirmed: reverted to commit {former.number}"
            refusal = self.begin(Attempt(b"", former.text, SYSTEM, comment), now)
            outcome = f"it cannot be reverted: {refusal.sentence}" if refusal else "it was reverted."
            self._node.log(f"Commit {head.number} was not confirmed in time; {outcome}")


def _until(confirm_s: float) -> str:
    return f"; it reverts in {confirm_s / 60:g} minutes unless it is confirmed" if confirm_s else ""


def _busy() -> Refusal:
    return Refusal("Another commit is in progress.", "try again in a moment")


def _effects(former_text: str, text: str) -> list[SettingChange]:
    """What each change takes. By the texts: settings in force also hold listeners that are on their way out."""
    try:
        former = parse_configuration(former_text)
    except ConfigError:
        # A commit of a newer version, which this one cannot read.
        return []
    return [SettingChange(**values) for values in effects_of(former, parse_configuration(text))]
