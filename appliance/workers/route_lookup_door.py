"""The lookups of a worker, in a thread with an event loop of its own: no call waits while an answer is read.

Thread and lookups are made when the first question is asked. The clients (appliance/lookups/) bound the time of an
answer; this door gives up a moment later, should the thread itself be stuck.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from threading import Thread
from typing import Any, Final, Protocol

from appliance.catalogue.lookup_settings import LookupSettings
from appliance.messages.routing_messages import ListLookups, LookupRow, LookupRows
from appliance.routing.lookup_questions import FindRoutes, RoutesAnswer
from appliance.routing.lookup_templates import LookupValues

# What an answer may take on its way from thread to thread.
GRACE_S: Final = 1.0


class Figures(Protocol):
    """What a lookup has done (lookups/number_lookup.py)."""

    asked: int
    found: int
    empty: int
    failed: int
    refused: int
    busy_s: float
    fault: str
    fault_at: float


class Lookup(Protocol):
    """Finds numbers. For the event loop of the thread."""

    @property
    def settings(self) -> LookupSettings: ...
    @property
    def figures(self) -> Figures: ...
    async def find(self, values: LookupValues) -> list[str]: ...
    def close(self) -> None: ...


NewLookup = Callable[[LookupSettings], Lookup]


def number_lookup(settings: LookupSettings) -> Lookup:
    """Who asks a database or server. Only here: a worker without lookups does without all that this takes."""
    from appliance.lookups.lookup_clients import new_client
    from appliance.lookups.number_lookup import NumberLookup

    return NumberLookup(settings, new_client)


class LookupMissing(Exception):
    """The configuration does not have the lookup any more."""


class RouteLookupDoor:
    """Questions of calls to the lookups of the configuration."""

    def __init__(self, lookups: tuple[LookupSettings, ...], new_lookup: NewLookup = number_lookup) -> None:
        self._settings = {each.name: each for each in lookups}
        self._new_lookup = new_lookup
        self._lookups: dict[str, Lookup] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def set_timeout(self, timeout_s: float) -> None:
        """Each lookup has a time of its own."""

    def use(self, lookups: tuple[LookupSettings, ...]) -> None:
        """Go by other settings; a lookup whose settings are the same keeps its connections."""
        self._settings = {each.name: each for each in lookups}
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._forget_others)

    async def answer(self, question: FindRoutes) -> RoutesAnswer:
        """What the lookup has found. Raises what keeps it from answering."""
        settings = self._settings.get(question.lookup.decode())
        if settings is None:
            raise LookupMissing(question.subject)
        async with asyncio.timeout(settings.timeout_ms / 1000 + GRACE_S):
            found = await asyncio.wrap_future(self._in_thread(self._find(settings, question)))
        return RoutesAnswer(question.id, tuple(found), False)

    def reply(self, request: ListLookups) -> LookupRows:
        """What each lookup has done, for an operator."""
        lookups = dict(self._lookups)
        reply = LookupRows([_row_of(settings, lookups.get(name)) for name, settings in self._settings.items()])
        reply.id = request.id
        return reply

    def close(self) -> None:
        """Ask no more; what is out is not waited for."""
        if self._loop is not None:
            self._settings = {}
            self._loop.call_soon_threadsafe(self._forget_others)
            self._loop.call_soon_threadsafe(self._loop.stop)

    def _in_thread(self, coroutine: Coroutine[Any, Any, list[str]]) -> Any:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            Thread(target=self._loop.run_forever, name="lookups", daemon=True).start()
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    # -- in the thread -------------------------------------------------------------------------------

    async def _find(self, settings: LookupSettings, question: FindRoutes) -> list[str]:
        lookup = self._lookups.get(settings.name)
        if lookup is None or lookup.settings != settings:
            if lookup is not None:
                lookup.close()
            lookup = self._lookups[settings.name] = self._new_lookup(settings)
        texts = (text.decode("ascii", "replace") for text in (question.number, question.caller, question.domain))
        return await lookup.find(LookupValues(*texts))

    def _forget_others(self) -> None:
        for name, lookup in list(self._lookups.items()):
            if self._settings.get(name) != lookup.settings:
                del self._lookups[name]
                lookup.close()


def _row_of(settings: LookupSettings, lookup: Lookup | None) -> LookupRow:
    if lookup is None:
        return LookupRow(settings.name, 0, 0, 0, 0, 0, 0.0, "", 0.0)
    done = lookup.figures
    counts = (done.asked, done.found, done.empty, done.failed, done.refused)
    return LookupRow(settings.name, *counts, done.busy_s, done.fault, done.fault_at)
