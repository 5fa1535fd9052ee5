"""One REGISTER that is being processed: what holds for all of its contacts, and the bindings as they will be.

RFC 3261 10.3 step 7: they are tentative until the whole request is granted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from appliance.catalogue.registrar_settings import RegistrarSettings
from appliance.location.binding import Binding, new_binding
from appliance.location.gruu import TemporaryGruuWriter
from appliance.location.record_version import next_version
from appliance.sip.message import Request
from appliance.sip.names import PATH, SUPPORTED, USER_AGENT, VIA
from appliance.sip.uri import Uri

if TYPE_CHECKING:
    from appliance.transport.flow import Flow

USER_AGENT_LEN_MAX: Final = 128
SAME_INTERVAL_S: Final = 0.5  # intervals are whole seconds


class OwnPlaces(Protocol):
    """The names and addresses of this appliance."""

    def leads_here(self, uri: Uri) -> bool:
        """Does a request for this URI come back to it?"""


class Rules:
    """The settings as numbers that compiled code compares: seconds, and a number of contacts per address."""

    __slots__ = (
        "contacts_max",
        "expires_default_s",
        "expires_max_s",
        "expires_min_s",
        "flow_timer_s",
        "own_contacts",
    )

    def __init__(self, settings: RegistrarSettings, flow_timer_s: int = 0) -> None:
        """`flow_timer_s`: see OutboundSettings; 0 for none."""
        self.flow_timer_s = flow_timer_s
        self.expires_min_s = settings.expires_min_s
        self.expires_default_s = settings.expires_default_s
        self.expires_max_s = settings.expires_max_s
        self.contacts_max = settings.contacts_max
        self.own_contacts = settings.own_contacts


class Registration:
    """One REGISTER being processed: the request's own values, and the bindings as they will be (tentative, 10.3 step
    7).
    """

    __slots__ = (
        "address",
        "aor",
        "call_id",
        "cseq",
        "date_offset_s",
        "entries",
        "flow",
        "is_first_hop",
        "node",
        "own",
        "path",
        "pending",
        "request",
        "rules",
        "source",
        "supported",
        "temporary_gruus",
        "user_agent",
        "uses_outbound",
        "wall_time",
    )

    request: Request
    address: bytes
    aor: bytes
    entries: list[Binding]
    rules: Rules
    flow: Flow | None
    source: tuple[str, int] | None
    wall_time: float
    node: int
    call_id: bytes
    cseq: int
    date_offset_s: float
    supported: list[bytes]
    temporary_gruus: TemporaryGruuWriter | None
    path: tuple[bytes, ...]
    user_agent: bytes
    pending: list[Binding]
    is_first_hop: bool
    uses_outbound: bool
    own: OwnPlaces | None

    def is_measure(self, old: Binding) -> bool:
        """Does its CSeq still count? That of a removal does, too, or a late copy of a REGISTER would undo it."""
        return old.expires_at > self.wall_time or old.expires_at <= 0

    def is_in_order(self, old: Binding) -> bool:
        """RFC 3261 10.3 step 7: inside one Call-ID only a higher CSeq may change a binding."""
        return old.call_id != self.call_id or self.cseq > old.cseq

    def is_repetition(self, old: Binding, uri: bytes, parameters: bytes, q: int, expires_s: int) -> bool:
        """Is this the very request that made the binding, as far as that can tell? (RFC 3261 8.2.7)"""
        return (
            self.cseq == old.cseq
            and self.call_id == old.call_id
            and uri == old.uri
            and parameters == old.parameters
            and q == old.q
            and abs(old.expires_at - old.made_at() - expires_s) < SAME_INTERVAL_S
        )

    def add(
        self,
        old: Binding | None,
        key: bytes,
        uri: bytes,
        parameters: bytes,
        q: int,
        expires_at: float,
        instance: bytes,
        reg_id: int,
        flow: Flow | None,
    ) -> None:
        """Note the record that comes after `old` in the order of the table; expires_at 0 makes it a tombstone."""
        version = next_version(self.wall_time, self.node, 0 if old is None else old.version)
        series = self._series(old, version, instance if expires_at > 0 else b"", reg_id)
        forget_at = expires_at
        if old is not None:
            forget_at = max(forget_at, old.forget_at)
        binding = new_binding(
            self.aor,
            key,
            uri,
            parameters,
            q,
            expires_at,
            forget_at,
            self.call_id,
            self.cseq,
            self.path,
            instance,
            reg_id,
            flow,
            self.source,
            self.user_agent,
            series,
            version,
        )
        # The same contact twice in one request: the last word counts.
        for index, other in enumerate(self.pending):
            if other.key == key:
                self.pending[index] = binding
                return
        self.pending.append(binding)

    def _series(self, old: Binding | None, version: int, instance: bytes, reg_id: int) -> int:
        """See binding.py. `instance`: of a binding that is to be live, else b""."""
        is_live = old is not None and old.expires_at > self.wall_time
        series, newest = 0, None
        if instance:
            for other in self.tentative():
                if other is not old and other.instance == instance and other.expires_at > self.wall_time:
                    series = max(series, other.series)
                    if newest is None or other.version > newest.version:
                        newest = other
        if old is not None and is_live and old.call_id == self.call_id:
            return max(series, old.series)
        # RFC 5627 5.1: did the contact that it was registered with last, or the flow, have another Call-ID?
        if is_live or newest is None or (not reg_id and newest.call_id != self.call_id):
            return version
        # It comes after what is remembered of a former binding.
        return series if old is None else max(series, old.series + 1)

    def tentative(self) -> list[Binding]:
        """Everything remembered of the address as this request has changed it so far, tombstones included."""
        if not self.pending:
            return self.entries
        after = {entry.key: entry for entry in self.entries}
        for binding in self.pending:
            after[binding.key] = binding
        return list(after.values())

    def stored(self, key: bytes) -> Binding | None:
        """The record of that key before this request."""
        for entry in self.entries:
            if entry.key == key:
                return entry
        return None

    def unused_key(self, uri: bytes) -> bytes:
        """A key for a new binding: its URI, unless a binding that had this URI before is called so."""
        keys = {entry.key for entry in self.tentative()}
        key, number = uri, 1
        while key in keys:
            number += 1
            key = b"%b %d" % (uri, number)
        return key

    def drop(self, key: bytes) -> None:
        """Take back what this request itself has added under a key."""
        self.pending = [binding for binding in self.pending if binding.key != key]

    def bindings_after(self) -> list[Binding]:
        """The live bindings once the change is made: those that were there in their order, then the new ones."""
        if len(self.pending) == 1 and len(self.entries) <= 1:
            binding = self.pending[0]
            old = self.entries[0] if self.entries else binding
            if old.key == binding.key:
                return self.pending if binding.expires_at > 0 else []
        return [binding for binding in self.tentative() if binding.expires_at > self.wall_time]


def begin_registration(
    request: Request,
    aor: bytes,
    entries: list[Binding],
    rules: Rules,
    flow: Flow | None,
    source: tuple[str, int] | None,
    wall_time: float,
    node: int,
    own: OwnPlaces | None,
) -> Registration:
    """The REGISTER before anything of it has been granted. No constructor: see new_binding."""
    registration = Registration.__new__(Registration)
    registration.request = request
    registration.aor = aor
    registration.address = aor
    registration.temporary_gruus = None
    registration.entries = entries
    registration.rules = rules
    registration.flow = flow
    registration.is_first_hop = request.has_one_value(VIA)
    registration.uses_outbound = False
    registration.source = source
    registration.wall_time = wall_time
    registration.node = node
    registration.own = own
    registration.call_id = request.read_call_id()
    registration.cseq = request.read_cseq_number()
    # RFC 3261 7.3.1: option-tags compare without case.
    registration.supported = [option.lower() for option in request.values(SUPPORTED)]
    registration.path = tuple(request.values(PATH))
    registration.user_agent = request.first(USER_AGENT) or b""
    if len(registration.user_agent) > USER_AGENT_LEN_MAX:
        registration.user_agent = registration.user_agent[:USER_AGENT_LEN_MAX]
    registration.pending = []
    return registration
