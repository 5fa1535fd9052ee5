"""What a stack asks of the outside, and what is answered: each kind of question, declared once.

The pure stack resolves no name and reads no database. It hands out questions and goes on with other work; the answer
comes back by its number. `failed` means "cannot know"; it is never "no", and it is never remembered. What is kept of a
name beyond its time may stand in for it (kept_answers.py).

A new kind is a class of questions with its declaration (`kind`), a class of answers, and a door in
workers/lookup_doors.py that answers it. Stages ask by `Ask(question)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar

from appliance.catalogue.counters import (
    CONNECTIONS_FAILED,
    DNS_FAILED,
    LOOKUPS_FULL,
    QUERIES_FULL,
    ROUTE_LOOKUPS_FAILED,
    STORE_FAILED,
)
from appliance.catalogue.settings import Settings
from appliance.messages.worker_requests import LookupNeeded
from appliance.routing.enum_cache import EnumCache
from appliance.routing.host_cache import HostCache
from appliance.routing.lookup_cache import LookupCache
from appliance.routing.server_cache import ServerCache, key_of
from appliance.routing.server_records import NAPTR, NaptrRecord, SrvRecord, parse_naptr, parse_srv
from appliance.routing.subscriber_cache import SubscriberCache
from appliance.transport.flow import Flow


class Answer(Protocol):
    """An answer; what else is in it is a matter of its kind. `id`: that of the question."""

    @property
    def id(self) -> int: ...
    @property
    def failed(self) -> bool: ...


class AnswerCache(Protocol):
    """Keeps the answers of one kind of question, bounded."""

    def keep(self, question: Any, answer: Any, now: float) -> None:
        """Keep an answer that did not fail."""

    def reconfigure(self, settings: Settings) -> None: ...
    def __len__(self) -> int: ...


class OutlivingCache(AnswerCache, Protocol):
    """A cache whose answers are of use beyond their time (kept_answers.py)."""

    def outlive(self, name: bytes, now: float) -> tuple[Any, ...] | None: ...
    def take_due(self) -> list[bytes]: ...


Cache = TypeVar("Cache", bound=AnswerCache)


@dataclass(frozen=True, slots=True, eq=False)
class LookupKind(Generic[Cache]):
    """How one kind of question is asked.

    `name`            as `test route` calls it.
    `door`            what is asked, as operators read it.
    `waiting_max`     the limit of requests that wait for an answer;
    `waiting_gauge`   the gauge of how many do;
    `full_counter`    those that were refused because of it.
    `running_max`     the limit of questions at a time, of each worker.
    `timeout_ms`      the limit of the time for one answer. Limits are fields of LimitSettings.
    `failed_counter`  the requests that got no answer.
    `new_cache`       what keeps the answers; None: each request asks.
    `cached_gauge`    the gauge of how many answers are kept.
    `of_name`         the question for a name of an OutlivingCache; None: the cache is none.
    """

    name: str
    door: str
    waiting_max: str
    waiting_gauge: str
    full_counter: int
    running_max: str
    timeout_ms: str
    failed_counter: int
    new_cache: Callable[[Settings], Cache] | None = None
    cached_gauge: str = ""
    of_name: Callable[[bytes], NamedQuestion] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question; two that want to know the same are equal. `source`: which source made us ask first."""

    kind: ClassVar[LookupKind[Any]]
    id: int = field(default=0, compare=False)
    source: str = field(default="", compare=False)

    @property
    def subject(self) -> str:
        """What it is about, as operators read it; differs for questions of a kind that differ."""
        raise NotImplementedError

    def unknown(self) -> Answer:
        """The answer when nothing can be known."""
        raise NotImplementedError

    def answer_of(self, found: list[str]) -> Answer:
        """The answer that an operator's process has found; [] where there is nothing of that name."""
        raise NotImplementedError

    def needed(self) -> LookupNeeded:
        """The question as text, for an operator's process."""
        own = (each.name for each in fields(self) if each.compare)
        texts = {name: getattr(self, name).decode("utf-8", "replace") for name in own}
        return LookupNeeded(self.kind.name, self.subject, texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedQuestion(Question):
    """A question whose answers are kept by a name, and beyond their time (kept_answers.py)."""

    @property
    def cached_name(self) -> bytes:
        """The name in the cache."""
        raise NotImplementedError

    def kept(self, values: tuple[Any, ...]) -> Answer:
        """The answer that the cache has."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """Addresses as text without brackets, in the order to try; `ttl_s` seconds for the cache."""

    id: int
    addresses: tuple[str, ...]
    failed: bool
    ttl_s: float


@dataclass(frozen=True, slots=True)
class LookupHost(NamedQuestion):
    """Which addresses has this host (RFC 3263 4.2: A and AAAA)?"""

    host: bytes

    kind: ClassVar[LookupKind[HostCache]] = LookupKind(
        name="host",
        door="DNS",
        waiting_max="lookups_waiting_max",
        waiting_gauge="lookups_waiting",
        full_counter=LOOKUPS_FULL,
        running_max="lookups_max",
        timeout_ms="lookup_timeout_ms",
        failed_counter=DNS_FAILED,
        new_cache=HostCache,
        cached_gauge="hosts",
        of_name=lambda name: LookupHost(name),
    )

    @property
    def subject(self) -> str:
        """The host."""
        return self.host.decode("utf-8", "replace")

    @property
    def cached_name(self) -> bytes:
        """The host."""
        return self.host

    def kept(self, values: tuple[Any, ...]) -> HostAnswer:
        """Addresses."""
        return HostAnswer(self.id, values, False, 0.0)

    def unknown(self) -> HostAnswer:
        """DNS could not say."""
        return HostAnswer(self.id, (), True, 0.0)

    def answer_of(self, found: list[str]) -> HostAnswer:
        """Of its addresses."""
        return HostAnswer(self.id, tuple(found), False, 0.0)


@dataclass(frozen=True, slots=True)
class SubscriberAnswer:
    """HA1 values as lower-case hex text; `failed` when the store could not say."""

    id: int
    found: bool
    failed: bool
    ha1_md5: bytes = b""
    ha1_sha256: bytes = b""


@dataclass(frozen=True, slots=True)
class FindSubscriber(Question):
    """Is `username` a subscriber of `realm`, and what are the HA1 values (RFC 7616 3.4.2)?"""

    username: bytes
    realm: bytes

    kind: ClassVar[LookupKind[SubscriberCache]] = LookupKind(
        name="subscriber",
        door="the database",
        waiting_max="queries_waiting_max",
        waiting_gauge="queries_waiting",
        full_counter=QUERIES_FULL,
        running_max="queries_max",
        timeout_ms="query_timeout_ms",
        failed_counter=STORE_FAILED,
        new_cache=lambda settings: SubscriberCache(settings.limits.subscribers_cached_max, settings.digest.cache_s),
        cached_gauge="subscribers",
    )

    @property
    def subject(self) -> str:
        """The subscriber, as operators write it."""
        return f"{self.username.decode('utf-8', 'replace')}@{self.realm.decode('utf-8', 'replace')}"

    def unknown(self) -> SubscriberAnswer:
        """The store could not say."""
        return SubscriberAnswer(self.id, False, True)

    def answer_of(self, found: list[str]) -> SubscriberAnswer:
        """Of the name of the subscriber, if there is one."""
        return SubscriberAnswer(self.id, bool(found), False)


@dataclass(frozen=True, slots=True)
class EnumAnswer:
    """NAPTR records as text (enum_rules.py); `ttl_s` seconds for the cache."""

    id: int
    records: tuple[str, ...]
    failed: bool
    ttl_s: float


@dataclass(frozen=True, slots=True)
class FindEnum(NamedQuestion):
    """Which NAPTR records has this domain of a number (RFC 6116)?"""

    domain: bytes

    kind: ClassVar[LookupKind[EnumCache]] = LookupKind(
        name="enum",
        door="DNS",
        waiting_max="lookups_waiting_max",
        waiting_gauge="enum_waiting",
        full_counter=LOOKUPS_FULL,
        running_max="lookups_max",
        timeout_ms="lookup_timeout_ms",
        failed_counter=DNS_FAILED,
        new_cache=EnumCache,
        cached_gauge="enum_numbers",
        of_name=lambda name: FindEnum(name),
    )

    @property
    def subject(self) -> str:
        """The domain."""
        return self.domain.decode("utf-8", "replace")

    @property
    def cached_name(self) -> bytes:
        """The domain."""
        return self.domain

    def kept(self, values: tuple[Any, ...]) -> EnumAnswer:
        """Records."""
        return EnumAnswer(self.id, values, False, 0.0)

    def unknown(self) -> EnumAnswer:
        """DNS could not say."""
        return EnumAnswer(self.id, (), True, 0.0)

    def answer_of(self, found: list[str]) -> EnumAnswer:
        """Of its records."""
        return EnumAnswer(self.id, tuple(found), False, 0.0)


@dataclass(frozen=True, slots=True)
class ServersAnswer:
    """NAPTR or SRV records (server_records.py); `ttl_s` seconds for the cache."""

    id: int
    records: tuple[NaptrRecord, ...] | tuple[SrvRecord, ...]
    failed: bool
    ttl_s: float


@dataclass(frozen=True, slots=True)
class LookupServers(NamedQuestion):
    """Which records of this type, NAPTR or SRV, has this name (RFC 3263 4.1, 4.2)?"""

    record_type: bytes
    name: bytes

    kind: ClassVar[LookupKind[ServerCache]] = LookupKind(
        name="servers",
        door="DNS",
        waiting_max="lookups_waiting_max",
        waiting_gauge="servers_waiting",
        full_counter=LOOKUPS_FULL,
        running_max="lookups_max",
        timeout_ms="lookup_timeout_ms",
        failed_counter=DNS_FAILED,
        new_cache=ServerCache,
        cached_gauge="servers",
        of_name=lambda name: LookupServers(*name.split(b" ", 1)),
    )

    @property
    def subject(self) -> str:
        """Type and name."""
        return self.cached_name.decode("utf-8", "replace")

    @property
    def cached_name(self) -> bytes:
        """Type and name."""
        return key_of(self.record_type, self.name)

    def unknown(self) -> ServersAnswer:
        """DNS could not say."""
        return ServersAnswer(self.id, (), True, 0.0)

    def kept(self, values: tuple[Any, ...]) -> ServersAnswer:
        """Records."""
        return ServersAnswer(self.id, values, False, 0.0)

    def answer_of(self, found: Iterable[str], ttl_s: float = 0.0) -> ServersAnswer:
        """Of the records as text."""
        records = parse_naptr(found) if self.record_type == NAPTR else parse_srv(found)
        return ServersAnswer(self.id, records, False, ttl_s)


@dataclass(frozen=True, slots=True)
class RoutesAnswer:
    """What a lookup has found, as texts (lookup_results.py); () for nothing."""

    id: int
    records: tuple[str, ...]
    failed: bool


@dataclass(frozen=True, slots=True)
class FindRoutes(Question):
    """Where is a number, as a lookup of the configuration says? `caller` and `domain`: b"" where it does not matter."""

    lookup: bytes
    number: bytes
    caller: bytes = b""
    domain: bytes = b""

    kind: ClassVar[LookupKind[LookupCache]] = LookupKind(
        name="lookup",
        door="the lookup",
        waiting_max="lookups_waiting_max",
        waiting_gauge="routes_waiting",
        full_counter=LOOKUPS_FULL,
        running_max="lookups_max",
        timeout_ms="lookup_timeout_ms",
        failed_counter=ROUTE_LOOKUPS_FAILED,
        new_cache=LookupCache,
        cached_gauge="routes",
    )

    @property
    def subject(self) -> str:
        """The number, and all else that is asked."""
        others = b"".join(b" " + text for text in (self.caller, self.domain) if text)
        return (b"%b in %b" % (self.number, self.lookup) + others).decode("utf-8", "replace")

    def unknown(self) -> RoutesAnswer:
        """The lookup could not say."""
        return RoutesAnswer(self.id, (), True)

    def answer_of(self, found: list[str]) -> RoutesAnswer:
        """Of what it has found."""
        return RoutesAnswer(self.id, tuple(found), False)


@dataclass(frozen=True, slots=True)
class ConnectionAnswer:
    """`hop`: the one whose connection is open; None: none could be opened. `unreachable`: those that failed before.
    `late`: those that were tried before it, and have not been connected to.
    """

    id: int
    hop: Flow | None
    unreachable: tuple[Flow, ...]
    late: tuple[Flow, ...]
    failed: bool = False


@dataclass(frozen=True, slots=True)
class OpenConnection(Question):
    """Which of these addresses of one server can be connected to first (RFC 8305)? They are in the order to try."""

    hops: tuple[Flow, ...]

    kind: ClassVar[LookupKind[AnswerCache]] = LookupKind(
        name="connection",
        door="the server",
        waiting_max="lookups_waiting_max",
        waiting_gauge="connections_waiting",
        full_counter=LOOKUPS_FULL,
        running_max="lookups_max",
        timeout_ms="connect_timeout_ms",
        failed_counter=CONNECTIONS_FAILED,
    )

    @property
    def subject(self) -> str:
        """The addresses."""
        return ", ".join(hop.remote[0] for hop in self.hops)

    def unknown(self) -> ConnectionAnswer:
        """Nothing was tried."""
        return ConnectionAnswer(self.id, None, (), (), True)


KINDS: Final[tuple[LookupKind[Any], ...]] = (
    LookupHost.kind,
    FindSubscriber.kind,
    FindEnum.kind,
    LookupServers.kind,
    FindRoutes.kind,
    OpenConnection.kind,
)
