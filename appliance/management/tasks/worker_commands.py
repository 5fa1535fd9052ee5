"""Orders about workers: drain, undrain, restart."""

from __future__ import annotations

from typing import Any, Final

from appliance.catalogue.settings import WORKERS_MAX
from appliance.management.appliance_client import Call

RELOAD_MINUTES_MAX: Final = 24 * 60
NUMBER_MAX: Final = WORKERS_MAX - 1


async def drain_worker(call: Call) -> dict[str, Any]:
    return await _order(call, "drain worker")


async def undrain_worker(call: Call) -> dict[str, Any]:
    return await _order(call, "undrain worker")


async def restart_worker(call: Call) -> dict[str, Any]:
    return await _order(call, "restart worker")


async def reload(call: Call) -> dict[str, Any]:
    minutes = call.args.integer("minutes", 0, RELOAD_MINUTES_MAX, 0)
    return await call.client.order("reload", {"minutes": minutes, "user": call.session.user})


async def cancel_reload(call: Call) -> dict[str, Any]:
    return await call.client.order("reload cancel", {"user": call.session.user})


async def _order(call: Call, do: str) -> dict[str, Any]:
    return await call.client.order(do, {"number": call.args.integer("number", 0, NUMBER_MAX)})
