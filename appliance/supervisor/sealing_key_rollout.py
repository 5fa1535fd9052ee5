"""The keys that seal tokens: sent to all workers of this node until each worker confirms that it uses them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from appliance.messages.bus_messages import BusMessage
from appliance.messages.sealing_keys import SealingKeys
from appliance.messages.sealing_messages import SealingKeysChanged

Send = Callable[[int, Sequence[BusMessage]], bool]


class SealingKeyRollout:
    """`keys` are those that workers are started with. Call `tend` in every cycle."""

    def __init__(self, keys: SealingKeys, send: Send, start_with: Callable[[SealingKeys], None]) -> None:
        """`send`: a batch for a worker; `start_with`: start workers with other keys from now on."""
        self.keys = keys
        self._send = send
        self._start_with = start_with
        self._taken: dict[int, int] = {}

    @property
    def step_taken(self) -> int:
        """The step that all workers go by."""
        return min(self._taken.values(), default=self.keys.step)

    def go_by(self, keys: SealingKeys) -> None:
        """Have all workers use newer keys."""
        if keys.step > self.keys.step:
            self.keys = keys
            self._start_with(keys)
            self.tend()

    def started(self, worker: int) -> None:
        """A worker was started, with the keys of now."""
        self._taken[worker] = self.keys.step

    def forget(self, worker: int) -> None:
        """A worker has ended."""
        self._taken.pop(worker, None)

    def taken(self, worker: int, step: int) -> None:
        """A worker goes by the keys of this step."""
        if worker in self._taken:
            self._taken[worker] = max(self._taken[worker], step)

    def tend(self) -> None:
        """Tell those that have not said that they have them."""
        for worker, step in self._taken.items():
            if step < self.keys.step:
                self._send(worker, [SealingKeysChanged(self.keys)])
