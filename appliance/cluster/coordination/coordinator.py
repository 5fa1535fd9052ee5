"""The work of the cluster process: follow etcd, keep the cluster file, be present, record take-overs, look at etcd.

One turn after the other, each bounded by the deadlines of its calls. While etcd is away, what was known stays in
force and what has to be written waits.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from appliance import clock
from appliance.catalogue.alarms import (
    CLOCK_APART,
    ETCD_CERTIFICATE_EXPIRES,
    ETCD_DEGRADED,
    ETCD_UNAVAILABLE,
    KEY_ROTATION_STALLED,
    Condition,
)
from appliance.catalogue.cluster_status import ClusterStatus
from appliance.cluster.coordination.certificate_end import end_of_certificate
from appliance.cluster.coordination.cluster_commits import ClusterCommits
from appliance.cluster.coordination.cluster_records import ClusterRecord, MembershipRecord, RecordUnusable
from appliance.cluster.coordination.etcd_health import EtcdHealth
from appliance.cluster.coordination.key_store import KeyStore, Put, StoreFault, StoreRefused, StoreUnavailable
from appliance.cluster.coordination.keys import ClusterKeys
from appliance.cluster.coordination.member_statuses import member_statuses
from appliance.cluster.coordination.prefix_view import PrefixView
from appliance.cluster.coordination.presence import ClockDifferences, Presence, PresenceKey
from appliance.cluster.coordination.sealing_key_rotation import SealingKeyRotation
from appliance.cluster.coordination.take_over_records import (
    WAITING_MAX,
    TakeOverQueue,
    epochs_in,
    rows_in,
    transaction_for,
)
from appliance.cluster.coordination.versions_in_force import version_in
from appliance.messages.cluster_messages import ClusterReport, TakeOver, TakeOverHistory, TakeOverKey
from appliance.messages.membership import Membership
from appliance.storage.cluster_file import ClusterFile, cluster_path, write_cluster
from appliance.storage.commits import CommitStore, commits_path

PAUSE_S: Final = 0.5
"""After an attempt without success."""
SHORT_WAIT_S: Final = 0.05
"""While there is something to write."""
DAY_S: Final = 86400.0
EXPIRES_SOON_DAYS: Final = 30

log = logging.getLogger("signalbox.cluster")


class Coordinator:
    """One member's view of its cluster. `work` is called by one thread; others may call `note` and `recorded`."""

    def __init__(
        self,
        store: KeyStore,
        known: ClusterFile,
        state_dir: Path,
        version: str,
        now: Callable[[], float] = clock.monotonic,
        wall_time: Callable[[], float] = clock.wall_time,
    ) -> None:
        self.known = known
        self.is_member = True
        self.report = ClusterReport(ClusterStatus(known.name, known.member.name, known.membership.version), True)
        """What the supervisor is told again and again."""
        self.history = TakeOverHistory([])
        """Another object whenever it has changed."""
        self._store = store
        self._state_dir = state_dir
        self._now, self._wall_time = now, wall_time
        self._keys = ClusterKeys(known.name)
        self._view = PrefixView(store, self._keys.prefix)
        self._presence = PresenceKey(store, self._keys, known.me, version, wall_time())
        self._clocks = ClockDifferences()
        self._take_overs = TakeOverQueue()
        self._arrived: deque[TakeOver] = deque(maxlen=WAITING_MAX)
        self._recorded: deque[TakeOverKey] = deque(maxlen=WAITING_MAX)
        self._etcd = EtcdHealth(store, len(known.etcd.urls), now())
        self.commits = ClusterCommits(store, self._keys, known.me, lambda: CommitStore(commits_path(state_dir)).all())
        self.sealing = SealingKeyRotation(store, self._keys, state_dir, known.key)
        self.version_in_force = 0
        """Of the members, as the lease process of this node goes by it; 0 for unknown."""
        self._fault = ""
        """What etcd holds and cannot be taken; a sentence."""

    def note(self, take_over: TakeOver) -> None:
        """Have a take-over recorded."""
        self._arrived.append(take_over)

    def recorded(self) -> list[TakeOverKey]:
        """What etcd has got since the last call. The supervisor repeats what it was not told."""
        return [self._recorded.popleft() for _ in range(len(self._recorded))]

    def close(self) -> None:
        """This member stops."""
        try:
            self._presence.end()
        except StoreFault as fault:
            log.info("the presence of this member ends later: %s", fault)
        self._view.close()
        self._store.close()

    def work(self, wait_s: float) -> float:
        """One turn: wait for changes in etcd for so long at most. Returns the seconds to wait before the next one."""
        while self._arrived:
            self._take_overs.add(self._arrived.popleft())
        try:
            self._follow(wait_s)
            self._etcd.answered(self._now())
            pause_s = 0.0
        except StoreUnavailable as fault:
            self._etcd.failed(str(fault), self._now())
            self.commits.unavailable(str(fault))
            self.sealing.unavailable(str(fault))
            pause_s = PAUSE_S
        except StoreRefused as fault:
            self._etcd.refused(str(fault), self._now())
            self.sealing.unavailable(str(fault))
            pause_s = PAUSE_S
        self._etcd.tend(self._now())
        self.report = self._made_report()
        return pause_s

    def _follow(self, wait_s: float) -> None:
        is_busy = self._take_overs or self.commits.is_busy or self.sealing.is_busy
        changed = self._view.refresh(min(wait_s, SHORT_WAIT_S) if is_busy else wait_s)
        if changed or self._fault:
            self._take_in(changed)
        self._presence.tend(self._now(), self._wall_time(), self.commits.commit_here, self.sealing.step_here)
        self._say_version_in_force()
        self._record_take_overs()
        if not self._fault and self.is_member:
            members, me = self.known.membership, self.known.me
            self.sealing.work(self._view.entries, members, me, self._now(), self._wall_time())
        if not self._fault:
            self.commits.work(self._view.entries, self.known.membership, self._now(), self._wall_time())
        self._etcd.took_changes()

    # -- what etcd says ----------------------------------------------------------------------------------

    def _take_in(self, changed: set[str]) -> None:
        if self._fault or changed & {self._keys.membership, self._keys.cluster} or any(map(self._is_epoch, changed)):
            self._take_membership()
        for key in changed:
            self._note_presence(key)
        if any(key.startswith(self._keys.take_overs) for key in changed):
            self.history = TakeOverHistory(rows_in(self._view.entries, self._keys))

    def _is_epoch(self, key: str) -> bool:
        return key.startswith(self._keys.epochs)

    def _take_membership(self) -> None:
        entries = self._view.entries
        try:
            cluster = ClusterRecord.from_octets(entries[self._keys.cluster].value)
            record = MembershipRecord.from_octets(entries[self._keys.membership].value)
        except KeyError:
            self._set_fault(f"etcd holds no cluster {self.known.name} any more; its members go on with what they know.")
            return
        except RecordUnusable as fault:
            self._set_fault(str(fault))
            return
        self._set_fault(self._fault_of(cluster, record) or self._taken(record))

    def _fault_of(self, cluster: ClusterRecord, record: MembershipRecord) -> str:
        """Why the records are not those of this cluster as it is now; "" for nothing."""
        ours, theirs = self.known.membership, record.membership
        if cluster.key_hex != self.known.key_hex:
            return f"etcd holds another cluster of the name {self.known.name}; this node is no member of it."
        if theirs.version < ours.version or (theirs.version == ours.version and theirs.members != ours.members):
            return (
                f"etcd holds version {theirs.version} of the membership, and this node knows version {ours.version}: "
                "etcd was put back from a backup. Remove a member and add it again to have a newer version."
            )
        return ""

    def _taken(self, record: MembershipRecord) -> str:
        """Go by the record; a sentence when the cluster file cannot be written, and it is tried again."""
        membership = record.membership
        try:
            if self.known.me in membership.numbers:
                self._keep(membership)
            else:
                self._leave(membership.version)
        except OSError as fault:
            return f"The file {cluster_path(self._state_dir)} cannot be written: {fault.strerror}."
        return ""

    def _keep(self, membership: Membership) -> None:
        known = replace(self.known, membership=membership, epochs=epochs_in(self._view.entries, self._keys))
        if known == self.known:
            return
        write_cluster(self._state_dir, known)
        if membership != self.known.membership:
            names = ", ".join(member.name for member in membership.members)
            log.warning("the cluster has version %d of its membership: %s", membership.version, names)
        self.known = known

    def _say_version_in_force(self) -> None:
        """It stays in etcd when this member is away: then it may still go by that version."""
        key, version = self._keys.version_in_force(self.known.me), self.version_in_force
        if version and self.is_member and version != version_in(self._view.entries.get(key)):
            self._store.commit([], [Put(key, str(version).encode())])

    def _leave(self, version: int) -> None:
        path = cluster_path(self._state_dir)
        path.replace(path.with_name(f"{path.name}.removed"))
        self.is_member = False
        log.warning("this node was removed from the cluster %s, by version %d of its members", self.known.name, version)

    def _set_fault(self, sentence: str) -> None:
        if sentence and sentence != self._fault:
            log.error("%s", sentence)
        self._fault = sentence

    def _note_presence(self, key: str) -> None:
        number, entry = key.removeprefix(self._keys.presences), self._view.entries.get(key)
        if number == key or not number.isdecimal() or entry is None or int(number) == self.known.me:
            return
        presence = Presence.from_octets(entry.value)
        if presence is not None:
            self._clocks.told(int(number), presence.wall_time, self._wall_time())

    # -- take-overs --------------------------------------------------------------------------------------

    def _record_take_overs(self) -> None:
        """The first one that waits; the conditions of the next one depend upon what this one writes."""
        names = {member.number: member.name for member in self.known.membership.members}
        for take_over in self._take_overs:
            conditions, writes = transaction_for(take_over, names, self._view.entries, self._keys)
            # Where a condition does not hold, the view is behind; the next turn knows more.
            if writes and not self._store.commit(conditions, writes):
                return
            recorded = TakeOverKey(take_over.address, take_over.epoch)
            self._take_overs.remove(recorded)
            self._recorded.append(recorded)
            if writes:
                return

    # -- what the supervisor is told ---------------------------------------------------------------------

    def _made_report(self) -> ClusterReport:
        entries, membership = self._view.entries, self.known.membership
        is_known = self._view.is_read and not self._etcd.fault
        members = member_statuses(membership, self.known.me, entries, self._keys, self._clocks, is_known)
        self._clocks.forget_but({member.number for member in members if member.version})
        status = ClusterStatus(
            name=self.known.name,
            node=self.known.member.name,
            membership=membership.version,
            etcd=self._etcd.sentence(),
            unrecorded=len(self._take_overs),
            sealing_key=self.sealing.held.in_use.number,
            sealing_key_since=self.sealing.held.since,
            sealing_key_waits_for=self.sealing.waits_for,
            members=members,
            etcd_servers=self._etcd.servers(),
        )
        fault, step = self._fault or self._etcd.trouble, self.sealing.held.step if self.sealing.is_read else -1
        return ClusterReport(status, self.is_member, list(self._alarms()), fault, step)

    def _certificate_remark(self) -> str:
        """That the certificate for etcd ends soon, has ended, or cannot be read; "" for nothing."""
        path = self.known.etcd.certificate
        if not path:
            return ""
        try:
            end = end_of_certificate(Path(path).read_text())
        except (OSError, ValueError) as fault:
            return f"The certificate for etcd, {path}, cannot be read: {fault}."
        days = (end - self._wall_time()) / DAY_S
        if days > EXPIRES_SOON_DAYS:
            return ""
        return f"The certificate for etcd, {path}, " + ("has expired." if days < 0 else f"expires in {days:.0f} days.")

    def _alarms(self) -> Iterator[Condition]:
        if remark := self._certificate_remark():
            yield Condition(ETCD_CERTIFICATE_EXPIRES, "etcd", remark)
        if self._etcd.is_unavailable(self._now()):
            yield Condition(ETCD_UNAVAILABLE, "etcd", self._etcd.sentence())
        if self._fault:
            yield Condition(ETCD_DEGRADED, "membership", self._fault)
        if self.sealing.fault:
            yield Condition(ETCD_DEGRADED, "sealing", self.sealing.fault)
        for name in self.sealing.stalled:
            sentence = f"{name} has not taken the keys that seal tokens, step {self.sealing.held.step}."
            yield Condition(KEY_ROTATION_STALLED, name, sentence)
        if self.commits.faults:
            yield Condition(ETCD_DEGRADED, "configuration", self.commits.faults[0])
        yield from (Condition(ETCD_DEGRADED, subject, sentence) for subject, sentence in self._etcd.remarks())
        for member in self.known.membership.members:
            difference = self._clocks.of(member.number)
            if difference is not None and self._clocks.is_apart(member.number):
                word = "ahead of" if difference > 0 else "behind"
                sentence = f"The clock of {member.name} is {abs(difference):.1f} s {word} that of this node."
                yield Condition(CLOCK_APART, member.name, sentence)
