"""Orders about workers: drain, undrain, restart."""

from __future__ import annotations

from typing import Any, Final

from appliance.catalogue.settings import WORKERS_MAX
from appliance.management.appliance_client import Call
from appliance.messages.bus_messages import BusReply, BusRequest
from appliance.messages.plain_values import plain
from appliance.messages.supervisor_requests import CancelReload, DrainWorker, Reload, RestartWorker, UndrainWorker

RELOAD_MINUTES_MAX: Final = 24 * 60
NUMBER_MAX: Final = WORKERS_MAX - 1


async def drain_worker(call: Call) -> dict[str, Any]:
    return await _ask(call, DrainWorker(_number(call)))


async def undrain_worker(call: Call) -> dict[str, Any]:
    return await _ask(call, UndrainWorker(_number(call)))


async def restart_worker(call: Call) -> dict[str, Any]:
    return await _ask(call, RestartWorker(_number(call)))


async def reload(call: Call) -> dict[str, Any]:
    minutes = call.args.integer("minutes", 0, RELOAD_MINUTES_MAX, 0)
    return await _ask(call, Reload(minutes, call.session.user))


async def cancel_reload(call: Call) -> dict[str, Any]:
    return await _ask(call, CancelReload(call.session.user))


def _number(call: Call) -> int:
    return call.args.integer("number", 0, NUMBER_MAX)


async def _ask(call: Call, request: BusRequest[BusReply]) -> dict[str, Any]:
    result: dict[str, Any] = plain(await call.client.ask(request))
    return result
