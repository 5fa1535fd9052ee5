"""An OPTIONS of the appliance's own, by which an operator sees whether a URI answers (RFC 3261 11).

The Call-ID is chosen so that its slot belongs to this worker, for the answers come back by it.

The answer goes to an address that is named, which is that of whoever waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.proxy import Proxy
from appliance.replication.slot_ownership import SlotOwnership
from appliance.security.keys import upstream_key
from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Request
from appliance.sip.parser import SyntaxLimits, parse
from appliance.transport.flow import UDP, Flow
from appliance.transport.via import stamp_received

TRIES_MAX = 4096
# RFC 3261 8.1.1.6
MAX_FORWARDS = 70
TEMPLATE = (
    "OPTIONS {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK{mark}\r\nMax-Forwards: {hops}\r\n"
    "From: <sip:ping@{host}>;tag={mark}\r\nTo: <{uri}>\r\nCall-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\n"
    "Accept: application/sdp\r\nContent-Length: 0\r\n\r\n"
)


def ping(
    proxy: Proxy,
    node: ProxyEnvironment,
    slot_ownership: SlotOwnership,
    limits: SyntaxLimits,
    args: dict[str, Any],
    now: float,
) -> dict[str, Any]:
    """Send the OPTIONS that `args` asks for: uri, host, port, listener, mark, max_forwards.

    `own_tag` is the To tag by which an answer would be the appliance's own; `error` and `remedy` when nothing is sent.
    """
    host, port = str(args["host"]), int(args["port"])
    try:
        hops = int(args.get("max_forwards", MAX_FORWARDS))
        data = options_request(str(args["uri"]), host, port, str(args["mark"]), slot_ownership.is_own, hops)
        request = parse(data, limits)
        # Raises MalformedMessage for a URI that is none.
        assert isinstance(request, Request) and request.read_uri() is not None
    except MalformedMessage as fault:
        return {"error": f"Invalid URI: {fault.reason}.", "remedy": "type a SIP URI"}
    except ValueError as fault:
        return {"error": f"The request cannot be sent: {fault}.", "remedy": "try again in a moment"}
    flow = Flow(UDP, int(args["listener"]), (host, port))
    stamp_received(request, flow)
    proxy.receive_own_request(request, flow, now)
    return {"sent": True, "own_tag": node.keys.to_tag(upstream_key(request), request.read_call_id()).decode()}


def options_request(uri: str, host: str, port: int, mark: str, is_own: Callable[[bytes], bool], hops: int) -> bytes:
    """The request; `host` and `port` are where the answer shall go, `mark` is random. Raises ValueError."""
    bracketed = f"[{host}]" if ":" in host else host
    full = uri if uri.startswith(("sip:", "sips:")) else f"sip:{uri}"
    for number in range(TRIES_MAX):
        call_id = f"{mark}-{number}"
        if is_own(call_id.encode()):
            return TEMPLATE.format(uri=full, host=bracketed, port=port, mark=mark, call_id=call_id, hops=hops).encode()
    raise ValueError("this worker owns no slots")
