"""`node NAME|all` of a `show` command: the same on other nodes of the cluster, at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from appliance.catalogue.node_parameter import ALL_NODES, NODE
from appliance.management.appliance_client import Call
from appliance.management.arguments import Arguments
from appliance.management.errors import Refused
from appliance.management.node_questions import TIMEOUT_S
from appliance.messages.membership import Member
from appliance.storage.cluster_file import ClusterFile, ClusterFileUnusable, read_cluster

Result = dict[str, Any]
Task = Callable[[Call], Awaitable[Result]]


async def show_nodes(do: str, args: Result, call: Call, task: Task) -> Result:
    """`nodes`: by name, in the order of their numbers, what each one shows, or its `error`. Raises Refused."""
    known = _cluster_of(call)
    members = _wanted(known, call.args.text(NODE))
    asked = {name: value for name, value in args.items() if name != NODE}

    async def shown(member: Member) -> Result:
        try:
            if member.number == known.me:
                async with asyncio.timeout(TIMEOUT_S):
                    return await task(Call(call.client, call.session, Arguments(asked), call.event))
            answer = await call.client.nodes.ask(member.number, do, asked, call.session)
        except Refused as refusal:
            return {"error": refusal.as_error()}
        except TimeoutError:
            return {"error": {"message": f"The node did not answer within {TIMEOUT_S:g} s.", "remedy": ""}}
        result: Result = answer["result"] if "result" in answer else {"error": answer["error"]}
        return result

    answers = await asyncio.gather(*map(shown, members))
    return {"nodes": {member.name: answer for member, answer in zip(members, answers, strict=True)}}


def nodes_of(call: Call) -> list[Member]:
    """The members that are nodes, in the order of their numbers. Raises Refused without a cluster."""
    return _nodes(_cluster_of(call))


def _nodes(known: ClusterFile) -> list[Member]:
    nodes = [member for member in known.membership.members if not member.is_witness]
    return sorted(nodes, key=lambda member: member.number)


def _cluster_of(call: Call) -> ClusterFile:
    try:
        known = read_cluster(call.client.state_dir)
    except ClusterFileUnusable as fault:
        raise Refused(str(fault)) from None
    if known is None:
        raise Refused("This appliance is in no cluster.", f"leave out `{NODE}`")
    return known


def _wanted(known: ClusterFile, name: str) -> list[Member]:
    nodes = _nodes(known)
    found = [member for member in nodes if name in (ALL_NODES, member.name)]
    if found:
        return found
    if any(member.name == name for member in known.membership.members):
        raise Refused(f"{name} is a witness: it has nothing to show.", "see `show cluster`")
    names = ", ".join(member.name for member in nodes)
    raise Refused(f"There is no node `{name}`.", f"type one of {names}, or {ALL_NODES}")
