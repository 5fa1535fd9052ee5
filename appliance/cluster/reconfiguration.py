"""A configuration put in force on all workers of a node, or on none.

    prepare:     every process gets the text, its places and its new sockets by its door, reads and checks it, and says
                 so. One that refuses, dies or is late ends the attempt: nothing has changed anywhere.
    take effect: whoever has prepared is told, and says when it is done. From here there is no way back; who does not
                 follow is ended and starts anew, with the new configuration.

Between the two the configuration is written down, so that a restart of everything finds it.

Knows nothing of commits, and of what a worker does with its part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from appliance.catalogue.places import names_of
from appliance.catalogue.settings import Settings
from appliance.cluster.sockets import Group
from appliance.launch import FDS_MAX
from appliance.state.messages import Asked, BusMessage

PREPARE_TIMEOUT_S: Final = 10.0
EFFECT_TIMEOUT_S: Final = 5.0
PREPARE: Final = "prepare"
TAKE_EFFECT: Final = "take effect"
ABANDON: Final = "abandon"
LET_GO: Final = "let go"

SendDocument = Callable[[int, dict[str, Any], Sequence[int]], None]
Send = Callable[[int, Sequence[BusMessage]], bool]


@dataclass(slots=True)
class Reconfiguration:
    """One attempt. `settings` have their listeners at their places; `opened` are sockets of this attempt."""

    revision: int
    text: str
    settings: Settings
    opened: list[Group]
    send_document: SendDocument
    send: Send
    refusals: list[str] = field(default_factory=list)
    """A sentence for each worker that has not prepared, and never will."""
    _waited_for: set[int] = field(default_factory=set)
    _untold: set[int] = field(default_factory=set)
    _deadline: float = 0.0
    _is_in_force: bool = False

    @property
    def is_prepared(self) -> bool:
        """Has everybody prepared?"""
        return not self._waited_for and not self.refusals

    def prepare(self, workers: Iterable[int], now: float) -> None:
        """Pass the new configuration to every process."""
        self._deadline = now + PREPARE_TIMEOUT_S
        for number in workers:
            self._waited_for.add(number)
            ours = [group for group in self.opened if group.fd_of(number) >= 0]
            document = {
                "revision": self.revision,
                "config_text": self.text,
                "places": names_of(self.settings.listeners),
                "sockets": [[group.endpoint.listener, group.endpoint.transport] for group in ours],
            }
            try:
                self.send_document(number, document, [group.fd_of(number) for group in ours])
            except OSError as fault:
                self.refusals.append(f"Worker {number} could not be reached: {fault.strerror or fault}.")

    def told(self, worker: int, report: dict[str, Any]) -> None:
        """What a worker says of its part."""
        if report.get("revision") != self.revision or worker not in self._waited_for:
            return
        self._waited_for.discard(worker)
        fault = str(report.get("fault", ""))
        if fault and not self._is_in_force:
            self.refusals.append(f"Worker {worker} refuses it: {fault}.")

    def died(self, worker: int) -> None:
        """A process is gone: before the effect that is a refusal, after it the next one knows better."""
        if worker in self._waited_for and not self._is_in_force:
            self.refusals.append(f"Worker {worker} died while it prepared.")
        self._waited_for.discard(worker)
        self._untold.discard(worker)

    def abandon(self, workers: Iterable[int]) -> None:
        """Nothing comes of it."""
        for number in workers:
            self.send(number, [Asked(self.revision, ABANDON, {})])

    def put_in_force(self, workers: Iterable[int], now: float) -> None:
        """Let everybody who has prepared go by it from now on."""
        self._is_in_force = True
        self._waited_for = set(workers)
        self._untold = set(self._waited_for)
        self._deadline = now + EFFECT_TIMEOUT_S
        self.tell()

    def tell(self) -> None:
        """Tell those again that the bus had no room for."""
        for number in sorted(self._untold):
            if self.send(number, [Asked(self.revision, TAKE_EFFECT, {})]):
                self._untold.discard(number)

    @property
    def is_done(self) -> bool:
        """Does everybody go by it?"""
        return self._is_in_force and not self._waited_for

    def late(self, now: float) -> list[int]:
        """Those who have not answered in time, once."""
        if now < self._deadline or not self._waited_for:
            return []
        late, self._waited_for = sorted(self._waited_for), set()
        if not self._is_in_force:
            self.refusals += [f"Worker {number} did not prepare within {PREPARE_TIMEOUT_S:g} s." for number in late]
            return []
        return late


def too_many_sockets(opened: Sequence[Group]) -> str:
    """A sentence when one commit opens more than can be passed on; "" otherwise."""
    if len(opened) <= FDS_MAX:
        return ""
    return f"{len(opened)} listeners and transports are added at once, and {FDS_MAX} can be: take several commits."
