"""The base of every settings class: what exists is valid."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.catalogue.contradictions import contradictions
from appliance.catalogue.errors import ConfigError
from appliance.catalogue.setting_declaration import value_faults


@dataclass(frozen=True, slots=True)
class CheckedSettings:
    """Raises ConfigError with all the faults when values are wrong, or contradict each other."""

    def __post_init__(self) -> None:
        faults = value_faults(self)
        if not faults:
            faults = [found.fault_in_code() for found in contradictions(type(self).__name__, self)]
        if faults:
            raise ConfigError(faults)
