"""The next hops of a URI by answers that are given step by step, without effect on what is kept (RFC 3263 4)."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.catalogue.settings import ListenerSettings
from appliance.routing.host_cache import HostCache
from appliance.routing.lookup_questions import Answer, LookupHost, LookupServers, Question
from appliance.routing.next_hops import NextHops
from appliance.routing.server_cache import ServerCache
from appliance.sip.siphash import SipHash
from appliance.sip.uri import Uri
from appliance.transport.flow import Flow


class HopTrial:
    """Begins with what the caches have; they have to be the caller's own."""

    def __init__(
        self, listeners: Sequence[ListenerSettings], hosts: HostCache, servers: ServerCache, choice: SipHash
    ) -> None:
        self._hosts = hosts
        self._servers = servers
        self._next_hops = NextHops(tuple(listeners), hosts, servers, choice)
        self._failed: set[Question] = set()

    def find(self, uri: Uri, request_len: int, listener: int, call_id: bytes, now: float) -> list[Flow]:
        """See NextHops.find."""
        return self._next_hops.find(uri, request_len, listener, call_id, now, self._failed)

    def learn(self, question: Question, answer: Answer, now: float) -> None:
        """Go by this answer as well."""
        if answer.failed:
            self._failed.add(question)
        elif isinstance(question, LookupHost):
            self._hosts.keep(question, answer, now)  # type: ignore[arg-type]
        elif isinstance(question, LookupServers):
            self._servers.keep(question, answer, now)  # type: ignore[arg-type]
