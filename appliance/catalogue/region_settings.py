"""The settings of regions: parts of the routes that have operators of their own (docs/routing.md)."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.catalogue.checked_settings import CheckedSettings
from appliance.catalogue.region_values import OwnedSection
from appliance.catalogue.setting_declaration import LIVE, name_of_section, setting
from appliance.catalogue.value_types import Name, Remark


# fmt: off
@dataclass(frozen=True, slots=True)
class RegionSettings(CheckedSettings):
    """A region. Rows with the action `region NAME` go on by its policy."""

    name: str = name_of_section("region", Name())
    description: str = setting("", "description", Remark(80), LIVE, "A description for operators.")
    policy: str = setting(
        "", "policy", Name(is_optional=True), LIVE,
        "The route policy whose tables calls to this region go on by.")
    tables: tuple[str, ...] = setting(
        (), "table", Name(), LIVE, "A route table that belongs to this region.", is_many=True)
    sections: tuple[str, ...] = setting(
        (), "owns", OwnedSection(), LIVE,
        "A section of the configuration that belongs to this region: its operators may change it.", is_many=True)
# fmt: on
