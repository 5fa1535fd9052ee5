"""Stage: is the request fit to be proxied (RFC 3261 16.3)?"""

from __future__ import annotations

from appliance.catalogue.counters import TOO_MANY_HOPS
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.forwarding import breadth_of
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stage_results import CONTINUE, Reply, StageResult
from appliance.sip.header_lines import make_line
from appliance.sip.headers import parse_name_addr
from appliance.sip.message import Request
from appliance.sip.names import CONTACT, PROXY_REQUIRE, ROUTE


def validate(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """RFC 3261 16.3 steps 1 to 5; authentication (step 6) is a stage of its own."""
    request = context.request
    # RFC 3261 16.3 step 1: raises MalformedMessage for a Request-URI that cannot be read.
    uri = request.read_uri()
    # RFC 3261 16.3 step 2. A REGISTER for a strange scheme is the registrar's to refuse (RFC 4475 3.3.4).
    if not uri.has_sip_scheme() and request.method != b"REGISTER":
        return Reply(416, is_stateless=True)
    if uri.scheme == b"sips" and _has_plain_contact(request):
        return Reply(400, b"Contact Is Not SIPS", is_stateless=True)
    # RFC 3261 16.3 step 3
    if request.read_max_forwards() == 0 and not _is_answered_here(request, node):
        node.counters[TOO_MANY_HOPS] += 1
        return Reply(483, is_stateless=True)
    # RFC 3261 16.3 step 4 is a stage of its own, once the Routes that name us are off the request.
    # RFC 5393 5.3.3: raises MalformedMessage for one that cannot be read.
    breadth_of(request)
    # RFC 3261 16.3 step 5
    if request.count(PROXY_REQUIRE):
        unsupported = make_line(b"Unsupported", b", ".join(request.values(PROXY_REQUIRE)))
        return Reply(420, headers=(unsupported,), is_stateless=True)
    return CONTINUE


def _has_plain_contact(request: Request) -> bool:
    """RFC 5630 5.3: would the requests of the dialog that it makes go out in clear? A REGISTER is the registrar's to
    refuse.
    """
    if request.method == b"REGISTER":
        return False
    value = request.first_value(CONTACT)
    return value is not None and parse_name_addr(value, "Contact").uri.scheme == b"sip"


def _is_answered_here(request: Request, node: ProxyEnvironment) -> bool:
    """Will the registrar, or the appliance as what is asked for its options, answer it?"""
    uri = request.read_uri()
    # RFC 3261 16.4: a strict router has put our Record-Route there, and where it really goes is in the last Route.
    if uri.has_lr and request.count(ROUTE):
        return False
    is_for_us = request.method == b"REGISTER" or (request.method == b"OPTIONS" and not uri.user)
    return is_for_us and node.names.is_responsible_for(uri)
