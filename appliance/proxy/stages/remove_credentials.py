"""Stage: credentials that were made for this appliance go no further (RFC 3261 22.3).

Also those of an ACK, and of requests in dialogs, which are not challenged: telephones send them all the same, and the
next hop could try passwords on them. Credentials for other realms stay.
"""

from __future__ import annotations

from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stage_results import CONTINUE, StageResult
from appliance.sip.errors import MalformedMessage
from appliance.sip.headers import parse_auth
from appliance.sip.names import PROXY_AUTHORIZATION


def remove_credentials(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """Leave the credentials for other proxies only."""
    request = context.request
    # Where this listener asks for none, they may be for another proxy of the same realm.
    if not request.count(PROXY_AUTHORIZATION) or not context.listener.authenticate:
        return CONTINUE
    values = request.values(PROXY_AUTHORIZATION)
    request.remove_all(PROXY_AUTHORIZATION)
    for value in values:
        if not _is_for_us(value, node):
            request.append(PROXY_AUTHORIZATION, value)
    return CONTINUE


def _is_for_us(value: bytes, node: ProxyEnvironment) -> bool:
    try:
        _, parameters = parse_auth(value)
    except MalformedMessage:
        # Not made by a client that answered a challenge of ours.
        return False
    return node.names.is_own_realm(parameters.get(b"realm", b""))
