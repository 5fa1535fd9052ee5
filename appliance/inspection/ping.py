"""An OPTIONS of the appliance's own, by which an operator sees whether a URI answers (RFC 3261 11).

The Call-ID is chosen so that its slot belongs to this worker, for the answers come back by it.

The answer goes to an address that is named, which is that of the process that waits for it.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance.messages.bus_messages import Refusal
from appliance.messages.worker_requests import Ping, PingSent
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.proxy import Proxy
from appliance.security.keys import upstream_key
from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Request
from appliance.sip.parser import SyntaxLimits, parse
from appliance.transport.flow import UDP, Flow
from appliance.transport.via import stamp_received
from appliance.worker_group.slot_ownership import SlotOwnership

TRIES_MAX = 4096
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
    wanted: Ping,
    now: float,
) -> PingSent | Refusal:
    """Send the OPTIONS that is wanted."""
    host, port = wanted.host, wanted.port
    try:
        data = options_request(wanted.uri, host, port, wanted.mark, slot_ownership.is_own, wanted.max_forwards)
        request = parse(data, limits)
        # Raises MalformedMessage for a URI that is none.
        assert isinstance(request, Request) and request.read_uri() is not None
    except MalformedMessage as fault:
        return Refusal(f"Invalid URI: {fault.reason}.", "type a SIP URI")
    except ValueError as fault:
        return Refusal(f"The request cannot be sent: {fault}.", "try again in a moment")
    flow = Flow(UDP, wanted.listener, (host, port))
    stamp_received(request, flow)
    proxy.receive_own_request(request, flow, now)
    return PingSent(node.keys.to_tag(upstream_key(request), request.read_call_id()).decode())


def options_request(uri: str, host: str, port: int, mark: str, is_own: Callable[[bytes], bool], hops: int) -> bytes:
    """The request; `host` and `port` are where the answer shall go, `mark` is random. Raises ValueError."""
    bracketed = f"[{host}]" if ":" in host else host
    full = uri if uri.startswith(("sip:", "sips:")) else f"sip:{uri}"
    for number in range(TRIES_MAX):
        call_id = f"{mark}-{number}"
        if is_own(call_id.encode()):
            return TEMPLATE.format(uri=full, host=bracketed, port=port, mark=mark, call_id=call_id, hops=hops).encode()
    raise ValueError("this worker owns no slots")
