"""What a stack asks of the world, and what the world answers.

The pure stack resolves no name and reads no database. It hands out questions and goes on with
other work; the answer comes back by its number. `failed` means "cannot know" and is never "no".
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LookupHost:
    """Which addresses has this host (RFC 3263 4.2: A and AAAA)? `source`: who made us ask first."""

    id: int
    host: bytes
    source: str = ""


@dataclass(frozen=True, slots=True)
class FindSubscriber:
    """Who is `username` in `realm`, and what are the HA1 values (RFC 7616 3.4.2)? `source`: who made us ask first."""

    id: int
    username: bytes
    realm: bytes
    source: str = ""


Question = LookupHost | FindSubscriber


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """Addresses as text without brackets, in the order to try; `ttl_s` seconds for the cache."""

    id: int
    addresses: tuple[str, ...]
    failed: bool
    ttl_s: float


@dataclass(frozen=True, slots=True)
class SubscriberAnswer:
    """HA1 values as lower-case hex text; `failed` when the store could not say."""

    id: int
    found: bool
    failed: bool
    ha1_md5: bytes = b""
    ha1_sha256: bytes = b""


Answer = HostAnswer | SubscriberAnswer
