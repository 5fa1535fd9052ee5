"""Orders about virtual addresses and nodes: switchover, drain, maintenance; and about the key that seals tokens."""

from __future__ import annotations

from typing import Any

from appliance.management.appliance_client import Call
from appliance.messages.address_messages import DrainNode, MaintainCluster, SwitchAddress
from appliance.messages.bus_messages import BusReply, BusRequest
from appliance.messages.plain_values import plain
from appliance.messages.sealing_messages import RotateSealingKey


async def switch_over(call: Call) -> dict[str, Any]:
    return await _ask(call, SwitchAddress(call.args.text("address"), call.args.text("node", ""), call.session.user))


async def drain(call: Call) -> dict[str, Any]:
    return await _ask(call, DrainNode(call.args.text("node", ""), True, call.session.user))


async def undrain(call: Call) -> dict[str, Any]:
    return await _ask(call, DrainNode(call.args.text("node", ""), False, call.session.user))


async def maintain(call: Call) -> dict[str, Any]:
    return await _ask(call, MaintainCluster(call.args.text("state") == "on", call.session.user))


async def rotate_key(call: Call) -> dict[str, Any]:
    return await _ask(call, RotateSealingKey(call.args.text("how", "") == "force", call.session.user))


async def _ask(call: Call, request: BusRequest[BusReply]) -> dict[str, Any]:
    result: dict[str, Any] = plain(await call.client.ask(request))
    return result
