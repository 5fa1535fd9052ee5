"""`show` of what workers hold: registrations, connections, transactions, calls; and of the subscribers.

Every worker holds all registrations, so one is asked; the other tables are parts, which are put together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import Any, Final

from appliance.catalogue.show_commands import METHODS
from appliance.management.appliance_client import Call
from appliance.management.errors import CommandFailed, Refused
from appliance.management.operator_lookups import answer_to
from appliance.management.subscriber_commands import SubscriberCommands, read_address
from appliance.messages.bus_messages import BusRequest
from appliance.messages.plain_values import plain
from appliance.messages.worker_requests import (
    ClearRegistration,
    DryRun,
    ListCalls,
    ListConnections,
    ListRateLimits,
    ListRegistrations,
    ListTransactions,
    LookupResult,
    TableRows,
)
from appliance.overload.default_rate_limits import rate_limits_of
from appliance.storage.subscriber import StoreError

Result = dict[str, Any]
ListPart = Callable[[int, int], BusRequest[TableRows]]

CALL_COUNTERS: Final = ("calls-started", "calls-answered", "calls-failed")
# How often `test route` makes look-ups, and how many at a time.
ROUNDS_MAX: Final = 8
ASKS_MAX: Final = 10


async def show_registrations(call: Call) -> Result:
    address, after = call.args.text("address", ""), call.args.part()
    wanted = ListRegistrations(address, call.args.limit(), None if "@" in address else after)
    found = await call.client.workers.ask(_any_worker(call), wanted)
    place = {} if wanted.after is None else {"next": found.next}
    return {"total": found.total, "rows": plain(found.rows), "shown": len(found.rows), **place}


def parts_of(list_part: ListPart) -> Callable[[Call], Any]:
    """A task that puts the tables of all workers together."""

    async def show(call: Call) -> Result:
        limit, after = call.args.limit(), call.args.part()
        if after is not None:
            return await _part_of(call, list_part, limit, after)
        workers = list(call.client.workers.live)
        asked = (call.client.workers.ask(worker, list_part(limit, 0)) for worker in workers)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        rows: list[Result] = []
        total, silent = 0, []
        for worker, answer in zip(workers, answers, strict=True):
            if isinstance(answer, BaseException):
                silent.append(worker)
            else:
                total += answer.total
                rows += _rows_of(worker, answer)
        return {"total": total, "rows": rows[:limit], "shown": min(len(rows), limit), "silent_workers": silent}

    return show


def _rows_of(worker: int, table: TableRows) -> list[Result]:
    return [{"worker": worker, **plain(row)} for row in table.rows]


show_connections = parts_of(ListConnections)
show_transactions = parts_of(ListTransactions)
_calls = parts_of(ListCalls)


async def show_calls(call: Call) -> Result:
    """Calls being set up; those that stand leave no trace but what was counted."""
    result: Result = await _calls(call)
    samples, cleared = call.client.samples, call.client.cleared
    counts = {name: samples.latest.get(name, 0) - cleared.get(name, 0) for name in CALL_COUNTERS}
    started, answered, failed = (max(counts[name], 0) for name in CALL_COUNTERS)
    return {**result, "started": started, "answered": answered, "failed": failed}


async def _part_of(call: Call, list_part: ListPart, limit: int, after: str) -> Result:
    """Rows of one worker from a place on, which is `WORKER OFFSET`; `next` is the next place, or ""."""
    workers = sorted(call.client.workers.live)
    if not workers:
        return {"total": 0, "rows": [], "shown": 0, "silent_workers": [], "next": ""}
    worker, offset = _place(after) if after else (workers[0], 0)
    later = next((other for other in workers if other > worker), None)
    onward = "" if later is None else f"{later} 0"
    try:
        answer = await call.client.workers.ask(worker, list_part(limit, offset))
    except Refused:
        return {"total": 0, "rows": [], "shown": 0, "silent_workers": [worker], "next": onward}
    rows = _rows_of(worker, answer)
    place = f"{worker} {offset + limit}" if len(rows) == limit else onward
    return {"total": answer.total, "rows": rows, "shown": len(rows), "silent_workers": [], "next": place}


def _place(after: str) -> tuple[int, int]:
    worker, _, offset = after.partition(" ")
    if not (worker.isdigit() and offset.isdigit()):
        raise Refused(f"`after` cannot be {after!r}.", "use `next` of the previous response")
    return int(worker), int(offset)


async def show_rate_limits(call: Call) -> Result:
    """Each limit as it is configured, and what all workers have let in and not."""
    replies = await call.client.workers.ask_all(ListRateLimits())
    rows = []
    for limit in rate_limits_of(call.client.settings):
        parts = [row for reply in replies for row in reply.limits if row.name == limit.name]
        hit: dict[str, int] = {}
        for part in parts:
            for entry in part.hit:
                hit[entry.key] = hit.get(entry.key, 0) + entry.exceeded
        rows.append(
            {
                "name": limit.name,
                "of": limit.of,
                "per": limit.per,
                "rate_per_s": limit.rate_per_s,
                "burst": limit.burst,
                "action": limit.action,
                "passed": sum(part.passed for part in parts),
                "exceeded": sum(part.exceeded for part in parts),
                "hit": [{"key": key, "exceeded": count} for key, count in sorted(hit.items(), key=lambda e: -e[1])],
            }
        )
    return {"limits": rows}


async def clear_registration(call: Call) -> Result:
    done = await call.client.workers.ask(_any_worker(call), ClearRegistration(call.args.text("address")))
    return {"cleared": done.count}


async def test_route(call: Call) -> Result:
    """Asks DNS and the database what a worker would ask them, and tries again with the answers."""
    known: list[LookupResult] = []
    listener = call.args.text("listener", "")
    if listener and all(listener != other.name for other in call.client.settings.listeners):
        raise Refused(f"There is no listener `{listener}`.", "see `show listeners`")
    wanted = DryRun(
        call.args.text("uri"),
        call.args.text("from", ""),
        call.args.text("source", ""),
        listener,
        call.args.flag("unauthenticated"),
        known,
        _moment(call.args.text("at", "")),
        call.args.text("media", ""),
        call.args.text("method", METHODS[0]),
    )
    for _ in range(ROUNDS_MAX):
        route = await call.client.workers.ask(_any_worker(call), wanted)
        if not route.lookups:
            break
        for needed in route.lookups[:ASKS_MAX]:
            known.append(await answer_to(needed, call.client.settings, call.client.state_dir))
    return {"stages": plain(route.stages), "targets": plain(route.targets), "outcome": route.outcome}


def _moment(text: str) -> float:
    """Unix time of a moment by the clock of the appliance; 0.0 for now."""
    try:
        return datetime.fromisoformat(text).timestamp() if text else 0.0
    except (ValueError, OverflowError):
        raise Refused(f"`{text}` is not a date with time.", "type one such as 2026-12-24T18:30") from None


def _any_worker(call: Call) -> int:
    if not call.client.workers.live:
        raise Refused("No worker is live.", "see `show workers`")
    return call.client.workers.live[0]


# -- subscribers -------------------------------------------------------------------------------------


async def show_subscribers(call: Call) -> Result:
    beginning, limit, after = call.args.text("address", ""), call.args.limit(), call.args.part()
    if after is not None:
        return await _with_subscribers(call, lambda commands: _list_part(commands, beginning, limit, after), False)
    return await _with_subscribers(call, lambda commands: _list(commands, beginning, limit), False)


def _list_part(commands: SubscriberCommands, beginning: str, limit: int, after: str) -> Result:
    """Those after an address, in the order of the database."""
    later = (address for address in commands.list(after) if address.startswith(beginning))
    rows = [{"address": address} for address in islice(later, limit)]
    next_ = rows[-1]["address"] if len(rows) == limit else ""
    return {"total": len(rows), "rows": rows, "shown": len(rows), "next": next_}


def _list(commands: SubscriberCommands, beginning: str, limit: int) -> Result:
    wanted = (address for address in commands.list() if address.startswith(beginning))
    rows = [{"address": address} for address in islice(wanted, limit)]
    # The rest is only counted.
    return {"total": len(rows) + sum(1 for _ in wanted), "rows": rows, "shown": len(rows)}


async def add_subscriber(call: Call) -> Result:
    address, password = call.args.text("address"), call.args.text("password")
    settings = call.client.settings
    return await _with_subscribers(
        call, lambda commands: {"text": commands.add(read_address(address, settings), password)}
    )


async def change_password(call: Call) -> Result:
    address, password = call.args.text("address"), call.args.text("password")
    settings = call.client.settings
    return await _with_subscribers(
        call, lambda commands: {"text": commands.password(read_address(address, settings), password)}
    )


async def remove_subscriber(call: Call) -> Result:
    address, settings = call.args.text("address"), call.client.settings
    return await _with_subscribers(call, lambda commands: {"text": commands.remove(read_address(address, settings))})


async def _with_subscribers(
    call: Call, do: Callable[[SubscriberCommands], Result], may_make: bool = True
) -> Result:
    """Do it in a thread, for the database may be slow; `may_make` the file that is missing. Raises Refused."""

    def done() -> Result:
        commands = SubscriberCommands(call.client.settings, call.client.state_dir, may_make)
        try:
            return do(commands)
        finally:
            commands.close()

    try:
        return await asyncio.to_thread(done)
    except (CommandFailed, StoreError) as fault:
        raise Refused(str(fault)) from None
