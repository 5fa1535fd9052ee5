"""What a stage may say of a request, or of a response (ARCHITECTURE: a role is a list of stages)."""

from __future__ import annotations

from typing import Final

from appliance.routing.lookup_questions import Question


class Continue:
    """The next stage decides."""

    __slots__ = ()


class Forward:
    """Send the request to its targets now."""

    __slots__ = ()


class Reply:
    """Answer it here. `reason` goes out as the reason phrase and says what was wrong; `headers` are whole lines.

    `is_stateless` replies keep no transaction (RFC 3261 8.2.7), so that asking costs no memory.
    `after` is the number of the change that has to be in the registration table first, 0 for none.
    """

    __slots__ = ("after", "headers", "is_stateless", "reason", "status")

    def __init__(
        self,
        status: int,
        reason: bytes = b"",
        headers: tuple[bytes, ...] = (),
        is_stateless: bool = False,
        after: int = 0,
    ) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers
        self.is_stateless = is_stateless
        self.after = after


class Ask:
    """Wait for the answer to a question, then decide again at this stage, with the answer in `context.answer`."""

    __slots__ = ("question",)

    def __init__(self, question: Question) -> None:
        self.question = question


class Drop:
    """Say nothing; count `counter`."""

    __slots__ = ("counter",)

    def __init__(self, counter: int) -> None:
        self.counter = counter


class Retry:
    """The caller does not get this final response, which is no success: what it leads to is tried in its place."""

    __slots__ = ()


StageResult = Continue | Forward | Reply | Ask | Drop
ResponseStageResult = Continue | Retry

CONTINUE: Final = Continue()
FORWARD: Final = Forward()
RETRY: Final = Retry()
