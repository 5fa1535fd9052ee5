"""What the stages and branches of one stack share.

Plain data: the settings, the tables and the keyed functions. A change of one of them is reported
in its own file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final, Protocol

from appliance.catalogue.listener_ids import names_of
from appliance.catalogue.peers import Peers
from appliance.catalogue.settings import Settings
from appliance.location.binding import BindingChange
from appliance.location.change_limits import ChangeLimits
from appliance.location.gruu import instance_of
from appliance.location.registration import Rules
from appliance.location.registration_table import RegistrationTable
from appliance.location.table_store import TableUnsound
from appliance.messages.msgpack_codec import Packer
from appliance.messages.sealing_keys import SealingKeys, first_keys
from appliance.overload.default_rate_limits import built_in_limits
from appliance.overload.rate_limits import RateLimits
from appliance.proxy.events import EventQueue
from appliance.proxy.failed_lookups import FailedLookups
from appliance.proxy.fast_settings import DigestRules, ProxyRules
from appliance.proxy.pending_lookups import PendingLookups
from appliance.proxy.software_faults import SoftwareFaults
from appliance.routing.call_router import CallRouter
from appliance.routing.contact_policy import PUBLISHED, ContactPolicy
from appliance.routing.lookup_questions import FindEnum, FindRoutes, FindSubscriber, LookupHost, LookupServers, Question
from appliance.routing.next_hops import NONE_FAILED, NextHops
from appliance.routing.own_names import OwnNames
from appliance.routing.routing_failures import RoutingFailures
from appliance.routing.unavailable_hops import UnavailableHops
from appliance.security.authentication_failures import AuthenticationFailures
from appliance.security.dialog_token import DialogTokens
from appliance.security.flow_token import FlowTokens
from appliance.security.keys import Keys
from appliance.security.nonces import Nonces
from appliance.security.temporary_gruu import TemporaryGruus
from appliance.sip.uri import Uri, canonical_user
from appliance.transaction.table import Transactions
from appliance.transport.flow import Flow
from appliance.transport.process_id import ProcessId
from appliance.worker_group.connection_directory import ConnectionDirectory


class KeptCall(Protocol):
    """A request that another worker could go on with."""

    @property
    def key(self) -> bytes:
        """That of its server transaction."""

    @property
    def call_id(self) -> bytes: ...

    @property
    def way_in(self) -> int:
        """The place of the listener that it came in by."""

    def snapshot(self) -> bytes:
        """How it stands; b"" when nothing about it may matter any more."""

    def relinquish(self, now: float) -> None:
        """Another worker goes on: end without a word."""


class ProxyEnvironment:
    """The shared tables of one worker's proxy.

    `changed_calls` are those of which another snapshot is to be kept, by the key of the server transaction.
    `waiting` are the requests without a transaction that wait for an answer of the world, by the key that it would have
    (see suspended.py).
    """

    __slots__ = (
        "_addresses",
        "_key",
        "bindings",
        "change_limits",
        "changed_calls",
        "connections",
        "contact_policy",
        "counters",
        "date_offset_s",
        "dialog_tokens",
        "digest_rules",
        "events",
        "failed_lookups",
        "failures",
        "faults",
        "flow_tokens",
        "hosts",
        "keys",
        "names",
        "next_hops",
        "nonces",
        "packer",
        "peers",
        "pending_lookups",
        "process",
        "proxy_rules",
        "publish",
        "rate_limits",
        "registrar_rules",
        "router",
        "routing_failures",
        "servers",
        "settings",
        "subscribers",
        "temporary_gruus",
        "transactions",
        "unavailable_hops",
        "waiting",
        "wall_offset_s",
    )

    def __init__(
        self,
        settings: Settings,
        process: ProcessId,
        key: bytes,
        counters: list[int],
        transactions: Transactions,
        bindings: RegistrationTable,
        connections: ConnectionDirectory,
        nonces: Nonces,
        addresses: Sequence[str] = (),
    ) -> None:
        """`addresses`: all those of this machine, whichever of them have a listener."""
        self._addresses = tuple(addresses)
        self.settings = settings
        self.process = process
        self.counters = counters
        self.faults = SoftwareFaults(counters)
        # None as long as there is no consumer: nothing is made then.
        self.events: EventQueue | None = None
        self.transactions = transactions
        self.bindings = bindings
        self.connections = connections
        connections.nodes.use_names(names_of(settings.listeners))
        self.publish: Callable[[BindingChange], int] = bindings.apply
        self._key = key
        self.use_sealing_keys(first_keys(key))
        self.names = OwnNames(settings)
        self.pending_lookups = PendingLookups(settings, counters)
        self.hosts = self.pending_lookups.cache_of(LookupHost.kind)
        self.subscribers = self.pending_lookups.cache_of(FindSubscriber.kind)
        self.servers = self.pending_lookups.cache_of(LookupServers.kind)
        self.next_hops = NextHops(settings.listeners, self.hosts, self.servers, self.keys.servers)
        self.unavailable_hops = UnavailableHops(
            settings.limits.unavailable_hops_max, settings.proxy.retry_after_max_s, settings.proxy.next_hop_pause_s
        )
        self.failed_lookups = FailedLookups(counters)
        self.nonces = nonces
        self.rate_limits = RateLimits(settings.rate_limits, built_in_limits(settings))
        self.failures = AuthenticationFailures(settings.lockout)
        self.registrar_rules = Rules(settings.registrar, settings.outbound.flow_timer_s)
        self._bound_bindings(settings)
        self.change_limits = ChangeLimits(settings.registrar.changes_max)
        self.contact_policy = ContactPolicy(settings, self._addresses)
        self.peers = tuple(Peers(listener.peers) for listener in settings.listeners)
        self.proxy_rules = ProxyRules(settings.proxy, settings.outbound)
        self.digest_rules = DigestRules(settings.digest)
        lookups = self.pending_lookups.cache_of(FindRoutes.kind)
        self.router = CallRouter(settings, self.pending_lookups.cache_of(FindEnum.kind), lookups)
        self.routing_failures = RoutingFailures()
        self.packer = Packer()
        self.changed_calls: dict[bytes, KeptCall] = {}
        self.waiting: dict[bytes, KeptCall] = {}
        self.wall_offset_s = 0.0
        # What the machine's clock is ahead of the one by which registrations live: it may have been set.
        self.date_offset_s = 0.0

    def without_effects(self) -> ProxyEnvironment:
        """The same settings and tables, for a decision that has no effect (`test route`).

        What stages count, take from a limit, note or publish there is not kept. It is for one decision: it does not
        follow a change of the settings.
        """
        other = ProxyEnvironment.__new__(ProxyEnvironment)
        for name in _SHARED:
            setattr(other, name, getattr(self, name))
        other.counters = self.counters.copy()
        other.events = None
        other.publish = _publish_nothing
        other.rate_limits = self.rate_limits.without_effects()
        other.change_limits = self.change_limits.without_effects()
        other.nonces = self.nonces.without_effects()
        other.failures = self.failures.without_effects()
        other.routing_failures = RoutingFailures()
        other.router = self.router.without_effects()
        return other

    def reconfigure(self, settings: Settings) -> None:
        """Go by new settings; what is remembered stays as far as it fits.

        The names under which peers have learned to reach us stay ours: what was sent with them is answered to them.
        """
        self.names = OwnNames(settings, self.settings.listeners)
        self.settings = settings
        self.connections.nodes.use_names(names_of(settings.listeners))
        self.next_hops = NextHops(settings.listeners, self.hosts, self.servers, self.keys.servers)
        self.unavailable_hops.limit = settings.limits.unavailable_hops_max
        self.unavailable_hops.longest_s = settings.proxy.retry_after_max_s
        self.unavailable_hops.pause_s = settings.proxy.next_hop_pause_s
        self.pending_lookups.reconfigure(settings)
        self.rate_limits.reconfigure(settings.rate_limits, built_in_limits(settings))
        self.failures.reconfigure(settings.lockout)
        self.registrar_rules = Rules(settings.registrar, settings.outbound.flow_timer_s)
        self._bound_bindings(settings)
        self.change_limits.changes_max = settings.registrar.changes_max
        self.contact_policy = ContactPolicy(settings, self._addresses)
        self.peers = tuple(Peers(listener.peers) for listener in settings.listeners)
        self.proxy_rules = ProxyRules(settings.proxy, settings.outbound)
        self.digest_rules = DigestRules(settings.digest)
        self.router.reconfigure(settings)
        self.nonces.reconfigure(settings.digest.nonce_lifetime_s)

    def _bound_bindings(self, settings: Settings) -> None:
        self.bindings.limit = settings.limits.bindings_max
        self.bindings.lifetime_max_s = settings.registrar.expires_max_s

    def use_sealing_keys(self, keys: SealingKeys) -> None:
        """Seal tokens and branches with other keys from now on."""
        self.keys = Keys(self._key, keys)
        self.dialog_tokens = DialogTokens(keys)
        self.flow_tokens = FlowTokens(keys)
        self.temporary_gruus = TemporaryGruus(keys)

    def make_events(self, is_wanted: bool) -> None:
        """Make events of calls and registrations (events.py) from now on, or no more."""
        self.events = EventQueue(self.counters) if is_wanted else None

    def gauges(self) -> dict[str, int]:
        """How full the tables are, by name; without one that cannot be read."""
        gauges = {
            "transactions": len(self.transactions),
            "transactions_pending": self.transactions.pending,
            **self.pending_lookups.gauges(),
            "unavailable_hops": len(self.unavailable_hops),
        }
        try:
            gauges["registrations"] = len(self.bindings)
        except TableUnsound as fault:
            self.bindings.fault = str(fault)
        return gauges

    def wall_time(self, now: float) -> float:
        """Unix time of a monotonic moment, as registrations live by it; no step of the machine's clock moves it."""
        return now + self.wall_offset_s

    def date(self, now: float) -> float:
        """Unix time of a monotonic moment by the machine's clock, which may have been set."""
        return self.wall_time(now) + self.date_offset_s

    def is_peer(self, flow: Flow) -> bool:
        """Does it lead to a peer of its listener: a trusted hop?"""
        if not 0 <= flow.listener < len(self.peers):
            return False
        peers: Peers = self.peers[flow.listener]
        return peers.has(flow.remote[0], flow.remote[1], flow.transport)

    def grants_relay(self, hop: Flow) -> bool:
        """Might a request from there go to foreign targets, by the setting `relay` and without credentials?"""
        if not 0 <= hop.listener < len(self.peers):
            return False
        relay = self.settings.listeners[hop.listener].relay
        return relay == "any" or (relay == "authenticated" and self.is_peer(hop))

    def passable(
        self, hops: list[Flow], origin: int, way_in: int, now: float, failed: Collection[Question] = NONE_FAILED
    ) -> list[Flow]:
        """The hops that a target of this origin may take; `way_in`: the listener that the request came in by.

        `failed`: questions that DNS could not answer. Raises GatewayUnknown, and LocationUnknown.
        """
        passable = self.contact_policy.passable(hops, origin, way_in)
        if origin == PUBLISHED:
            passable = self.router.gateways.without(passable, self.next_hops, now, failed)
        if self.connections.nodes.is_used:
            return [self.connections.by_node(hop) for hop in passable]
        return passable

    def aor_of(self, uri: Uri) -> bytes:
        """The address-of-record that a URI in one of our domains stands for (RFC 3261 10.3 step 5)."""
        return self.names.aor_of(canonical_user(uri.user or b""), uri.host)

    def destination_of(self, uri: Uri) -> bytes:
        """What of a Request-URI decides where a request goes (RFC 5393 4.2.1).

        Of an address of ours: whose it is and which instance, however the rest is written. Of others: all of it.
        """
        if not self.names.is_responsible_for(uri):
            return uri.text
        return b"".join((uri.scheme, b" ", self.aor_of(uri), b" ", instance_of(uri)))


def _publish_nothing(change: BindingChange) -> int:
    """0: nothing has to be written."""
    return 0


_OWN: Final = frozenset(
    {
        *("_addresses", "_key", "change_limits", "counters", "events", "failures", "nonces", "publish", "rate_limits"),
        *("router", "routing_failures"),
    }
)
# What an environment without effects has in common with the one that it was made of: what stages only read.
_SHARED: Final = tuple(
    name
    for name in ProxyEnvironment.__slots__
    if name not in _OWN
)
