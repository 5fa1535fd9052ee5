"""The rate limits in force: those of the configuration, and two that are built in.

A source is an address behind which there may be a whole office, so the built-in rates are generous: they stop a flood
from one address, and not its phones. Loopback sources and peers of the listener are not limited by them.
"""

from __future__ import annotations

from typing import Final

from appliance.catalogue.limit_settings import RateLimitSettings
from appliance.catalogue.settings import Settings

REQUESTS: Final = "default-requests"
REGISTRATIONS: Final = "default-registrations"
# A burst of two seconds: each registration takes two requests.
BURST_S: Final = 2


def rate_limits_of(settings: Settings) -> tuple[RateLimitSettings, ...]:
    """Those of the operator first; one with the name of a built-in limit takes its place."""
    return (*settings.rate_limits, *built_in_limits(settings))


def built_in_limits(settings: Settings) -> tuple[RateLimitSettings, ...]:
    """Those that are built in and neither removed nor replaced."""
    overload = settings.overload
    rates = (
        (REQUESTS, "requests", overload.requests_per_source),
        (REGISTRATIONS, "registrations", overload.registrations_per_source),
    )
    replaced = {limit.name for limit in settings.rate_limits}
    return tuple(_limit(name, of, rate) for name, of, rate in rates if rate and name not in replaced)


def _limit(name: str, of: str, rate: int) -> RateLimitSettings:
    burst = min(BURST_S * rate, 1_000_000)
    return RateLimitSettings(name=name, of=of, rate_per_s=rate, burst=burst)
