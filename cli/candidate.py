"""The candidate: the text of a configuration while one operator edits it, and the commit it began from.

A draft may contradict itself (a listener that authenticates before there is a domain): it is checked as a whole by
`validate` and `commit`. It is read line by line, so every value in it is of its kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from appliance.catalogue.errors import ConfigError, Fault
from appliance.catalogue.setting_declaration import Section, Setting, declared, sections
from appliance.catalogue.settings import Settings
from appliance.configuration.interpreter import Scope, read_scope
from appliance.configuration.syntax_tree import parse_statements
from appliance.configuration.text import section_line, value_lines, write_line, write_sections
from cli.catalogue_grammar import NAME, VALUE, Edit, Verb, Visit
from cli.differences import differences

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
        """This draft merged with another one: the values of the other win, and are added where there may be many."""
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
    """The draft of a text. Raises ConfigError with every line that cannot be understood."""
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
    return write_sections(_sections(draft))


def _sections(draft: Draft) -> Iterator[tuple[str, list[str]]]:
    """Each section that is there: a named one, or one in which something differs from its default."""
    yield "", list(_value_lines(Settings, draft.values_of(TOP)))
    for section in sections(Settings):
        for (attribute, name), values in draft.places.items():
            inside = list(_value_lines(section.settings_class, values)) if attribute == section.attribute else []
            if attribute == section.attribute and (inside or section.name_kind is not None):
                yield section_line(section, name), inside


def _value_lines(settings_class: type[Any], values: Values) -> Iterator[str]:
    for setting in declared(settings_class):
        value = values.get(setting.attribute, setting.default)
        if value != setting.default:
            yield from value_lines(setting, value)


# -- what a line of configuration mode changes -----------------------------------------------------


def place_of(section: Section | None, name: str) -> Place:
    """The place of a section in a draft."""
    if section is None:
        return TOP
    return (section.attribute, name if section.name_kind is not None else "")


def edited(draft: Draft, edit: Edit, arguments: Mapping[str, Any], current: str) -> Draft:
    """The draft after one setting was typed; `current` names the section the operator is in. Raises ValueError."""
    place = place_of(edit.section, arguments.get(NAME, current))
    setting = edit.setting
    if edit.verb is Verb.SET:
        return draft.with_value(place, setting, arguments.get(VALUE, True))
    if edit.verb is Verb.NO and setting.is_switch:
        return draft.with_value(place, setting, False)
    if edit.verb is Verb.NO and setting.is_many:
        return draft.without_value(place, setting, arguments[VALUE])
    return draft.without_value(place, setting)


def visited(draft: Draft, visit: Visit, arguments: Mapping[str, Any]) -> Draft:
    """The draft after a section was entered or removed. Raises ValueError."""
    place = place_of(visit.section, arguments.get(NAME, ""))
    if visit.verb is Verb.SET:
        return draft.with_section(place) if visit.section.name_kind is not None else draft
    emptied = draft.without_section(place)
    is_reset = visit.verb is Verb.DEFAULT and visit.section.name_kind is not None
    return emptied.with_section(place) if is_reset else emptied


# -- the candidate ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """`base` is the number of the commit it began from, `base_text` the text of that commit."""

    base: int
    base_text: str
    draft: Draft

    @property
    def text(self) -> str:
        """The configuration as a commit would make it."""
        return write_draft(self.draft)

    @property
    def difference(self) -> list[str]:
        """What a commit would change, by section; [] for nothing."""
        return differences(self.base_text, self.text)

    @property
    def is_changed(self) -> bool:
        """Would a commit change anything?"""
        return self.text != self.base_text

    def with_draft(self, draft: Draft) -> Candidate:
        """The same beginning, another draft."""
        return replace(self, draft=draft)


def candidate_of(text: str, number: int) -> Candidate:
    """A candidate with the text of commit `number`."""
    draft = read_draft(text)
    return Candidate(number, write_draft(draft), draft)
