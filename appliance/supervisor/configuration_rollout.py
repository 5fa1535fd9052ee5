"""A configuration put in force on all workers of a node, or on none.

    prepare:     every process gets the text, its places and its new sockets by its door, checks it, and reports.
                 One that refuses, ends or is late ends the attempt: nothing has changed anywhere. One that starts
                 reads its door when it runs, and is waited for. One that was asked to end is not waited for.
    take effect: sent to each that has prepared; it reports when it is done. From here there is no way back; one that
                 does not follow is ended and starts anew, with the new configuration.
    abandon:     instead of the second. Each worker reports when the new sockets are closed: only then can
                 another attempt open them again.

Between the first two the configuration is written down, so that a restart of everything finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from appliance.catalogue.listener_ids import names_of
from appliance.catalogue.settings import Settings
from appliance.ipc.launch_document import FDS_MAX
from appliance.messages.bus_messages import (
    Abandon,
    Abandoned,
    BusMessage,
    Prepared,
    RolloutReport,
    TakeEffect,
    TookEffect,
)
from appliance.supervisor.listening_sockets import Group

PREPARE_TIMEOUT_S: Final = 10.0
START_TIMEOUT_S: Final = 30.0
"""A worker that starts is waited for no longer than this: an operator waits too."""
EFFECT_TIMEOUT_S: Final = 5.0
ABANDON_TIMEOUT_S: Final = 2.0

Order = type[TakeEffect] | type[Abandon]
# The report of a worker that has executed an order; None is to prepare.
_REPORTS: Final[dict[Order | None, type[RolloutReport]]] = {
    None: Prepared,
    TakeEffect: TookEffect,
    Abandon: Abandoned,
}

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
    _starts_end_at: float = 0.0
    """The deadline of a worker that starts."""
    _order: Order | None = None
    """The order that was sent last; None while it is prepared."""

    @property
    def is_prepared(self) -> bool:
        """Have all workers prepared?"""
        return self._order is None and not self._waited_for and not self.refusals

    def prepare(self, workers: Iterable[int], now: float) -> None:
        """Pass the new configuration to every process."""
        self._deadline, self._starts_end_at = now + PREPARE_TIMEOUT_S, now + START_TIMEOUT_S
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
            except BrokenPipeError:
                # It has ended, as after a drain; its successor starts with what is in force by then.
                self._waited_for.discard(number)
            except OSError as fault:
                self.refusals.append(f"Worker {number} is not reachable: {fault.strerror or fault}.")

    def told(self, worker: int, report: RolloutReport) -> None:
        """The report of a worker: it has prepared, or has executed the order."""
        if report.revision != self.revision or type(report) is not _REPORTS[self._order]:
            return
        if isinstance(report, Prepared) and report.fault and worker in self._waited_for:
            self.refusals.append(f"Worker {worker} rejected the configuration: {report.fault}.")
        self._waited_for.discard(worker)

    def died(self, worker: int, was_asked: bool) -> None:
        """A process is gone. Before the effect that is a refusal, unless it was asked to end.

        The next one starts with what is in force by then.
        """
        if worker in self._waited_for and self._order is None and not was_asked:
            self.refusals.append(f"Worker {worker} exited while it prepared the configuration.")
        self._waited_for.discard(worker)
        self._untold.discard(worker)

    def abandon(self, workers: Iterable[int], now: float) -> None:
        """End the attempt: all workers close the sockets that came with it."""
        self._pass(Abandon, workers, now + ABANDON_TIMEOUT_S)

    def put_in_force(self, workers: Iterable[int], now: float) -> None:
        """All workers that have prepared use it from now on."""
        self._pass(TakeEffect, workers, now + EFFECT_TIMEOUT_S)

    def _pass(self, order: Order, workers: Iterable[int], deadline: float) -> None:
        self._order = order
        self._waited_for = set(workers)
        self._untold = set(self._waited_for)
        self._deadline = deadline
        self.tell()

    def tell(self) -> None:
        """Send the order again to those for which the bus had no room."""
        if self._order is None:
            return
        for number in sorted(self._untold):
            if self.send(number, [self._order(self.revision)]):
                self._untold.discard(number)

    @property
    def is_abandoned(self) -> bool:
        """Will nothing come of it?"""
        return self._order is Abandon

    @property
    def is_done(self) -> bool:
        """Has each worker executed the order, or been given up?"""
        return self._order is not None and not self._waited_for

    def late(self, starting: Collection[int], now: float) -> list[int]:
        """The workers that have not executed the order in time, once. `starting`: those that are not live yet."""
        is_starting = self._order is None and not self._waited_for.isdisjoint(starting)
        if is_starting and now < self._starts_end_at:
            # Its time to prepare begins when it runs.
            self._deadline = now + PREPARE_TIMEOUT_S
        elif is_starting:
            self._deadline = now
        if now < self._deadline or not self._waited_for:
            return []
        late, self._waited_for = sorted(self._waited_for), set()
        if self._order is None:
            self.refusals += [_late_sentence(number, number in starting) for number in late]
        return late if self._order is TakeEffect else []


def _late_sentence(number: int, is_starting: bool) -> str:
    if is_starting:
        return f"Worker {number} was still starting after {START_TIMEOUT_S:g} s."
    return f"Worker {number} was not ready within {PREPARE_TIMEOUT_S:g} s."


def too_many_sockets(opened: Sequence[Group]) -> str:
    """A sentence when one commit opens more than can be passed on; "" otherwise."""
    if len(opened) <= FDS_MAX:
        return ""
    return f"{len(opened)} sockets are added at once; the maximum is {FDS_MAX}. Use several commits."
