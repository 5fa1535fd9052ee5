"""What a stack asks of the outside, and what is answered: each kind of question, declared once.

The pure stack resolves no name and reads no database. It hands out questions and goes on with other work; the answer
comes back by its number. `failed` means "cannot know"; it is never "no", and it is never remembered.

A new kind is a class of questions with its declaration (`kind`), a class of answers, and a door in
workers/lookup_doors.py that answers it. Stages ask by `Ask(question)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar

from appliance.catalogue.counters import DNS_FAILED, LOOKUPS_FULL, QUERIES_FULL, STORE_FAILED
from appliance.catalogue.settings import Settings
from appliance.messages.worker_requests import LookupNeeded
from appliance.routing.enum_cache import EnumCache
from appliance.routing.host_cache import HostCache
from appliance.routing.subscriber_cache import SubscriberCache


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


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """Addresses as text without brackets, in the order to try; `ttl_s` seconds for the cache."""

    id: int
    addresses: tuple[str, ...]
    failed: bool
    ttl_s: float


@dataclass(frozen=True, slots=True)
class LookupHost(Question):
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
        new_cache=lambda settings: HostCache(settings.limits.hosts_cached_max),
        cached_gauge="hosts",
    )

    @property
    def subject(self) -> str:
        """The host."""
        return self.host.decode("utf-8", "replace")

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
class FindEnum(Question):
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
        new_cache=lambda settings: EnumCache(settings.limits.hosts_cached_max),
        cached_gauge="enum_numbers",
    )

    @property
    def subject(self) -> str:
        """The domain."""
        return self.domain.decode("utf-8", "replace")

    def unknown(self) -> EnumAnswer:
        """DNS could not say."""
        return EnumAnswer(self.id, (), True, 0.0)

    def answer_of(self, found: list[str]) -> EnumAnswer:
        """Of its records."""
        return EnumAnswer(self.id, tuple(found), False, 0.0)


KINDS: Final[tuple[LookupKind[Any], ...]] = (LookupHost.kind, FindSubscriber.kind, FindEnum.kind)
