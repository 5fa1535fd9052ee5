"""What DNS has answered about the servers of domains: NAPTR and SRV records; that there are none is kept as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.routing.kept_answers import KeptAnswers

if TYPE_CHECKING:
    from appliance.routing.lookup_questions import LookupServers, ServersAnswer


class ServerCache(KeptAnswers):
    """`TYPE NAME` to records (server_records.py)."""

    __slots__ = ()

    def without_effects(self) -> ServerCache:
        """The same answers, for a decision that has no effect."""
        other = ServerCache.__new__(ServerCache)
        self.share_with(other)
        return other

    def keep(self, question: LookupServers, answer: ServersAnswer, now: float) -> None:
        """Keep what DNS has answered."""
        self.store(key_of(question.record_type, question.name), answer.records, answer.ttl_s, now)


def key_of(record_type: bytes, name: bytes) -> bytes:
    """The name of an answer in the cache."""
    return record_type + b" " + name
