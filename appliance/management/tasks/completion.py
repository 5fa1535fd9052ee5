"""Words that may follow, from what there is: addresses, workers, listeners, nodes, subscribers, commits."""

from __future__ import annotations

import os
from typing import Any

from appliance.catalogue.node_parameter import ALL_NODES, NODE, NODES
from appliance.catalogue.password_hash import hash_of
from appliance.management.appliance_client import Call
from appliance.management.arguments import Arguments
from appliance.management.errors import Refused
from appliance.management.tasks.show_nodes import nodes_of
from appliance.management.tasks.show_tables import show_registrations, show_subscribers
from appliance.messages.supervisor_requests import ListAlarms

WORDS_MAX = 100


async def complete(call: Call) -> dict[str, Any]:
    """At most WORDS_MAX words that begin as `start` does; none where nothing can be known."""
    what, start = call.args.text("what"), call.args.text("start", "")
    try:
        words = await _words(call, what, start)
    except Refused:
        words = []
    return {"words": sorted({word for word in words if word.startswith(start)})[:WORDS_MAX]}


async def _words(call: Call, what: str, start: str) -> list[str]:
    status = call.client.status
    wanted = Arguments({"address": start, "limit": WORDS_MAX})
    asked = Call(call.client, call.session, wanted, call.event)
    if what == "worker":
        return [str(worker.number) for worker in status.workers]
    if what == "listener":
        return [listener.name for listener in call.client.settings.listeners]
    if what == "virtual-address":
        return [section.name for section in call.client.settings.virtual_addresses]
    if what in (NODE, NODES):
        names = [member.name for member in nodes_of(call)]
        return [ALL_NODES, *names] if what == NODES else names
    if what == "alarm":
        return [alarm.name for alarm in (await call.client.ask(ListAlarms())).alarms]
    if what == "session":
        return [str(session.number) for session in call.client.sessions]
    if what == "commit":
        return [str(commit.number) for commit in call.client.store().latest(WORDS_MAX)]
    if what == "subscriber":
        return [row["address"] for row in (await show_subscribers(asked))["rows"]]
    if what == "address":
        return [row["address"] for row in (await show_registrations(asked))["rows"]]
    raise Refused(f"Unknown list `{what}`.")


async def hash_secret(call: Call) -> dict[str, Any]:
    """The hash of a secret, to stand in the configuration."""
    return {"hash": hash_of(call.args.text("secret"), os.urandom(16))}
