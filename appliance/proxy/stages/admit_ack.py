"""Stage: an ACK goes where the 2xx to its INVITE says (RFC 3261 13.2.2.4, 16.11).

An ACK cannot be challenged (22.1), and its token covers the target that the dialog had: not the one of a 2xx that
changes it (12.2.1.2). But the INVITE was let through here, and is known for a while.
"""

from __future__ import annotations

from appliance.proxy.dialogs import is_to_answer
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stage_results import CONTINUE, StageResult
from appliance.security.dialog_token import ADMITTED, RELAYS


def admit_ack(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """Take an ACK without a good token for one of the dialog, if its INVITE and a 2xx to that prove it."""
    request = context.request
    if request.method == b"ACK" and not context.is_in_dialog and is_to_answer(request, node):
        context.admit(ADMITTED | RELAYS)
        context.targets = (context.named_target(),)
    return CONTINUE
