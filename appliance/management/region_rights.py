"""What an operator who is confined to a region may change: the sections and tables that belong to it (docs/routing.md).

He sees all but secrets, which he may not set. Rights go by the configuration in force, so no commit gives an operator
more than he has.
"""

from __future__ import annotations

from typing import Final

from appliance.catalogue.redaction import without_secrets
from appliance.catalogue.region_settings import RegionSettings
from appliance.catalogue.settings import Settings
from appliance.configuration.statements import Key, statements_of
from appliance.management.errors import Refused

# Settings of owned sections that decide for calls which are not the region's, and which are the administrators'.
KEPT: Final = {"route-policy": ("listener", "source"), "domain-route": ("alias", "subdomains")}


def check_region_commit(region: str, former: Settings, wanted: Settings) -> None:
    """May an operator of that region ("": of all) commit this? Raises Refused, which names what is not his."""
    if not region:
        return
    own = region_of(former, region)
    before, after = statements_of(former), statements_of(wanted)
    for key in dict.fromkeys((*before, *after)):
        if before.get(key) != after.get(key) and not _is_own(key, after.get(key, ""), own):
            line = " ".join(filter(None, (key[0], after.get(key) or before[key])))
            raise Refused(
                f"`{without_secrets(line)}` does not belong to region {region}. Nothing was changed.",
                "leave it as it is, or ask an operator of all regions",
            )


def region_of(settings: Settings, name: str) -> RegionSettings:
    """A region of the configuration. Raises Refused."""
    found = next((each for each in settings.regions if each.name == name), None)
    if found is None:
        raise Refused(f"There is no region {name}.", "add a section `region NAME`")
    return found


def _is_own(key: Key, text: str, own: RegionSettings) -> bool:
    """Is a statement one that the operators of a region may change? `text`: what it becomes, "" for nothing."""
    section = key[0]
    if section not in own.sections:
        return False
    if len(key) == 1:
        return True
    if key[1] in KEPT.get(section.split()[0], ()):
        return False
    # Calls of the region go by its own tables.
    return key[1] != "table" or not text or text.split()[-1] in own.tables
