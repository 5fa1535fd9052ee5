"""Stage: the caller is told where to call, and nothing is forwarded (RFC 3261 8.3, 13.3.1.1).

A sender who has not proved its address is told no more contacts than a small multiple of its request has room for
(answer_length.py): those tried first.
"""

from __future__ import annotations

from collections.abc import Iterable

from appliance.proxy.answer_length import has_proved_address, within_measure
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stage_results import CONTINUE, Reply, StageResult
from appliance.routing.targets import Target
from appliance.sip.header_lines import make_line


def redirect(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """302 with the targets that the stages before have found; a dialog that came by here goes on."""
    if context.is_in_dialog:
        return CONTINUE
    return redirection_to([each for target in context.targets for each in (target, *target.spares)], context)


def redirection_to(targets: Iterable[Target], context: RequestContext) -> Reply:
    """302 with a Contact for each of them, in their order of preference, as many as the sender may be told."""
    contacts = tuple([make_line(b"Contact", _contact_of(target)) for target in targets])
    if not has_proved_address(context):
        contacts = within_measure(contacts, context.request)
    return Reply(302, headers=contacts, is_stateless=True)


def _contact_of(target: Target) -> bytes:
    return b"<%b>;q=%d.%03d" % (target.uri_text, target.q // 1000, target.q % 1000)
