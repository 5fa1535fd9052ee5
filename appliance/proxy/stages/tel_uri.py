"""Stage: a tel URI becomes a SIP URI in the default domain (RFC 3261 19.1.6), and is routed as any other number."""

from __future__ import annotations

from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stage_results import CONTINUE, StageResult
from appliance.sip.uri import parse_uri, written_user


def adapt_tel_uri(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """Rewrite the Request-URI; that of a REGISTER is the registrar's to refuse."""
    request = context.request
    uri = request.read_uri()
    if uri.scheme == b"tel" and request.method != b"REGISTER":
        # RFC 3261 19.1.6: what a user part may not have is escaped.
        user = written_user(uri.text[4:])
        request.set_uri(parse_uri(b"".join((b"sip:", user, b"@", node.names.default_domain, b";user=phone"))))
    return CONTINUE
