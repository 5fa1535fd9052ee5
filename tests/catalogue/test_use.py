"""Every declared setting has an effect, and every declared counter is counted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from appliance.catalogue.counters import COUNTERS
from appliance.catalogue.setting_declaration import declared, sections
from appliance.catalogue.settings import Settings

APPLIANCE = Path(__file__).parents[2] / "appliance"


def words_of_the_code() -> set[str]:
    """Every name in the sources outside the catalogue."""
    paths = [path for path in APPLIANCE.rglob("*.py*") if path.suffix in (".py", ".pyx")]
    texts = [path.read_text() for path in paths if "catalogue" not in path.parts]
    return set(re.findall(r"\w+", "\n".join(texts)))


def test_every_setting_is_obeyed() -> None:
    known = words_of_the_code()
    classes: list[type[Any]] = [Settings, *(section.settings_class for section in sections(Settings))]
    names = {setting.attribute for settings_class in classes for setting in declared(settings_class)}
    assert names - known == set()


def test_every_counter_is_counted() -> None:
    known = words_of_the_code()
    unused = {counter.name for counter in COUNTERS if counter.name.upper().replace("-", "_") not in known}
    assert unused == set()
