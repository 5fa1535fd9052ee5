"""Running a request through the stages of its role.

A stage that asks is run again when the answer has come (`context.found`); the chain goes on from
`context.position`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stage_results import CONTINUE, FORWARD, Reply, StageResult
from appliance.sip.errors import MalformedMessage


class Stage(Protocol):
    """One decision: pure but for the node's tables."""

    def __call__(self, context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
        """Decide; may raise MalformedMessage, which is answered with its status and reason."""


def run_chain(stages: Sequence[Stage], context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """The first answer that is not Continue, from the context's position on."""
    try:
        while context.position < len(stages):
            answer = stages[context.position](context, node, now)
            if answer is not CONTINUE:
                return answer
            context.position += 1
            context.found = None
    except MalformedMessage as fault:
        # RFC 3261 16.3 step 1
        return Reply(fault.status, fault.reason.encode(), is_stateless=True)
    return FORWARD
