"""How subscribers prove who they are, and protection against password guessing (RFC 8760)."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.catalogue import choices
from appliance.catalogue.checked_settings import CheckedSettings
from appliance.catalogue.setting_declaration import LIVE, RESTART, setting
from appliance.catalogue.value_types import Integer, Switch, Text


# fmt: off
@dataclass(frozen=True, slots=True)
class DigestSettings(CheckedSettings):
    """Digest authentication (RFC 7616, RFC 8760)."""

    realm: str = setting(
        "", "realm", Text(128), RESTART,
        "One realm for all domains: they then share one set of subscribers. By default, each domain is its own realm. "
        "Registrations are stored by realm: after a change, phones must register again.", "RFC 3261 22.1")
    algorithms: tuple[str, ...] = setting(
        ("sha-256", "md5"), "algorithm", choices.ALGORITHMS, LIVE,
        "Digest algorithms to offer, the preferred one first. Some phones fail on an unknown algorithm: use `md5` "
        "alone for them.", "RFC 8760 2.4")
    nonce_lifetime_s: int = setting(
        300, "nonce lifetime", Integer(10, 86400, "seconds"), LIVE,
        "The lifetime of a nonce. After it, the client is challenged again with `stale=true`.", "RFC 7616 3.3")
    bind_source: bool = setting(
        True, "nonce bind-source", Switch(), LIVE,
        "Bind each nonce to the source address of the request. Credentials from another address are challenged again "
        "with `stale=true`. Turn this off for phones whose address changes between requests.", "RFC 7616 3.3")
    check_uri: bool = setting(
        True, "check-uri", Switch(), LIVE,
        "Require that the `uri` of credentials is equivalent to the Request-URI; otherwise the request is rejected "
        "with 400. Turn this off behind a server that rewrites Request-URIs.", "RFC 7616 3.4.6")
    cache_s: int = setting(
        60, "cache", Integer(1, 86400, "seconds"), LIVE, "How long an answer of the subscriber database is cached.")


@dataclass(frozen=True, slots=True)
class LockoutSettings(CheckedSettings):
    """Limits on failed authentication (RFC 3261 26.1). A source is an IPv4 address or an IPv6 prefix of 64 bits."""

    attempts_max: int = setting(
        5, "attempts", Integer(1, 1000), LIVE,
        "Failed attempts of one source for one user. After each further failure the source is blocked for this user, "
        "each time for twice as long.")
    source_attempts_max: int = setting(
        50, "source-attempts", Integer(1, 100000), LIVE,
        "Failed attempts of one source for all users. Beyond them, credentials from the source are rejected with 503 "
        "for `time`, except for phones registered from it.")
    user_attempts_max: int = setting(
        30, "user-attempts", Integer(1, 100000), LIVE,
        "Failed attempts for one user from all sources. Beyond them, each source that fails once more is blocked for "
        "`time`. Correct passwords are accepted.")
    time_s: int = setting(300, "time", Integer(1, 86400, "seconds"), LIVE, "The maximum time a source is blocked.")
    forget_s: int = setting(
        60, "forget", Integer(1, 86400, "seconds"), LIVE,
        "The number of failed attempts decreases by one in each such interval.")


@dataclass(frozen=True, slots=True)
class PasswordSettings(CheckedSettings):
    """The password policy for subscribers; stored passwords are not checked."""

    length_min: int = setting(8, "length", Integer(1, 128, "characters"), LIVE, "The minimum length of a new password.")
    is_user_name_allowed: bool = setting(
        False, "user-name", Switch(), LIVE, "Accept a password that equals or repeats the user name.")
# fmt: on
