"""The settings of the proxy, in the form in which compiled code asks for them.

Settings are objects of Python, and to ask one costs as much as to read a header field; they change with a commit, and
are asked for with each call.
"""

from __future__ import annotations

from appliance.catalogue.authentication_settings import DigestSettings
from appliance.catalogue.outbound_settings import OutboundSettings
from appliance.catalogue.peers import Peers
from appliance.catalogue.proxy_settings import ProxySettings
from appliance.catalogue.settings import ListenerSettings
from appliance.routing.target_set import SearchPolicy
from appliance.sip.digest import write_challenge
from appliance.sip.header_lines import make_line
from appliance.transport.flow import Flow


class ListenerRules:
    """See ListenerSettings. Never changed."""

    __slots__ = ("assert_identity", "authenticate", "name", "peers", "relay", "role")

    def __init__(self, settings: ListenerSettings) -> None:
        self.name = settings.name
        self.role = settings.role
        self.assert_identity = settings.assert_identity
        self.authenticate = settings.authenticate
        self.relay = settings.relay
        self.peers = Peers(settings.peers) if settings.peers else None

    def is_peer(self, flow: Flow) -> bool:
        """Does it come from, or lead to, a peer by configuration?"""
        return self.peers is not None and self.peers.has(flow.remote[0], flow.remote[1], flow.transport)


class ProxyRules:
    """See ProxySettings and OutboundSettings. Never changed."""

    __slots__ = (
        "dialog_lifetime_s",
        "flow_timer_s",
        "hop_timeout_s",
        "max_forwards",
        "path_policy",
        "record_route",
        "recurse_on_redirect",
        "search",
    )

    def __init__(self, settings: ProxySettings, outbound: OutboundSettings) -> None:
        self.flow_timer_s = outbound.flow_timer_s
        self.path_policy = outbound.path
        self.dialog_lifetime_s = settings.dialog_lifetime_s
        self.search = SearchPolicy(settings.fork, settings.targets_max, settings.target_timeout_s)
        self.hop_timeout_s = settings.next_hop_timeout_s
        self.max_forwards = settings.max_forwards
        self.record_route = settings.record_route
        self.recurse_on_redirect = settings.recurse_on_redirect


class DigestRules:
    """See DigestSettings, and the challenges that they make. Never changed but for the lines that are prepared.

    `algorithms`: as they stand in credentials, in capitals.
    """

    __slots__ = ("_challenges", "algorithms", "bind_source", "check_uri")

    def __init__(self, settings: DigestSettings) -> None:
        self.bind_source = settings.bind_source
        self.check_uri = settings.check_uri
        self.algorithms = tuple(algorithm.upper().encode() for algorithm in settings.algorithms)
        # By realm, which is always one of ours, and kind of challenge: what stands before and after the nonce.
        self._challenges: dict[tuple[bytes, bool, bool], list[tuple[bytes, bytes]]] = {}

    def challenge(self, realm: bytes, nonce: bytes, is_register: bool, is_stale: bool) -> tuple[bytes, ...]:
        """Header lines, one for each algorithm, the preferred one first (RFC 3261 22.2, 22.3; RFC 8760 2.4)."""
        key = realm, is_register, is_stale
        parts = self._challenges.get(key)
        if parts is None:
            parts = self._challenges[key] = [
                _around_nonce(realm, algorithm, is_register, is_stale) for algorithm in self.algorithms
            ]
        return tuple([b"".join((before, nonce, after)) for before, after in parts])


def _around_nonce(realm: bytes, algorithm: bytes, is_register: bool, is_stale: bool) -> tuple[bytes, bytes]:
    name = b"WWW-Authenticate" if is_register else b"Proxy-Authenticate"
    line = make_line(name, write_challenge(realm, b"", algorithm, b"auth,auth-int", is_stale))
    before, _, after = line.partition(b'nonce=""')
    return before + b'nonce="', b'"' + after
