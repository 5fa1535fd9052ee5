"""The target set of one request while it is searched (RFC 3261 16.5 to 16.7, RFC 5393 5).

Who makes one gives it targets in the order of preference, each with its q, and a policy: the registered contacts of a
user, or the Request-URI. What to try is asked of it: the next group of targets, which are tried at the same time;
after a failure, the spare that replaces the target; and whether a target that a response names may be added.

Max-Breadth: a group has all of what the request came with, for those before it have ended and gave their part back
(5.3.3.1). A request that has been here before (a spiral) shares it out once, also among targets that are tried in
turn: what it becomes here in all is then bounded, and not only what it is at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.routing.contact_policy import is_next_hop
from appliance.routing.targets import Target, next_group

# RFC 5626 7, RFC 5627 6.1: these say that the way to an instance has failed.
FLOW_FAILED = frozenset((408, 430))
# RFC 3263 4.3: these say that a next hop cannot serve the call, and not that the called user does not take it.
HOP_FAILED = frozenset((408, 500, 502, 503, 504))


class SearchPolicy:
    """How a target set is searched. Never changed.

    `fork`: see targets.next_group. `group_time_s`: how long a group may ring while there is another one, 0.0 for any
    time. `targets_max`: so many targets one request has at most.
    """

    __slots__ = ("fork", "group_time_s", "targets_max")

    def __init__(self, fork: str, targets_max: int, group_time_s: float) -> None:
        self.fork = fork
        self.targets_max = targets_max
        self.group_time_s = group_time_s


class TargetSet:
    """The targets of one request: `waiting` are those not tried yet, `known` the URIs of all that were ever in it.

    `is_closed`: a 2xx, a 6xx or a CANCEL has come, and no target may be tried any more.
    """

    __slots__ = ("_breadth", "_is_spiral", "_policy", "is_closed", "known", "waiting")

    def __init__(self, targets: Sequence[Target], policy: SearchPolicy, breadth: int, is_spiral: bool) -> None:
        """`breadth`: the Incoming Max-Breadth (RFC 5393 5.3.2)."""
        self._policy = policy
        self.waiting = list(targets)
        if len(self.waiting) > self._policy.targets_max:
            del self.waiting[self._policy.targets_max :]
        self.known = [target.uri_text for target in self.waiting]
        self.is_closed = False
        self._breadth = breadth
        self._is_spiral = is_spiral

    def open(self) -> bool:
        """Begin the search; False where the Max-Breadth does not suffice for it (RFC 5393 5.3.3: 440)."""
        if len(self.waiting) > self._breadth and (self._is_spiral or self._is_any_group_too_broad()):
            self.close()
            return False
        if self._is_spiral:
            deal_breadth(self._breadth, self.waiting)
        return True

    def resume(self, waiting: list[Target], known: list[bytes], is_closed: bool) -> None:
        """Go on where another worker left off."""
        self.waiting = waiting
        self.known = known
        self.is_closed = is_closed

    def close(self) -> None:
        """Try no further target."""
        self.is_closed = True
        self.waiting = []

    def next_group(self) -> list[Target]:
        """Take out those to be tried now, at the same time, when all before them have ended; [] where none is left."""
        if not self.waiting:
            return []
        group = next_group(self.waiting, self._policy.fork)
        if not self._is_spiral:
            deal_breadth(self._breadth, group)
        return group

    def group_time(self) -> float:
        """For how many seconds the group under way may ring; 0.0 for any time, as there is no other one to be tried."""
        return self._policy.group_time_s if self.waiting else 0.0

    def after_failure(self, failed: Target, status: int, is_received: bool) -> Target | None:
        """The spare to be tried in place of a target; None: its failure counts.

        RFC 5626 7, RFC 5627 6.1: the flow to an instance has failed. A 503 says so where none was received, but made
        here. A next hop of a route table is replaced by the next one (RFC 3263 4.3). Not on a spiral: it finds what its
        branch was given, and no more.
        """
        if not failed.spares or self.is_closed or self._is_spiral:
            return None
        if is_next_hop(failed.origin):
            if status not in HOP_FAILED:
                return None
        elif status not in FLOW_FAILED and (is_received or status != 503):
            return None
        spare = failed.spares[0]
        spare.spares = failed.spares[1:]
        spare.breadth = failed.breadth
        self.known.append(spare.uri_text)
        return spare

    def has_had(self, target: Target) -> bool:
        """Is it, or was it, in the set? RFC 3261 16.7 step 4: each URI is tried once."""
        return target.uri_text in self.known

    def add(self, target: Target, redirected: Target) -> bool:
        """Try one more, which the branch of `redirected` leads to; False where it is one too many."""
        if self.is_closed or len(self.known) >= self._policy.targets_max:
            return False
        if self._is_spiral:
            # It has its part of what the branch had that ended.
            if redirected.breadth < 1:
                return False
            redirected.breadth -= 1
            target.breadth = 1
        elif self._len_beside(target) >= self._breadth:
            return False
        self.known.append(target.uri_text)
        self.waiting.append(target)
        return True

    def _is_any_group_too_broad(self) -> bool:
        return any(self._len_beside(target) > self._breadth for target in self.waiting)

    def _len_beside(self, target: Target) -> int:
        """How many of those that wait are tried at the same time as this one, itself included if it waits."""
        if self._policy.fork == "sequential":
            return 0
        if self._policy.fork == "parallel":
            return len(self.waiting)
        return sum(1 for waiting in self.waiting if waiting.q == target.q)


def deal_breadth(breadth: int, targets: list[Target]) -> None:
    """Share breadth out among no more targets than there is breadth: together they have all of it."""
    count = len(targets)
    for index, target in enumerate(targets):
        target.breadth = breadth * (index + 1) // count - breadth * index // count
