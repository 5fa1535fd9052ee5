"""One lookup at work: its servers are asked in turn, within one time for all of them.

As many questions are out as `concurrency` says, and ten times as many wait; more have failed at once. So a server that
does not answer costs this lookup its questions, and no other one anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from appliance import clock
from appliance.catalogue.lookup_settings import LookupSettings
from appliance.catalogue.redaction import without_url_secrets
from appliance.lookups.lookup_client import AnswerUnusable, LookupClient, ServerFailed
from appliance.lookups.lookup_servers import LookupServers
from appliance.routing.lookup_results import RESULTS_MAX, kept_text
from appliance.routing.lookup_templates import LookupValues

WAITING_PART: Final = 10
FAULT_LEN_MAX: Final = 200

NewClient = Callable[[str, LookupSettings], LookupClient]


class LookupFailed(Exception):
    """It cannot be known now. The message is a sentence that says why."""


class LookupFigures:
    """What a lookup has done. `refused`: not asked, because too many waited; they are among the failed ones.

    `busy_s`: the sum of the times that answers took. `fault`: why the last one failed, and when (unix time).
    """

    __slots__ = ("asked", "busy_s", "empty", "failed", "fault", "fault_at", "found", "refused")

    def __init__(self) -> None:
        self.asked = self.found = self.empty = self.failed = self.refused = 0
        self.busy_s = 0.0
        self.fault = ""
        self.fault_at = 0.0


class NumberLookup:
    """For one event loop."""

    def __init__(self, settings: LookupSettings, new_client: NewClient) -> None:
        self.settings = settings
        self.figures = LookupFigures()
        self._timeout_s = settings.timeout_ms / 1000
        self._servers = LookupServers([new_client(url, settings) for url in settings.servers])
        self._free = asyncio.Semaphore(settings.concurrency)
        self._open = 0
        self._open_max = settings.concurrency * (1 + WAITING_PART)

    async def find(self, values: LookupValues) -> list[str]:
        """What is found, best first; [] for nothing. Raises LookupFailed."""
        figures = self.figures
        figures.asked += 1
        if self._open >= self._open_max:
            figures.refused += 1
            raise self._failure(f"{self._open_max} questions wait already")
        self._open += 1
        began = clock.monotonic()
        try:
            found = await self._within_time(values)
        finally:
            self._open -= 1
            figures.busy_s += clock.monotonic() - began
        if found:
            figures.found += 1
        else:
            figures.empty += 1
        return [kept_text(text) for text in found[:RESULTS_MAX]]

    async def _within_time(self, values: LookupValues) -> list[str]:
        try:
            async with asyncio.timeout(self._timeout_s):
                async with self._free:
                    return await self._ask_servers(values)
        except TimeoutError:
            raise self._failure(f"there was no answer within {self._timeout_s:g} seconds") from None

    async def _ask_servers(self, values: LookupValues) -> list[str]:
        """Each server that is ready gets an equal part of the time that is left."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._timeout_s
        servers = list(self._servers.to_ask(clock.monotonic()))
        fault = "it has no server, or all have failed lately and are left alone for a moment"
        for place, server in enumerate(servers):
            part_s = (end - loop.time()) / (len(servers) - place)
            try:
                async with asyncio.timeout(part_s):
                    found = await server.client.find(values)
            except AnswerUnusable as unusable:
                fault = str(unusable)
                server.has_answered()
            except TimeoutError:
                fault = f"there was no answer within {part_s:.3g} seconds"
                server.has_failed(clock.monotonic())
            except Exception as failed:  # of a driver: whatever it raises means the same
                fault = str(failed) if isinstance(failed, ServerFailed) else f"{type(failed).__name__}: {failed}"
                server.has_failed(clock.monotonic())
            else:
                server.has_answered()
                return found
        raise self._failure(fault)

    def _failure(self, fault: str) -> LookupFailed:
        # Servers write a part of it.
        text = "".join(each if each.isprintable() else "?" for each in without_url_secrets(fault)[:FAULT_LEN_MAX])
        self.figures.failed += 1
        self.figures.fault = text
        self.figures.fault_at = clock.wall_time()
        return LookupFailed(f"Lookup {self.settings.name}: {text}.")

    def close(self) -> None:
        """Give up the connections."""
        self._servers.close()
