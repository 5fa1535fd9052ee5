"""Stage: an OPTIONS for the appliance itself (RFC 3261 11, 16.3).

Knows nothing of users.
"""

from __future__ import annotations

from appliance.location.registrar import EXTENSIONS
from appliance.proxy.answers import CONTINUE, Answer, Reply
from appliance.proxy.node import Node
from appliance.proxy.request_context import RequestContext
from appliance.sip.names import REQUIRE

# RFC 3261 11.2
ABILITIES = (
    (b"Allow", b"INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER"),
    (b"Accept", b"application/sdp"),
    (b"Accept-Encoding", b"identity"),
    (b"Accept-Language", b"en"),
    (b"Supported", b"path, gruu"),
)


def answer_options(context: RequestContext, node: Node, now: float) -> Answer:
    """200 to an OPTIONS whose Request-URI names no user of ours."""
    request = context.request
    if request.method != b"OPTIONS":
        return CONTINUE
    uri = request.read_uri()
    if uri.user or not node.names.is_responsible_for(uri):
        return CONTINUE
    # RFC 3261 8.2.2.3
    unknown = [option for option in request.values(REQUIRE) if option.lower() not in EXTENSIONS]
    if unknown:
        return Reply(420, headers=((b"Unsupported", b", ".join(unknown)),), is_stateless=True)
    # RFC 3261 8.2.7: the answer is the same each time, so no transaction need remember it.
    return Reply(200, headers=ABILITIES, is_stateless=True)
