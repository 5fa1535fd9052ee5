"""The text of a configuration while it is edited: text in, edits, text out.

A draft may contradict itself (a listener that authenticates before there is a domain): it is checked as a
whole by `validate` and `commit`. What it holds is understood line by line, so every value in it is of its kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.catalogue.errors import ConfigError, Fault
from appliance.catalogue.setting_declaration import Section, Setting, declared, sections
from appliance.catalogue.settings import Settings
from appliance.configuration.interpreter import Scope, read_scope
from appliance.configuration.syntax_tree import parse_statements, write_word
from appliance.configuration.text import INDENTATION, SEPARATOR, value_lines

# The section's attribute and the name of the section: ("listeners", "phones"), ("registrar", ""), TOP.
Place = tuple[str, str]
Values = Mapping[str, Any]
TOP: Place = ("", "")


@dataclass(frozen=True, slots=True)
class Draft:
    """Values by place and attribute; what is not there has its default. A named section is there by its place."""

    places: Mapping[Place, Values]

    def values_of(self, place: Place) -> Values:
        """What is set there."""
        return self.places.get(place, {})

    def with_value(self, place: Place, setting: Setting, value: Any) -> Draft:
        """Set a setting; a value is added where there may be many. A section that is missing is made."""
        values = dict(self.values_of(place))
        if setting.is_many:
            before = values.get(setting.attribute, ())
            value = before if value in before else (*before, value)
        values[setting.attribute] = value
        return self._with(place, values)

    def without_value(self, place: Place, setting: Setting, value: Any = None) -> Draft:
        """Take a value of many away, or, without one, give the setting its default. Raises ValueError."""
        values = dict(self.values_of(place))
        if setting.is_many and value is not None:
            before = values.get(setting.attribute, ())
            if value not in before:
                raise ValueError(f"there is no line `{write_line([*setting.words, *setting.kind.write(value)])}`")
            values[setting.attribute] = tuple(item for item in before if item != value)
        else:
            values.pop(setting.attribute, None)
        return self._with(place, values) if place in self.places or place == TOP else self

    def with_section(self, place: Place) -> Draft:
        """Make a section, where it is not there already."""
        return self if place in self.places else self._with(place, {})

    def without_section(self, place: Place) -> Draft:
        """Take a section away. Raises ValueError when a named one is not there."""
        if place not in self.places and place[1]:
            raise ValueError(f"there is no section named {place[1]}")
        return Draft({other: values for other, values in self.places.items() if other != place})

    def merged(self, other: Draft) -> Draft:
        """This draft with what another one says: its values win, and are added where there may be many."""
        draft = self
        for place, values in other.places.items():
            settings = {setting.attribute: setting for setting in _settings_of(place)}
            draft = draft.with_section(place) if place[1] else draft
            for attribute, value in values.items():
                for item in value if settings[attribute].is_many else (value,):
                    draft = draft.with_value(place, settings[attribute], item)
        return draft

    def _with(self, place: Place, values: Values) -> Draft:
        return Draft({**self.places, place: values})


def _settings_of(place: Place) -> tuple[Setting, ...]:
    section = next((section for section in sections(Settings) if section.attribute == place[0]), None)
    return tuple(declared(section.settings_class if section else Settings))


def read_draft(text: str) -> Draft:
    """The draft that a text says. Raises ConfigError with every line that cannot be understood."""
    statements, faults = parse_statements(text)
    scope = read_scope(Settings, 0, statements, faults)
    places: dict[Place, Values] = {TOP: dict(scope.values)}
    for section in sections(Settings):
        for inner in scope.inner.get(section.attribute, ()):
            place = (section.attribute, inner.values.get("name", ""))
            if place in places:
                faults.append(_twice(section, inner))
            places[place] = {name: value for name, value in inner.values.items() if name != "name"}
    if faults:
        raise ConfigError(faults)
    return Draft(places)


def _twice(section: Section, scope: Scope) -> Fault:
    problem = f"there are two sections `{section.keyword} {scope.values.get('name', '')}`"
    return Fault(scope.line, 0, problem, "give one another name, or put both into one")


def write_draft(draft: Draft) -> str:
    """The text of a draft, as `show running-config` would print it."""
    return "".join(f"{line}\n" for line in _lines(draft))


def _lines(draft: Draft) -> Iterator[str]:
    yield from _value_lines(Settings, draft.values_of(TOP))
    for section in sections(Settings):
        for place, values in draft.places.items():
            if place[0] == section.attribute:
                yield from section_lines(section, place, values)


def section_lines(section: Section, place: Place, values: Values) -> Iterator[str]:
    """The lines of one section; none for one without a name in which everything has its default."""
    inside = list(_value_lines(section.settings_class, values))
    if not inside and section.name_kind is None:
        return
    yield header_of(section, place)
    yield from (INDENTATION + line for line in inside)
    yield SEPARATOR


def header_of(section: Section, place: Place) -> str:
    """The line that begins a section: `listener phones`."""
    return write_line([section.keyword, *([place[1]] if section.name_kind is not None else [])])


def write_line(words: Sequence[str]) -> str:
    """The words as a line, each in quotes where it needs them."""
    return " ".join(write_word(word) for word in words)


def _value_lines(settings_class: type[Any], values: Values) -> Iterator[str]:
    for setting in declared(settings_class):
        value = values.get(setting.attribute, setting.default)
        if value != setting.default:
            yield from value_lines(setting, value)
