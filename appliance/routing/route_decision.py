"""What the route tables are asked about a call, and what they say of it."""

from __future__ import annotations

from appliance.routing.lookup_questions import Question
from appliance.routing.targets import Target
from appliance.sip.message import Request
from appliance.sip.uri import Uri

# What was found, as texts of the kind of question; None where it could not be known.
Answers = dict[Question, tuple[str, ...] | None]


class RoutedCall:
    """What of a request decides where it goes.

    `uri`      the Request-URI.
    `source`   the address that the request came from.
    `identity` the address-of-record that its sender has proved; b"" for none.
    `now`      monotonic seconds; `date` is unix time by the machine's clock.
    `answers`  what has been found out for this call: it is asked for no more.
    """

    __slots__ = ("answers", "date", "identity", "now", "request", "source", "uri")

    def __init__(
        self,
        request: Request,
        source: str,
        now: float,
        date: float,
        answers: Answers | None = None,
        identity: bytes = b"",
    ) -> None:
        self.request = request
        self.uri: Uri = request.read_uri()
        self.source = source
        self.identity = identity
        self.now = now
        self.date = date
        self.answers: Answers = {} if answers is None else answers


class RouteDecision:
    """What the route tables say of one call.

    `targets`   next hops, or the contacts of a redirect where `is_redirect`, in their order.
    `status`    that of a rejection, 0 for none; with its `reason`.
    `steps`     the rules that were passed, as operators read them.
    `entries`   those that were followed, as (table, prefix, action), where they are counted.
    `question`  what has to be known first; nothing else is decided then.
    `answers`   those of the call.
    """

    __slots__ = ("answers", "entries", "is_redirect", "question", "reason", "status", "steps", "targets")

    def __init__(self, answers: Answers | None = None) -> None:
        self.answers: Answers = {} if answers is None else answers
        self.question: Question | None = None
        self.targets: list[Target] = []
        self.is_redirect = False
        self.status = 0
        self.reason = b""
        self.steps: list[str] = []
        self.entries: list[tuple[str, str, str]] = []
