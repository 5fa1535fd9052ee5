"""Stage: an OPTIONS for the appliance itself (RFC 3261 11, 16.3)."""

from __future__ import annotations

from appliance.location.registrar import unsupported_by_us
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stage_results import CONTINUE, Reply, StageResult
from appliance.sip.header_lines import make_line

# RFC 3261 11.2
ABILITIES = (
    make_line(b"Allow", b"INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER"),
    make_line(b"Accept", b"application/sdp"),
    make_line(b"Accept-Encoding", b"identity"),
    make_line(b"Accept-Language", b"en"),
    make_line(b"Supported", b"path, gruu, outbound"),
)
# RFC 3261 8.2.7: the answer is the same each time, so no transaction need remember it.
ANSWER = Reply(200, headers=ABILITIES, is_stateless=True)


def answer_options(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """200 to an OPTIONS whose Request-URI names no user of ours."""
    request = context.request
    if request.method != b"OPTIONS":
        return CONTINUE
    uri = request.read_uri()
    if uri.user or not node.names.is_responsible_for(uri):
        return CONTINUE
    # RFC 3261 8.2.2.3
    unsupported = unsupported_by_us(request)
    if unsupported:
        return Reply(420, headers=(unsupported,), is_stateless=True)
    return ANSWER
