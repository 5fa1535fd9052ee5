"""What one request may become in all: its Max-Breadth, dealt to its targets (RFC 5393 5).

The breadth is dealt once, among all targets, also among those that are tried one after another: what comes back
to this appliance as a spiral finds only what its branch was given, so all that a request becomes here is bounded by
the breadth it came with. (RFC 5393 5.3.3 would give each of a sequence the whole: a spiral could work that off again
and again.) Where redirects are followed, half of it is kept for their contacts.

A request that comes here for the first time, with less breadth than it has targets, may still try them in turn.
"""

from __future__ import annotations

from appliance.proxy.fast_settings import ProxyRules
from appliance.proxy.forwarding import breadth_of
from appliance.proxy.request_context import RequestContext
from appliance.routing.targets import Target

EXCEEDED = -1


def deal_breadth(context: RequestContext, targets: list[Target], rules: ProxyRules) -> int:
    """Give each target its part. Returns what is kept for redirects; EXCEEDED where the breadth does not suffice."""
    breadth = breadth_of(context.request)
    spare = breadth - len(targets)
    if spare >= 0:
        kept = min(spare, breadth // 2) if rules.recurse_on_redirect else 0
        _deal(breadth - kept, targets)
        return kept
    # RFC 5393 5.3.3: insufficient for a parallel fork. In turn each may have all of it, but not on a spiral.
    if context.is_spiral or _has_parallel(targets, rules.fork):
        return EXCEEDED
    for target in targets:
        target.breadth = breadth
    return 0


def deal_to_redirected(kept: int, targets: list[Target]) -> int:
    """Give the targets of a redirect their part of `kept`, which is one each at least; returns what is left."""
    if not targets:
        return kept
    part = max(len(targets), kept // 2)
    _deal(part, targets)
    return kept - part


def _deal(breadth: int, targets: list[Target]) -> None:
    """Share breadth out among no more targets than there is breadth: together they have all of it."""
    count = len(targets)
    for index, target in enumerate(targets):
        target.breadth = breadth * (index + 1) // count - breadth * index // count


def _has_parallel(targets: list[Target], fork: str) -> bool:
    """Would two of the targets be tried at the same time?"""
    if fork == "sequential":
        return False
    return fork == "parallel" or len({target.q for target in targets}) < len(targets)
