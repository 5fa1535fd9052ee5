"""Stage: whose identity goes on with the request (RFC 3325 5, 6)?

What peers assert is believed. What any other sender asserts goes; where the listener says so (`assert-identity`), the
address that it has proved by digest is asserted in its place. A Privacy header field is the caller's wish, and stays.
"""

from __future__ import annotations

from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.identities import remove_claims
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stage_results import CONTINUE, StageResult
from appliance.sip.names import P_ASSERTED_IDENTITY


def assert_identity(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """Leave no identity in the request that is not known to be right."""
    if context.is_trusted:
        return CONTINUE
    request = context.request
    remove_claims(request)
    # RFC 3325 9.1: a REGISTER has none.
    if context.identity and context.listener.assert_identity and request.method != b"REGISTER":
        uri = node.names.public_uri(context.identity, request.read_from().uri.host)
        request.append(P_ASSERTED_IDENTITY, b"<" + uri + b">")
    return CONTINUE
