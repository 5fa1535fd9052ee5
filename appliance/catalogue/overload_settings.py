"""The settings of overload control: what is refused when too much arrives."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.catalogue.checked_settings import CheckedSettings
from appliance.catalogue.setting_declaration import LIVE, setting
from appliance.catalogue.value_types import Integer


# fmt: off
@dataclass(frozen=True, slots=True)
class OverloadSettings(CheckedSettings):
    """Overload control: new requests are rejected, established calls continue."""

    delay_target_ms: int = setting(
        20, "delay target", Integer(1, 10000, "milliseconds"), LIVE,
        "Target queueing delay. If the delay stays above it, a part of the new requests is rejected.", "RFC 6357")
    delay_limit_ms: int = setting(
        150, "delay limit", Integer(1, 10000, "milliseconds"), LIVE,
        "Maximum queueing delay. Above it, all new requests are rejected.")
    retry_after_min_s: int = setting(
        1, "retry-after minimum", Integer(1, 3600, "seconds"), LIVE,
        "Minimum Retry-After in 503 responses.", "RFC 3261 20.33")
    retry_after_max_s: int = setting(
        60, "retry-after maximum", Integer(1, 3600, "seconds"), LIVE,
        "Maximum Retry-After for rejected registrations; the values are spread up to it.", "RFC 3261 20.33")
    requests_per_source: int = setting(
        500, "requests per-source", Integer(1, 1000000, "per second", zero_word="unlimited"), LIVE,
        "Maximum rate of requests per source, over all workers (rate limit `default-requests`), with "
        "a burst of twice as many. More are rejected with 503. Does not apply to loopback sources and peers.",
        "RFC 3261 21.5.4")
    registrations_per_source: int = setting(
        100, "registrations per-source", Integer(1, 1000000, "per second", zero_word="unlimited"), LIVE,
        "Maximum rate of REGISTER requests per source (rate limit `default-registrations`), in the same way.",
        "RFC 3261 21.5.4")
# fmt: on
