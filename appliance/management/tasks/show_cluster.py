"""What operators see of the cluster."""

from __future__ import annotations

from typing import Any

from appliance.management.appliance_client import Call
from appliance.messages.cluster_messages import ListTakeOvers, ShowCluster
from appliance.messages.plain_values import plain

Result = dict[str, Any]


async def show_cluster(call: Call) -> Result:
    """The members, etcd, and this node's part."""
    result: Result = plain((await call.client.ask(ShowCluster())).status)
    return result


async def show_cluster_history(call: Call) -> Result:
    """The last take-overs."""
    found = await call.client.ask(ListTakeOvers(call.args.limit()))
    return {"total": found.total, "shown": len(found.rows), "rows": plain(found.rows)}
