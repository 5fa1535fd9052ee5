"""The commands about DNS: what workers keep of it, and the servers of a name step by step."""

from __future__ import annotations

from typing import Any, Final

from appliance.catalogue.transports import TRANSPORT_NAMES
from appliance.management.appliance_client import Call
from appliance.management.errors import Refused
from appliance.management.server_lookup import Located, Step, locate
from appliance.management.tasks.show_tables import parts_of
from appliance.messages.dns_messages import ClearDnsCache, ListDnsCache, ListHops
from appliance.routing.host_cache import literal_address
from appliance.sip.errors import MalformedMessage
from appliance.sip.uri import Uri, parse_uri
from appliance.transport.flow import Flow

Result = dict[str, Any]

SCHEMES: Final = ("sip:", "sips:")

show_cache = parts_of(ListDnsCache)
show_hosts = parts_of(ListHops)


async def clear_cache(call: Call) -> Result:
    """Of all workers."""
    replies = await call.client.workers.ask_all(ClearDnsCache(call.args.text("name", "")))
    return {"cleared": sum(reply.count for reply in replies)}


async def resolve(call: Call) -> Result:
    """Asks DNS what a worker would ask it. Raises Refused for what is no name."""
    uri = _uri_of(call.args.text("name"), call.args.text("transport", ""))
    located = await locate(uri, call.client.settings)
    names = [listener.name for listener in call.client.settings.listeners]
    return {
        "steps": [_step(step) for step in located.steps],
        "targets": [_target(flow, names) for flow in located.flows],
        "outcome": _outcome(uri, located),
    }


def _uri_of(name: str, transport: str) -> Uri:
    text = name if name.lower().startswith(SCHEMES) else f"sip:{name}"
    try:
        uri = parse_uri((f"{text};transport={transport}" if transport else text).encode())
    except MalformedMessage as fault:
        sentence = f'"{name}" is no host name or SIP URI: {fault.reason}.'
        raise Refused(sentence, "type a name such as example.com") from None
    return uri


def _step(step: Step) -> Result:
    result = "no response" if step.records is None else "found" if step.records else "none"
    records = [record.replace("\t", " ") for record in step.records or ()]
    return {"query": step.query, "records": records, "ttl_s": int(step.ttl_s), "result": result}


def _target(flow: Flow, listeners: list[str]) -> Result:
    address, port = flow.remote
    transport = TRANSPORT_NAMES[flow.transport]
    return {"transport": transport, "address": address, "port": port, "listener": listeners[flow.listener]}


def _outcome(uri: Uri, located: Located) -> str:
    host = uri.host.decode("utf-8", "replace")
    if located.fault:
        return located.fault
    count = len(located.flows)
    if count:
        return f"{host} has {count} target{'' if count == 1 else 's'}."
    if located.is_absent:
        return f"DNS has no address for {host}."
    if literal_address(uri.host) or located.steps:
        return f"No listener leads to {host} by its transport and address family."
    return f"No listener has the transport of {host}."
