"""Dealing rate limits to the workers, by what is asked of each.

A worker reports twice a second how much was offered to it of each limit and key. The rate is dealt in proportion to
that, smoothed; a small part is dealt evenly, so that a worker to which requests begin to come can let some in until
the next deal. The shares always add up to the rate.

In a cluster the rate is first dealt to the nodes in the same way: each tells the others what is asked of it, and deals
itself its part. A node that is not reached any more has no part, so each side of a cut lets in the whole rate.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from heapq import nlargest
from itertools import islice
from math import inf
from operator import itemgetter
from typing import Final

from appliance.catalogue.alarms import RATE_LIMIT_ACTING, Condition
from appliance.catalogue.limit_settings import RateLimitSettings

REPORT_INTERVAL_S: Final = 0.5
EVEN_PART: Final = 0.02
# How much of the last report counts; the rest is what was known before.
FRESH: Final = 0.6
FORGET_BELOW: Final = 0.05
ACTING_S: Final = 5.0
KEYS_MAX: Final = 2000
# Told to other nodes: the keys with the most demand.
KEYS_TOLD_MAX: Final = 200
# What a node said longer ago counts no more.
NODE_STALE_S: Final = 3.0

_HERE: Final = 0

Key = tuple[str, str]
Shares = dict[str, dict[str, float]]


def dealt(rate: float, demands: dict[int, float], workers: Collection[int]) -> dict[int, float]:
    """The share of each worker; they add up to the rate."""
    total = sum(demands.get(worker, 0.0) for worker in workers)
    if not workers:
        return {}
    if total <= 0.0:
        return {worker: rate / len(workers) for worker in workers}
    even = rate * EVEN_PART / len(workers)
    return {worker: even + rate * (1.0 - EVEN_PART) * demands.get(worker, 0.0) / total for worker in workers}


class RateAllocator:
    """What was asked of each worker, and since when limits are exceeded."""

    def __init__(self) -> None:
        self._demands: dict[Key, dict[int, float]] = {}
        self._acting: dict[str, tuple[float, int]] = {}
        self._of_nodes: dict[int, tuple[float, dict[Key, float]]] = {}
        self.has_news = False
        """Was demand reported, or a worker forgotten, since this was made False?"""

    def told(self, worker: int, demand: dict[str, dict[str, list[int]]], now: float) -> None:
        """A worker's report."""
        self.has_news = True
        said = {(name, key): counts for name, keys in demand.items() for key, counts in keys.items()}
        for known, by_worker in self._demands.items():
            if known not in said and worker in by_worker:
                by_worker[worker] *= 1.0 - FRESH
        for key, (offered, exceeded) in said.items():
            by_worker = self._demands_of(key)
            by_worker[worker] = FRESH * offered + (1.0 - FRESH) * by_worker.get(worker, float(offered))
            if exceeded:
                self._acting[key[0]] = (now, exceeded)
        self._forget()

    def _demands_of(self, key: Key) -> dict[int, float]:
        if key not in self._demands and len(self._demands) >= KEYS_MAX:
            del self._demands[next(iter(self._demands))]
        return self._demands.setdefault(key, {})

    def _forget(self) -> None:
        for key in [key for key, known in self._demands.items() if sum(known.values()) < FORGET_BELOW]:
            del self._demands[key]

    # -- other nodes ---------------------------------------------------------------------------------

    def told_node(self, node: int, demand: dict[str, dict[str, float]], now: float) -> None:
        """The demand at another node, of the keys that it told."""
        self.has_news |= bool(demand) or node in self._of_nodes
        # What is no amount would make none of a share, or more of it than the rate.
        said = {(name, key): asked for name, keys in demand.items() for key, asked in keys.items() if 0 <= asked < inf}
        self._of_nodes.pop(node, None)
        if said:
            self._of_nodes[node] = now, dict(islice(said.items(), KEYS_MAX))

    def forget_node(self, node: int) -> None:
        """It is not reached any more."""
        if self._of_nodes.pop(node, None) is not None:
            self.has_news = True

    def forget_stale_nodes(self, now: float) -> None:
        """Those that have said nothing for long."""
        for node in [node for node, (told_at, _) in self._of_nodes.items() if now - told_at > NODE_STALE_S]:
            self.forget_node(node)

    def node_demand(self) -> dict[str, dict[str, float]]:
        """The demand at this node by limit and key, of those with the most."""
        sums = ((key, sum(known.values())) for key, known in self._demands.items())
        found: dict[str, dict[str, float]] = {}
        for (name, key), asked in nlargest(KEYS_TOLD_MAX, sums, key=itemgetter(1)):
            found.setdefault(name, {})[key] = round(asked, 3)
        return found

    def _rate_here(self, key: Key, rate: float, asked: float) -> float:
        """The part of a rate that is this node's."""
        demands = {node: said.get(key, 0.0) for node, (_, said) in self._of_nodes.items()}
        if not any(demands.values()):
            return rate
        demands[_HERE] = asked
        return dealt(rate, demands, demands)[_HERE]

    def shares(self, limits: tuple[RateLimitSettings, ...], workers: Collection[int]) -> dict[int, Shares]:
        """By worker, limit and key: what it may let in each second."""
        rates = {limit.name: float(limit.rate_per_s) for limit in limits}
        found: dict[int, Shares] = {worker: {} for worker in workers}
        for (name, key), demands in self._demands.items():
            if name in rates:
                rate = self._rate_here((name, key), rates[name], sum(demands.values()))
                for worker, share in dealt(rate, demands, workers).items():
                    found[worker].setdefault(name, {})[key] = round(share, 4)
        return found

    def conditions(self, limits: tuple[RateLimitSettings, ...], now: float) -> Iterator[Condition]:
        """Which limits are exceeded these days."""
        for limit in limits:
            since, exceeded = self._acting.get(limit.name, (-ACTING_S, 0))
            if now - since < ACTING_S and exceeded:
                subject = f"rate-limit {limit.name}"
                sentence = f"The {limit.of} exceed {subject}: {limit.rate_per_s} per second ({limit.action})."
                yield Condition(RATE_LIMIT_ACTING, subject, sentence)

    def forget_worker(self, worker: int) -> None:
        """It is gone, and its demand with it."""
        self.has_news = True
        for known in self._demands.values():
            known.pop(worker, None)
