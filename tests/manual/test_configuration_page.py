"""docs/configuration.md is a face of the catalogue, and what it shows is a configuration."""

from __future__ import annotations

from pathlib import Path

from appliance.catalogue.setting_declaration import declared, sections
from appliance.catalogue.settings import Settings
from appliance.configuration.text import parse_configuration
from appliance.manual.configuration_page import EXAMPLE, TITLE, whole_file, write_page

PAGE = Path(__file__).parents[2] / "docs/configuration.md"


def test_the_page_is_what_the_catalogue_says() -> None:
    remedy = "run: python -m appliance.manual.configuration_page > docs/configuration.md"
    assert PAGE.read_text() == write_page(), remedy


def test_the_file_on_the_page_is_a_configuration_of_defaults() -> None:
    wanted = parse_configuration("\n".join(whole_file()))
    named = [section for section in sections(Settings) if section.name_kind]
    for section in named:
        (item,) = getattr(wanted, section.attribute)
        assert item == section.settings_class(name=EXAMPLE)
    plain = "\n".join(f"{section.keyword} {EXAMPLE}\n!" for section in named)
    assert wanted == parse_configuration(plain)


def test_every_setting_is_in_the_file() -> None:
    lines = {line.strip().removeprefix("! ").removeprefix("no ") for line in whole_file()}
    for settings_class in (Settings, *(section.settings_class for section in sections(Settings))):
        for setting in declared(settings_class):
            assert any(line == setting.keyword or line.startswith(f"{setting.keyword} ") for line in lines)


def test_the_example_on_the_page_is_a_configuration() -> None:
    example = "\n".join(line[4:] for line in TITLE.splitlines() if line.startswith("    "))
    assert parse_configuration(example).listeners[0].authenticate
