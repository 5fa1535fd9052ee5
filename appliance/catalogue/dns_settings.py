"""The section `dns`: how long answers of DNS are kept, and how next hops that fail are treated."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.catalogue.checked_settings import CheckedSettings
from appliance.catalogue.setting_declaration import LIVE, setting
from appliance.catalogue.value_types import Integer


# fmt: off
@dataclass(frozen=True, slots=True)
class DnsSettings(CheckedSettings):
    """Sizes and timeouts of queries are in `limits`: hosts cached, lookups, lookup timeout, lookup waiting."""

    ttl_max_s: int = setting(
        86400, "ttl maximum", Integer(5, 604800, "seconds"), LIVE,
        "The longest time for which an answer is used, whatever its TTL.", "RFC 1035 3.2.1")
    stale_s: int = setting(
        86400, "stale", Integer(1, 604800, "seconds", zero_word="off"), LIVE,
        "How long after its TTL an answer is used while DNS does not respond.", "RFC 8767 4")
# fmt: on
