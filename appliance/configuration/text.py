"""The configuration: from text to checked settings, and back.

All faults of a text are found in one go, each with its line and what to type instead. There is no
half configuration: either a whole, valid `Settings` comes out, or a ConfigError.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

from appliance.catalogue.abbreviations import Misunderstanding, understand
from appliance.catalogue.contradiction import Contradiction
from appliance.catalogue.contradictions import contradictions
from appliance.catalogue.errors import ConfigError, Fault
from appliance.catalogue.retired_settings import retired_setting
from appliance.catalogue.setting_declaration import Section, Setting, declared, sections
from appliance.catalogue.settings import Settings
from appliance.configuration.hidden_values import hidden_faults
from appliance.configuration.interpreter import Scope, read_scope
from appliance.configuration.syntax_tree import Statement, parse_statements, write_word

INDENTATION = "  "
SEPARATOR = "!"


def parse_configuration(text: str) -> Settings:
    """The settings of a text; what it does not contain has its default. Raises ConfigError with every fault."""
    statements, faults = parse_statements(text)
    scope = read_scope(Settings, 0, statements, faults)
    faults.extend((*hidden_faults(statements), *_contradiction_faults(scope)))
    if faults:
        raise ConfigError(faults)
    settings: Settings = _build(scope)
    return settings


def retired_warnings(text: str) -> list[str]:
    """A sentence for each setting of an earlier version that `parse_configuration` leaves out."""
    statements, _ = parse_statements(text)
    keywords = [(section.keyword,) for section in sections(Settings)]
    found = list(_retired_in("", statements))
    for statement in statements:
        meaning = understand(statement.texts, keywords)
        if not isinstance(meaning, Misunderstanding):
            found.extend(_retired_in(keywords[meaning.candidate][0], statement.children))
    return list(dict.fromkeys(found))


def _retired_in(section: str, statements: Sequence[Statement]) -> Iterator[str]:
    for statement in statements:
        is_negated = statement.texts[0].lower() == "no"
        if retired := retired_setting(section, statement.texts[is_negated:]):
            yield retired.warning


# -- contradictions ----------------------------------------------------------------------------------


def _contradiction_faults(scope: Scope) -> Iterator[Fault]:
    """Contradictions among what was understood; what was typed wrong is no ground for one."""
    for inner in (inner for inners in scope.inner.values() for inner in inners):
        yield from _contradiction_faults(inner)
    for found in contradictions(scope.settings_class.__name__, _view(scope)):
        if scope.wrong.isdisjoint(found.attributes):
            yield Fault(_line_of(scope, found), 0, found.problem, found.remedy)


def _view(scope: Scope) -> SimpleNamespace:
    """The settings as far as they were understood, unchecked; of named sections only the sound ones."""
    values = {setting.attribute: setting.default for setting in declared(scope.settings_class)}
    for section in sections(scope.settings_class):
        if section.name_kind is not None and section.attribute in scope.inner:
            sound = _sound(scope, section.attribute)
            values[section.attribute] = tuple(_view(inner) for inner in sound) or section.default
        else:
            values[section.attribute] = section.default
    return SimpleNamespace(**values | scope.values)


def _sound(scope: Scope, attribute: str) -> list[Scope]:
    return [inner for inner in scope.inner[attribute] if not inner.wrong]


def _line_of(scope: Scope, found: Contradiction) -> int:
    """The line to point at: of the value, else of another one that takes part, else of the section."""
    first = found.attributes[0]
    if first in scope.inner and found.item >= 0:
        inner = _sound(scope, first)[found.item]
        return inner.lines.get(found.inner, [inner.line])[0]
    if first in scope.lines and found.item >= 0:
        return scope.lines[first][found.item]
    return next((scope.lines[name][0] for name in found.attributes if name in scope.lines), scope.line)


# -- building ----------------------------------------------------------------------------------------


def _build(scope: Scope) -> Any:
    """The settings object of a scope without faults."""
    values = dict(scope.values)
    for section in sections(scope.settings_class):
        built = tuple(_build(inner) for inner in scope.inner.get(section.attribute, ()))
        if built:
            values[section.attribute] = built if section.name_kind is not None else built[0]
    return scope.settings_class(**values)


# -- writing -----------------------------------------------------------------------------------------


def write_configuration(settings: Settings, with_defaults: bool = False) -> str:
    """The text of these settings: `parse_configuration` of it gives them back. Defaults are left out."""
    return write_sections(_sections(settings, with_defaults))


def write_sections(sections_: Iterable[tuple[str, Iterable[str]]]) -> str:
    """The text of sections, each its first line and the lines in it; "" begins the lines outside of any section."""
    lines: list[str] = []
    for header, inside in sections_:
        lines += [header, *(INDENTATION + line for line in inside), SEPARATOR] if header else inside
    return "".join(f"{line}\n" for line in lines)


def _sections(settings: Any, with_defaults: bool) -> Iterator[tuple[str, Iterable[str]]]:
    yield "", _setting_lines(settings, with_defaults)
    for section in sections(type(settings)):
        value = getattr(settings, section.attribute)
        if value != section.default or with_defaults:
            for inner in value if section.name_kind is not None else (value,):
                yield section_line(section, getattr(inner, "name", "")), _setting_lines(inner, with_defaults)


def section_line(section: Section, name: str) -> str:
    """The first line of a section: `listener phones`."""
    return write_line([section.keyword, *(section.name_kind.write(name) if section.name_kind is not None else [])])


def _setting_lines(settings: Any, with_defaults: bool) -> Iterator[str]:
    for setting in declared(type(settings)):
        value = getattr(settings, setting.attribute)
        if with_defaults or value != setting.default:
            yield from value_lines(setting, value)


def value_lines(setting: Setting, value: Any) -> Iterator[str]:
    """The lines for the value: one, or one for each item of a setting that has many."""
    if setting.is_many:
        for item in value:
            yield write_line([*setting.words, *setting.kind.write(item)])
    elif setting.is_switch:
        yield write_line([*([] if value else ["no"]), *setting.words])
    elif value == "":
        yield write_line(["no", *setting.words])
    else:
        yield write_line([*setting.words, *setting.kind.write(value)])


def write_value(setting: Setting, value: Any) -> str:
    """The value as it is typed after the keyword."""
    return write_line(setting.kind.write(value))


def write_line(words: Sequence[str]) -> str:
    """The words as a line, each in quotes where it needs them."""
    return " ".join(write_word(word) for word in words)
