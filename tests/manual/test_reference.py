"""docs/reference.md is a face of the catalogue."""

from __future__ import annotations

from pathlib import Path

from appliance.catalogue.alarms import ALARMS
from appliance.catalogue.commands import COMMANDS
from appliance.catalogue.counters import COUNTERS
from appliance.catalogue.setting_declaration import declared, sections
from appliance.catalogue.settings import Settings
from appliance.manual.reference import write_reference

PAGE = Path(__file__).parents[2] / "docs/reference.md"


def test_the_page_is_what_the_catalogue_says() -> None:
    remedy = "run: python -m appliance.manual.reference > docs/reference.md"
    assert PAGE.read_text() == write_reference(), remedy


def test_every_command_setting_counter_and_alarm_is_on_the_page() -> None:
    page = write_reference()
    for section in sections(Settings):
        assert f"### `{section.keyword}" in page
        for setting in declared(section.settings_class):
            assert f"| `{setting.syntax}`".replace(" | ", r" \| ")[2:] in page.replace("| `", "`")
    for command in COMMANDS:
        assert f"| `{command.syntax.replace('|', chr(92) + '|')}` |" in page
        assert not command.result or f"### `{command.name}`\n" in page
    for alarm in ALARMS:
        assert f"| `{alarm.name}` | {alarm.severity} |" in page
    for counter in COUNTERS:
        assert f"| `{counter.name}` |" in page
