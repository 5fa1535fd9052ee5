"""The settings of the proxy, in the form in which compiled code asks for them.

Settings are objects of Python, and to ask one costs as much as to read a header field; they change with a commit, and
are asked for with each call.

Knows nothing of what the rules are for.
"""

from __future__ import annotations

from appliance.catalogue.settings import ListenerSettings, ProxySettings


class ListenerRules:
    """See ListenerSettings. Never changed."""

    __slots__ = ("authenticate", "name", "peers", "relay", "role")

    def __init__(self, settings: ListenerSettings) -> None:
        self.name = settings.name
        self.role = settings.role
        self.authenticate = settings.authenticate
        self.relay = settings.relay
        self.peers = frozenset(settings.peers)

    def is_peer(self, address: str) -> bool:
        """Is this the address of a peer by configuration?"""
        return len(self.peers) > 0 and address in self.peers


class ProxyRules:
    """See ProxySettings. Never changed."""

    __slots__ = ("dialog_lifetime_s", "fork", "max_forwards", "record_route", "recurse_on_redirect", "targets_max")

    def __init__(self, settings: ProxySettings) -> None:
        self.dialog_lifetime_s = settings.dialog_lifetime_s
        self.fork = settings.fork
        self.targets_max = settings.targets_max
        self.max_forwards = settings.max_forwards
        self.record_route = settings.record_route
        self.recurse_on_redirect = settings.recurse_on_redirect
