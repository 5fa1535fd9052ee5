"""The order to seal tokens with another key: a node alone carries it out, in a cluster it goes to the cluster process.

In both cases the new key is distributed to all workers first, and used when all have it. A node alone keeps its keys in
the state folder; a start finds them there, and goes on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appliance import clock
from appliance.messages.bus_messages import BusReply, Refusal
from appliance.messages.sealing_keys import SEALING_KEY_LEN, RotationRefused, SealingKeys
from appliance.messages.sealing_messages import RotateSealingKey, RotationAsked, RotationEnded
from appliance.messages.supervisor_requests import Done
from appliance.storage.sealing_key_file import sealing_keys_path, write_sealing_keys
from appliance.supervisor.cluster_orders import SEE, Reply
from appliance.supervisor.coordination_process import CoordinationProcess
from appliance.supervisor.sealing_key_rollout import SealingKeyRollout

ANSWER_TIMEOUT_S: Final = 10.0


class KeyRotation:
    """Call `tend` in every cycle. `coordination`: the cluster process, None for a node in no cluster."""

    def __init__(
        self,
        rollout: SealingKeyRollout,
        state_dir: Path,
        key: bytes,
        coordination: CoordinationProcess | None,
        reply: Reply,
        log: Callable[[str], None],
    ) -> None:
        self.rollout = rollout
        self._state_dir = state_dir
        self._key = key
        self._coordination = coordination
        self._reply = reply
        self._log = log
        self._number = 0
        self._asker: tuple[bytes, str, float] | None = None
        """Who waits for the reply of the cluster process, the user, and until when."""
        self._fault = ""
        if coordination is not None:
            coordination.sealing = rollout
            coordination.on_rotation = self._ended

    def execute(self, asker: bytes, request: RotateSealingKey, now: float) -> BusReply | None:
        """A reply, or None when it comes with that of the cluster process."""
        if self._coordination is None:
            return self._rotated(request)
        if fault := self._coordination.etcd_fault:
            return Refusal(f"The key cannot be rotated: {fault}", SEE)
        if self._asker is not None:
            return Refusal("Another order to rotate the key is being carried out.", "try again")
        self._number += 1
        if not self._coordination.send(RotationAsked(self._number, request.is_forced)):
            return Refusal("The cluster process is not reachable.", SEE)
        self._asker = asker, request.user, now + ANSWER_TIMEOUT_S
        return None

    def tend(self, now: float) -> None:
        """Tell workers that lack the keys; take the second step of a node alone; give up a reply that does not come."""
        rollout = self.rollout
        rollout.tend()
        if self._coordination is None and rollout.keys.next is not None and rollout.step_taken == rollout.keys.step:
            self._use_next()
        if self._asker is not None and now > self._asker[2]:
            self._answer(Refusal("Whether the key is being rotated is not known: etcd has not answered.", SEE))

    # -- in a cluster --------------------------------------------------------------------------------

    def _ended(self, ended: RotationEnded) -> None:
        if ended.number == self._number:
            self._answer(Done(ended.sentence) if ended.is_done else Refusal(ended.sentence, ended.remedy))

    def _answer(self, reply: BusReply) -> None:
        if self._asker is None:
            return
        (asker, user, _), self._asker = self._asker, None
        if isinstance(reply, Done):
            self._log(f"{reply.text} Ordered by {user}.")
        self._reply(asker, reply)

    # -- alone ---------------------------------------------------------------------------------------

    def _rotated(self, request: RotateSealingKey) -> BusReply:
        before = self.rollout.keys
        if request.is_forced:
            return Refusal("This node is in no cluster: there are no nodes to go on without.", "leave out `force`")
        try:
            self._keep(before.with_next(os.urandom(SEALING_KEY_LEN)))
        except RotationRefused as refusal:
            return Refusal(str(refusal), "wait until all workers have it; see `show workers`")
        except OSError as fault:
            return Refusal(self._unwritten(fault), "make room on the disk, or see to its rights")
        dropped = f" What key {before.other.number} has sealed opens no more." if before.other is not None else ""
        text = f"Key {before.in_use.number + 1} seals tokens as soon as all workers have it.{dropped}"
        self._log(f"{text} Ordered by {request.user}.")
        return Done(text)

    def _use_next(self) -> None:
        try:
            self._keep(self.rollout.keys.with_next_in_use(clock.wall_time()))
        except OSError as fault:
            if not self._fault:
                self._fault = self._unwritten(fault)
                self._log(self._fault)
            return
        self._fault = ""
        self._log(f"Key {self.rollout.keys.in_use.number} seals tokens from now on.")

    def _keep(self, keys: SealingKeys) -> None:
        write_sealing_keys(self._state_dir, self._key, keys)
        self.rollout.go_by(keys)

    def _unwritten(self, fault: OSError) -> str:
        return f"The file {sealing_keys_path(self._state_dir)} cannot be written: {fault.strerror}."
