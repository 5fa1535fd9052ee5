"""Which final response of the branches goes upstream (RFC 3261 16.7 step 6 and 7)."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.sip.message import Response
from appliance.sip.names import PROXY_AUTHENTICATE, WWW_AUTHENTICATE
from appliance.sip.status import reason_phrase

# RFC 3261 16.7 step 6: they tell the caller how to try again.
HELPFUL = frozenset((401, 407, 415, 420, 484))
CHALLENGES = frozenset((401, 407))


class Final:
    """How a branch ended: a response that arrived, or a status made here (`response` None).

    A 3xx without a response was followed whole: its targets have finals of their own (response_stages/recurse.py).
    """

    __slots__ = ("reason", "response", "status")

    def __init__(self, status: int, reason: bytes, response: Response | None) -> None:
        self.status = status
        self.reason = reason
        self.response = response


def made_here(status: int, reason: bytes = b"") -> Final:
    """A branch that ended without a response of its peer."""
    return Final(status, reason or reason_phrase(status), None)


def _rank(final: Final) -> tuple[int, int, int]:
    """Order of preference: lowest wins."""
    hundred = final.status // 100
    # RFC 3261 16.7 step 6: any 6xx first, else the lowest class.
    rank_of_class = 0 if hundred == 6 else hundred
    # RFC 3261 16.7 step 4: it is as if it were not in the response context.
    if hundred == 3 and final.response is None:
        rank_of_class = 7
    # A 487 that no caller has asked for says only that the time of its phone was over.
    rank_in_class = 0 if final.status in HELPFUL else 2 if final.status == 487 else 1
    return (rank_of_class, rank_in_class, 0 if final.response is not None else 1)


def choose_best(finals: Sequence[Final]) -> Final:
    """The best of at least one final; among equals the first that came."""
    best = min(finals, key=_rank)
    # RFC 3261 16.7 step 6: a 503 speaks of one next hop, not of this proxy.
    if best.status == 503:
        return Final(500, best.reason if best.response is None else b"Next Hop Unavailable", None)
    return best


def challenges_of(finals: Sequence[Final], best: Final) -> list[tuple[int, bytes]]:
    """Challenges of the other 401 and 407 finals, to be added to the best (RFC 3261 16.7 step 7).

    Pairs of header id and value.
    """
    if best.status not in CHALLENGES:
        return []
    found: list[tuple[int, bytes]] = []
    for final in finals:
        if final is not best and final.response is not None and final.status in CHALLENGES:
            for header in (WWW_AUTHENTICATE, PROXY_AUTHENTICATE):
                found.extend((header, value) for value in final.response.values(header))
    return found
