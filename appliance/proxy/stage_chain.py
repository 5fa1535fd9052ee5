"""Roles, and running a request or a response through the stages of one.

A stage that asks is run again when the answer has come (`context.answer`). While a request is decided, the chain goes
on from `context.position`; what waits is known by the name of its stage, for its role may change meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from appliance.location.table_store import TableUnsound
from appliance.proxy.branch import Branch
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.held_replies import RETRY_AFTER
from appliance.proxy.location_service import note_unreadable
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stage_results import CONTINUE, FORWARD, Reply, ResponseStageResult, StageResult
from appliance.sip.errors import MalformedMessage
from appliance.sip.header_lines import make_line
from appliance.sip.message import Response


class Stage(Protocol):
    """One decision: pure but for the node's tables."""

    def __call__(self, context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
        """Decide; may raise MalformedMessage, which is answered with its status and reason."""


class ResponseStage(Protocol):
    """One decision about a response that a branch has got, before it goes up or is compared with others."""

    def __call__(
        self, response: Response, branch: Branch, node: ProxyEnvironment, now: float
    ) -> ResponseStageResult:
        """Change the response, or add targets to `branch.user.targets` and answer Retry."""


class Role:
    """Ordered lists of stages for requests and for responses.

    The name of a stage is that of its function, and no two of a role have the same.
    """

    __slots__ = ("_positions", "names", "response_stages", "stages")

    def __init__(self, stages: tuple[Stage, ...], response_stages: tuple[ResponseStage, ...] = ()) -> None:
        """Raises ValueError for two stages of one name."""
        self.stages = stages
        self.response_stages = response_stages
        self.names: tuple[str, ...] = tuple(getattr(stage, "__name__", "") for stage in stages)
        self._positions = {name: position for position, name in enumerate(self.names)}
        if len(self._positions) < len(stages):
            raise ValueError(f"two stages of a role have one name: {', '.join(self.names)}")

    def position_of(self, name: str) -> int:
        """Where a stage stands; 0, the beginning, for one that the role has no more: no stage may be passed over."""
        return self._positions.get(name, 0)

    def has(self, name: str) -> bool:
        """Has it a stage of this name?"""
        return name in self._positions


def run_chain(stages: Sequence[Stage], context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """The first answer that is not Continue, from the context's position on."""
    try:
        while context.position < len(stages):
            answer = stages[context.position](context, node, now)
            if answer is not CONTINUE:
                return answer
            context.position += 1
            context.answer = None
    except MalformedMessage as fault:
        # RFC 3261 16.3 step 1
        return Reply(fault.status, fault.reason.encode(), is_stateless=True)
    except TableUnsound as fault:
        note_unreadable(fault, node)
        return Reply(503, b"Registrations Unreadable", (make_line(b"Retry-After", RETRY_AFTER),), is_stateless=True)
    return FORWARD


def run_response_chain(
    stages: Sequence[ResponseStage], response: Response, branch: Branch, node: ProxyEnvironment, now: float
) -> ResponseStageResult:
    """Continue: the response goes on as the stages left it; or the first answer that is something else."""
    for stage in stages:
        answer = stage(response, branch, node, now)
        if answer is not CONTINUE:
            return answer
    return CONTINUE
