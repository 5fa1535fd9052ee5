"""The time zones that a configuration names."""

from __future__ import annotations

from appliance.catalogue.settings import Settings


def time_zones_of(settings: Settings) -> tuple[str, ...]:
    """That of the appliance, and those of conditions; "" where it is that of the machine."""
    return settings.timezone, *(condition.timezone for condition in settings.conditions)
