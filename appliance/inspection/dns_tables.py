"""What an operator sees of DNS in one worker: the answers that it keeps, and the next hops that it leaves alone."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from appliance.catalogue.transports import TRANSPORT_NAMES
from appliance.messages.dns_messages import DnsCacheRow, DnsCacheRows, HopRow, HopRows
from appliance.proxy.environment import ProxyEnvironment
from appliance.routing.kept_answers import KeptAnswer
from appliance.routing.server_records import NaptrRecord, SrvRecord

# The states of unavailable_hops.py in words.
REASONS: Final = ("asked for a pause (503)", "no response", "unreachable")


def dns_cache(node: ProxyEnvironment, limit: int, offset: int, now: float) -> DnsCacheRows:
    """The kept answers from the place `offset` on: hosts, servers of domains, ENUM domains."""
    caches = node.pending_lookups.caches_of_dns()
    answers = ((kind, *item) for kind, cache in caches.items() for item in cache.items())
    rows = [_answer_row(*found, now) for found in islice(answers, offset, offset + limit)]
    return DnsCacheRows(sum(map(len, caches.values())), rows)


def clear_dns_cache(node: ProxyEnvironment, name: str) -> int:
    """Forget all answers, or those about a domain name; how many there were."""
    caches = node.pending_lookups.caches_of_dns().values()
    wanted = name.lower().rstrip(".").encode()
    if not wanted:
        return sum(cache.clear() for cache in caches)
    return sum(cache.forget(key) for cache in caches for key, _ in list(cache.items()) if _is_about(key, wanted))


def hops(node: ProxyEnvironment, limit: int, offset: int, now: float) -> HopRows:
    """The next hops that are left alone, from the place `offset` on."""
    found = [
        HopRow(TRANSPORT_NAMES[transport], address, port, REASONS[why], int(seconds) + 1)
        for transport, address, port, why, seconds in node.unavailable_hops.rows(now)
    ]
    return HopRows(len(found), found[offset : offset + limit])


def _answer_row(kind: str, key: bytes, answer: KeptAnswer, now: float) -> DnsCacheRow:
    name, values = key.decode("utf-8", "replace"), [_text_of(value) for value in answer.values]
    return DnsCacheRow(kind, name, values, max(0, int(answer.expires_at - now)), _state_of(answer, now))


def _is_about(key: bytes, name: bytes) -> bool:
    """Is it an answer about this name: its addresses, its NAPTR records, the SRV records of a service of it?"""
    asked = key.rpartition(b" ")[2]
    return asked == name or (asked.startswith(b"_") and asked.endswith(b"." + name))


def _state_of(answer: KeptAnswer, now: float) -> str:
    if now < answer.expires_at:
        return "valid"
    return "stale" if answer.is_failing and now < answer.kept_until else "expired"


def _text_of(value: Any) -> str:
    if isinstance(value, SrvRecord):
        return f"{value.priority} {value.weight} {value.port} {value.target.decode()}"
    if isinstance(value, NaptrRecord):
        return f"{value.order} {value.preference} {TRANSPORT_NAMES[value.transport]} {value.name.decode()}"
    return str(value)
