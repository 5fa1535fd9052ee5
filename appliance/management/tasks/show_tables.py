"""`show` of what workers hold: registrations, connections, transactions, calls; and of the subscribers.

Every worker holds all registrations, so one is asked; the other tables are parts, which are put together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import Any, Final

from appliance.management.appliance_client import Call
from appliance.management.errors import CommandFailed, Refused
from appliance.management.operator_lookups import add_answer
from appliance.management.subscriber_commands import SubscriberCommands, read_address
from appliance.overload.default_rate_limits import rate_limits_of
from appliance.storage.subscriber import StoreError

Result = dict[str, Any]

CALL_COUNTERS: Final = ("calls-started", "calls-answered", "calls-failed")
# How often `test route` asks the world, and how much at a time.
ROUNDS_MAX: Final = 3
ASKS_MAX: Final = 10


async def show_registrations(call: Call) -> Result:
    args: Result = {"address": call.args.text("address", ""), "limit": call.args.limit()}
    after = call.args.part()
    if after is not None and "@" not in args["address"]:
        args["after"] = after
    return await call.client.workers.ask(_any_worker(call), "registrations", args)


def parts_of(what: str) -> Callable[[Call], Any]:
    """A task that puts the tables of all workers together."""

    async def show(call: Call) -> Result:
        limit, after = call.args.limit(), call.args.part()
        if after is not None:
            return await _part_of(call, what, limit, after)
        workers = list(call.client.workers.live)
        asked = (call.client.workers.ask(worker, what, {"limit": limit}) for worker in workers)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        rows: list[Result] = []
        total = 0
        for worker, answer in zip(workers, answers, strict=True):
            if isinstance(answer, dict):
                total += answer["total"]
                rows += [{"worker": worker, **row} for row in answer["rows"]]
        silent = [worker for worker, answer in zip(workers, answers, strict=True) if not isinstance(answer, dict)]
        return {"total": total, "rows": rows[:limit], "shown": min(len(rows), limit), "silent_workers": silent}

    return show


_calls = parts_of("calls")


async def show_calls(call: Call) -> Result:
    """Calls being set up; those that stand leave no trace but what was counted."""
    result: Result = await _calls(call)
    samples, cleared = call.client.samples, call.client.cleared
    counts = {name: samples.latest.get(name, 0) - cleared.get(name, 0) for name in CALL_COUNTERS}
    started, answered, failed = (max(counts[name], 0) for name in CALL_COUNTERS)
    return {**result, "started": started, "answered": answered, "failed": failed}


async def _part_of(call: Call, what: str, limit: int, after: str) -> Result:
    """Rows of one worker from a place on, which is `WORKER OFFSET`; `next` is the next place, or ""."""
    workers = sorted(call.client.workers.live)
    if not workers:
        return {"total": 0, "rows": [], "shown": 0, "silent_workers": [], "next": ""}
    worker, offset = _place(after) if after else (workers[0], 0)
    later = next((other for other in workers if other > worker), None)
    onward = "" if later is None else f"{later} 0"
    try:
        answer = await call.client.workers.ask(worker, what, {"limit": limit, "offset": offset})
    except Refused:
        return {"total": 0, "rows": [], "shown": 0, "silent_workers": [worker], "next": onward}
    rows = [{"worker": worker, **row} for row in answer["rows"]]
    place = f"{worker} {offset + limit}" if len(rows) == limit else onward
    return {"total": answer["total"], "rows": rows, "shown": len(rows), "silent_workers": [], "next": place}


def _place(after: str) -> tuple[int, int]:
    worker, _, offset = after.partition(" ")
    if not (worker.isdigit() and offset.isdigit()):
        raise Refused(f"`after` cannot be {after!r}.", "use `next` of the previous response")
    return int(worker), int(offset)


async def show_rate_limits(call: Call) -> Result:
    """Each limit as it is configured, and what all workers have let in and not."""
    reports = await call.client.workers.ask_all("rate-limits", {})
    rows = []
    for limit in rate_limits_of(call.client.settings):
        parts = [report["limits"][limit.name] for report in reports if limit.name in report["limits"]]
        hit: dict[str, int] = {}
        for part in parts:
            for entry in part["hit"]:
                hit[entry["key"]] = hit.get(entry["key"], 0) + entry["exceeded"]
        rows.append(
            {
                "name": limit.name,
                "of": limit.of,
                "per": limit.per,
                "rate_per_s": limit.rate_per_s,
                "burst": limit.burst,
                "action": limit.action,
                "passed": sum(part["passed"] for part in parts),
                "exceeded": sum(part["exceeded"] for part in parts),
                "hit": [{"key": key, "exceeded": count} for key, count in sorted(hit.items(), key=lambda e: -e[1])],
            }
        )
    return {"limits": rows}


async def clear_registration(call: Call) -> Result:
    return await call.client.workers.ask(
        _any_worker(call), "clear registration", {"address": call.args.text("address")}
    )


async def test_route(call: Call) -> Result:
    """Asks DNS and the database what a worker would ask them, and tries again with the answers."""
    known: Result = {}
    listener = call.args.text("listener", "")
    if listener and all(listener != other.name for other in call.client.settings.listeners):
        raise Refused(f"There is no listener `{listener}`.", "see `show listeners`")
    args = {
        "uri": call.args.text("uri"),
        "from": call.args.text("from", ""),
        "source": call.args.text("source", ""),
        "listener": listener,
        "unauthenticated": call.args.flag("unauthenticated"),
        "known": known,
    }
    for _ in range(ROUNDS_MAX):
        result = await call.client.workers.ask(_any_worker(call), "test route", args)
        asks = result.pop("asks", [])
        if not asks:
            break
        for ask in asks[:ASKS_MAX]:
            await add_answer(ask, known, call.client.settings, call.client.state_dir)
    return result


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
