"""A binding: one contact that is registered for an address-of-record, as a record with its place in an order.

RFC 3261 10, RFC 5627 (instances), RFC 5626 (reg-id).

Tables of bindings are replicated maps: each binding is a record that carries its place in a total order, and the later
record wins. The order is (series, cseq, version). `version` is the time of the change and the node that made it
(record_version.py); `series` is the version at which the binding's present Call-ID began, so that inside one Call-ID
the CSeq decides and between two Call-IDs the later one does. Bindings of one instance take over the latest series among
them when they join and when they are refreshed: it is the version at which one of them has changed its Call-ID, and no
temporary GRUU from before it counts (RFC 5627 5.1). (Comparing CSeqs where the Call-IDs agree and versions
where they do not would be no order at all: three records can beat each other in a circle, and tables would differ for
ever.) Two workers of a node can make equal versions in one microsecond. Then the greater Call-ID wins, and where even
that is the same, the greater content: any rule does, as long as it is the same in every table.

A removal is a record too (a tombstone: `expires_at` <= 0), kept until `forget_at`, the time at which the binding it
removed would have ended by itself: a copy of the removed record that turns up late finds the tombstone, and after it
is dead anyway.
"""

from __future__ import annotations

from typing import Final

from appliance.location.record_version import made_at
from appliance.transport.flow import Flow
from appliance.transport.process_id import NO_PROCESS, ProcessId

NO_FLOW: Final = -1


class Binding:
    """One contact of one address-of-record, or the tombstone of one (`expires_at` <= 0).

    aor: canonical (RFC 3261 10.3 step 5). key: what names the binding inside its aor: the contact URI as first
    registered, or instance and reg-id. uri: the contact URI byte-exact, no angle brackets. parameters: the contact's
    header parameters as text with their leading ";", without q, expires and GRUUs. q: 0..1000. expires_at, forget_at:
    unix time. path: Path values, the nearest to us first. instance: +sip.instance without quotes, b"" none. reg_id: 0
    none. flow: the way the REGISTER came by (its remote address is `source`), where it matters. source: (address,
    port) the REGISTER came from. series, version: see the module.

    Path and flow are held in parts and put together when asked: so a million of these are no work for the garbage
    collector.
    """

    __slots__ = (
        "aor",
        "bucket",
        "call_id",
        "connection",
        "cseq",
        "expires_at",
        "forget_at",
        "instance",
        "is_counted",
        "key",
        "listener",
        "parameters",
        "path_text",
        "process",
        "q",
        "reg_id",
        "series",
        "source_ip",
        "source_port",
        "transport",
        "uri",
        "user_agent",
        "version",
    )

    aor: bytes
    bucket: int
    call_id: bytes
    connection: int
    cseq: int
    expires_at: float
    forget_at: float
    instance: bytes
    is_counted: bool
    key: bytes
    listener: int
    parameters: bytes
    path_text: bytes
    process: ProcessId
    q: int
    reg_id: int
    series: int
    source_ip: str
    source_port: int
    transport: int
    uri: bytes
    user_agent: bytes
    version: int

    @property
    def source(self) -> tuple[str, int] | None:
        return (self.source_ip, self.source_port) if self.source_ip else None

    @property
    def path(self) -> tuple[bytes, ...]:
        return tuple(self.path_text.split(b"\n")) if self.path_text else ()

    @property
    def flow(self) -> Flow | None:
        if self.transport == NO_FLOW:
            return None
        return Flow(self.transport, self.listener, (self.source_ip, self.source_port), self.process, self.connection)

    def is_live(self, wall_time: float) -> bool:
        return self.expires_at > wall_time

    def made_at(self) -> float:
        """Unix time of the change that made it what it is."""
        return made_at(self.version)

    def comes_after(self, other: Binding) -> bool:
        """Whether this record wins over the other one of the same binding (a total order: see the module)."""
        if self.series != other.series:
            return self.series > other.series
        if self.cseq != other.cseq:
            return self.cseq > other.cseq
        if self.version != other.version:
            return self.version > other.version
        if self.call_id != other.call_id:
            return self.call_id > other.call_id
        return self._content() > other._content()

    def _content(self) -> tuple[object, ...]:
        """What two records of one version and Call-ID could differ in; not the times, which a table changes itself."""
        return (
            self.uri,
            self.parameters,
            self.q,
            self.path_text,
            self.instance,
            self.reg_id,
            self.source_ip,
            self.source_port,
            self.transport,
            self.listener,
            self.process,
            self.connection,
            self.user_agent,
        )


def new_binding(
    aor: bytes,
    key: bytes,
    uri: bytes,
    parameters: bytes,
    q: int,
    expires_at: float,
    forget_at: float,
    call_id: bytes,
    cseq: int,
    path: tuple[bytes, ...],
    instance: bytes,
    reg_id: int,
    flow: Flow | None,
    source: tuple[str, int] | None,
    user_agent: bytes,
    series: int,
    version: int,
) -> Binding:
    """A binding that is in no table yet. No constructor: those cost compiled code an object for each number."""
    binding = Binding.__new__(Binding)
    binding.aor = aor
    binding.key = key
    binding.uri = uri
    binding.parameters = parameters
    binding.q = q
    binding.expires_at = expires_at
    binding.forget_at = forget_at
    binding.call_id = call_id
    binding.cseq = cseq
    binding.path_text = b"\n".join(path) if path else b""
    binding.instance = instance
    binding.reg_id = reg_id
    if flow is None:
        binding.transport = NO_FLOW
        binding.listener = binding.connection = 0
        binding.process = NO_PROCESS
    else:
        binding.transport = flow.transport
        binding.listener = flow.listener
        binding.process = flow.process
        binding.connection = flow.connection
        source = flow.remote
    binding.source_ip = "" if source is None else source[0]
    binding.source_port = 0 if source is None else source[1]
    binding.user_agent = user_agent
    binding.series = series
    binding.version = version
    binding.bucket = 0
    binding.is_counted = False
    return binding


class BindingChange:
    """What one request changes at one address-of-record: the new, changed or removed (tombstone) bindings."""

    __slots__ = ("aor", "bindings")

    def __init__(self, aor: bytes, bindings: tuple[Binding, ...]) -> None:
        self.aor = aor
        self.bindings = bindings
