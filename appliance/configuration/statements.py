"""A configuration as single statements, each with a key: what two texts are compared and joined by.

    ("listener main", "port") -> ["port 5070"]        a value
    ("", "domain", "example.com") -> ["domain example.com"]     one value of many
    ("listener main",) -> ["listener main"]           the section itself, where it has a name

Only what differs from its default is a statement, as in the text that an operator sees.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from appliance.catalogue.setting_declaration import Section, declared, sections
from appliance.catalogue.settings import Settings
from appliance.configuration.text import section_line, value_lines, write_sections

Key = tuple[str, ...]
Statements = dict[Key, str]


def statements_of(settings: Settings) -> Statements:
    """The statements in the order in which they are written."""
    found: Statements = dict(_statements("", settings))
    for section in sections(Settings):
        value = getattr(settings, section.attribute)
        if value != section.default:
            for inner in value if section.name_kind is not None else (value,):
                found.update(_section_statements(section, inner))
    return found


def _section_statements(section: Section, settings: Any) -> Iterator[tuple[Key, str]]:
    line = section_line(section, getattr(settings, "name", ""))
    if section.name_kind is not None:
        yield (line,), line
    yield from _statements(line, settings)


def _statements(line: str, settings: Any) -> Iterator[tuple[Key, str]]:
    for setting in declared(type(settings)):
        value = getattr(settings, setting.attribute)
        if value == setting.default:
            continue
        for text in value_lines(setting, value):
            yield ((line, setting.keyword, text) if setting.is_many else (line, setting.keyword)), text


def write_statements(statements: Mapping[Key, str]) -> str:
    """The text of statements: `parse_configuration` reads it."""
    return write_sections(by_section(statements))


def by_section(statements: Mapping[Key, str]) -> Iterable[tuple[str, list[str]]]:
    """(section line, its lines) in order; "" for what stands in no section, which comes first."""
    groups: dict[str, list[str]] = {"": []}
    for key, text in statements.items():
        group = groups.setdefault(key[0], [])
        if len(key) > 1:
            group.append(text)
    return groups.items()
