"""The keys that seal tokens, as the cluster has them in etcd: distributed to all nodes first, then used.

A new key is written to etcd as the next one. Each cluster process writes it to its state folder, the supervisor tells
the workers, and when all of them have it the presence of the node says so. As soon as all nodes that live have said it,
whichever cluster process of a node sees it first puts the key in use, by one transaction. So a rotation goes on when
the node that it was ordered at dies, and no node gets a token that it cannot open. A node lives when it is present in
etcd, or when this node has a link to it; a node that has just started has no links yet, and a witness never has any. A
node that was away takes the keys at its return. The next rotation begins when all have taken the step before.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from appliance.cluster.coordination.key_store import ABSENT, Entry, KeyStore, Put, Unchanged
from appliance.cluster.coordination.keys import ClusterKeys
from appliance.cluster.coordination.presence import Presence
from appliance.messages.membership import Membership
from appliance.messages.sealing_keys import SEALING_KEY_LEN, RotationRefused, SealingKeys, first_keys
from appliance.messages.sealing_messages import RotationAsked, RotationEnded, SealingState
from appliance.storage.sealing_key_file import (
    SealingKeysDamaged,
    read_sealing_keys,
    sealing_keys_path,
    write_sealing_keys,
)

ASKED_MAX: Final = 8
LINKS_UP_S: Final = 30.0
"""So long after its start this node has links to all nodes that live."""
STALLED_S: Final = 60.0
"""A node that has not taken a step for so long does not take it by itself."""
SEE: Final = "see `show cluster`"

log = logging.getLogger("signalbox.cluster")


class SealingKeyRotation:
    """Call `work` after each look at etcd, by one thread; others may call `heard`, `ask` and `ended`."""

    def __init__(self, store: KeyStore, keys: ClusterKeys, state_dir: Path, cluster_key: bytes) -> None:
        self.held = _held_in(state_dir, cluster_key)
        """Those in the state folder."""
        self.fault = ""
        """What etcd holds and cannot be understood, or why the file cannot be written."""
        self.waits_for: list[str] = []
        """The nodes that have not got the key yet which is being distributed, as far as that is known."""
        self.stalled: list[str] = []
        """Those of them that are waited for longer than they should."""
        self.is_read = False
        """Is it known what etcd holds?"""
        self._store, self._key = store, keys.sealing
        self._keys = keys
        self._state_dir, self._cluster_key = state_dir, cluster_key
        self._state = SealingState(-1)
        self._since = float("inf")
        # By (step, node): since when it is waited for.
        self._waited_since: dict[tuple[int, str], float] = {}
        self._asked: deque[RotationAsked] = deque(maxlen=ASKED_MAX)
        self._ended: deque[RotationEnded] = deque(maxlen=ASKED_MAX)

    # -- the supervisor ----------------------------------------------------------------------------------

    def heard(self, state: SealingState) -> None:
        """What the workers of this node have, and which nodes are linked."""
        self._state = state

    def ask(self, asked: RotationAsked) -> None:
        """An operator wants another key."""
        self._asked.append(asked)

    def ended(self) -> list[RotationEnded]:
        """What has come of it."""
        return [self._ended.popleft() for _ in range(len(self._ended))]

    @property
    def step_here(self) -> int:
        """The step that all workers of this node go by; -1 while that is not known."""
        return self._state.step

    @property
    def is_busy(self) -> bool:
        """Is there something to be done soon?"""
        return bool(self._asked) or self.held.next is not None

    # -- etcd --------------------------------------------------------------------------------------------

    def work(
        self, entries: Mapping[str, Entry], membership: Membership, me: int, now: float, wall_time: float
    ) -> None:
        """Take the keys in that etcd holds, then the next step. Raises StoreUnavailable and StoreRefused."""
        stored = self._stored(entries.get(self._key))
        if stored is None:
            return
        is_witness = membership.member(me).is_witness
        if not is_witness:
            self._take_in(stored)
        self.is_read = True
        if self._state.step >= 0:
            self._since = min(self._since, now)
        self.waits_for = self._missing(stored.step, entries, membership, now)
        self._note_stalled(stored.step, now)
        if self._asked:
            self._obey(stored, entries, wall_time)
        elif stored.next is not None and not self.waits_for and not is_witness:
            self._write(stored.with_next_in_use(wall_time), entries)

    def unavailable(self, sentence: str) -> None:
        """etcd does not answer, or refuses: nothing was done, and nothing shall be done later that was asked now."""
        while self._asked:
            self._ended.append(RotationEnded(self._asked.popleft().number, False, sentence, SEE))

    def _stored(self, entry: Entry | None) -> SealingKeys | None:
        """What etcd holds; None for what cannot be understood."""
        try:
            stored = first_keys(self._cluster_key) if entry is None else SealingKeys.from_text(entry.value)
        except ValueError as fault:
            self.fault = f"The sealing keys of the cluster in etcd cannot be used: {fault}."
            return None
        self.fault = ""
        return stored

    def _take_in(self, stored: SealingKeys) -> None:
        # Fewer steps: etcd was put back from a backup. What all nodes have is the newer.
        if stored.step <= self.held.step:
            return
        try:
            write_sealing_keys(self._state_dir, self._cluster_key, stored)
        except OSError as fault:
            self.fault = f"The file {sealing_keys_path(self._state_dir)} cannot be written: {fault.strerror}."
            return
        self.held = stored
        doing = f"key {stored.next.number} opens as well" if stored.next else "the former one opens as well"
        log.info("key %d seals tokens, %s", stored.in_use.number, doing)

    def _missing(
        self, step: int, entries: Mapping[str, Entry], membership: Membership, now: float
    ) -> list[str]:
        """The nodes that live, or may, and have not taken a step: none where there never was one."""
        missing: list[str] = []
        if not step:
            return missing
        has_links = now >= self._since + LINKS_UP_S
        for member in membership.members:
            entry = entries.get(self._keys.presence(member.number))
            is_alive = entry is not None or not has_links or member.number in self._state.linked
            presence = None if entry is None else Presence.from_octets(entry.value)
            if is_alive and not member.is_witness and (presence is None or presence.sealing_step < step):
                missing.append(member.name)
        return missing

    def _note_stalled(self, step: int, now: float) -> None:
        former = self._waited_since
        self._waited_since = {(step, name): former.get((step, name), now) for name in self.waits_for}
        self.stalled = [name for (_, name), since in self._waited_since.items() if now - since >= STALLED_S]

    def _obey(self, stored: SealingKeys, entries: Mapping[str, Entry], wall_time: float) -> None:
        """The order that waits longest. It is tried anew where another node has changed the keys meanwhile."""
        asked = self._asked[0]
        try:
            wanted, sentence = self._wanted(stored, asked.is_forced, wall_time)
        except RotationRefused as refusal:
            self._asked.popleft()
            sentence = f"{refusal}{self._waiting_text()}"
            self._ended.append(RotationEnded(asked.number, False, sentence, refusal.remedy))
            return
        if wanted.step <= self.held.step:
            self._asked.popleft()
            sentence = "etcd was put back from a backup: it holds older sealing keys than the nodes."
            self._ended.append(RotationEnded(asked.number, False, sentence, SEE))
        elif self._write(wanted, entries):
            self._asked.popleft()
            self._ended.append(RotationEnded(asked.number, True, sentence))

    def _wanted(self, stored: SealingKeys, is_forced: bool, wall_time: float) -> tuple[SealingKeys, str]:
        if is_forced:
            # Where the rotation ended while it was typed, it shall not begin another one.
            wanted = stored.with_next_in_use(wall_time)
            without = f" {', '.join(self.waits_for)} cannot open what it seals yet." if self.waits_for else ""
            return wanted, f"Key {wanted.in_use.number} seals tokens from now on.{without}"
        wanted = stored.with_next(os.urandom(SEALING_KEY_LEN))
        if self.waits_for:
            sentence = f"Key {stored.in_use.number} is not in use on all nodes yet."
            raise RotationRefused(sentence, "wait for them, or stop those that cannot be repaired")
        return wanted, distribution_text(stored)

    def _waiting_text(self) -> str:
        return f" These nodes have not got it yet: {', '.join(self.waits_for)}." if self.waits_for else ""

    def _write(self, keys: SealingKeys, entries: Mapping[str, Entry]) -> bool:
        entry = entries.get(self._key)
        conditions = [Unchanged(self._key, ABSENT if entry is None else entry.revision)]
        return self._store.commit(conditions, [Put(self._key, keys.to_text().encode())])


def _held_in(state_dir: Path, cluster_key: bytes) -> SealingKeys:
    """The keys of the state folder. Damaged ones are as good as none: those of etcd are written over them."""
    try:
        return read_sealing_keys(state_dir, cluster_key)
    except SealingKeysDamaged as damage:
        log.warning("%s It is written anew.", damage)
        return first_keys(cluster_key)


def distribution_text(before: SealingKeys) -> str:
    """What an operator is told when a new key is made."""
    number = before.in_use.number + 1
    text = f"Key {number} is being distributed; it seals tokens as soon as all workers of all nodes have it."
    if before.other is not None:
        text += f" What key {before.other.number} has sealed opens no more."
    return text
