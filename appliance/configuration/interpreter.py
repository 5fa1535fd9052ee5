"""Statements, understood: which settings a section of the text gives, where, and what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from appliance.catalogue.abbreviations import Misunderstanding, understand
from appliance.catalogue.errors import Fault, ValueFault, alternatives, nearest
from appliance.catalogue.retired_settings import retired_setting
from appliance.catalogue.setting_declaration import Section, Setting, declared, is_blank, sections
from appliance.catalogue.settings import Settings
from appliance.configuration.syntax_tree import Statement


@dataclass(slots=True)
class Scope:
    """The statements of one section, or of the whole text (line 0).

    `values`  attribute -> value, for what was typed and right
    `lines`   attribute -> the line of each value
    `wrong`   attributes that were typed and wrong, so that nothing may be concluded from them
    `inner`   attribute -> the sections inside
    """

    settings_class: type[Any]
    line: int
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, list[int]] = field(default_factory=dict)
    wrong: set[str] = field(default_factory=set)
    inner: dict[str, list[Scope]] = field(default_factory=dict)


def read_scope(settings_class: type[Any], line: int, statements: Sequence[Statement], faults: list[Fault]) -> Scope:
    """The meaning of the statements; faults are added to `faults`."""
    scope = Scope(settings_class, line)
    settings, inner = declared(settings_class), sections(settings_class)
    keywords = [setting.words for setting in settings] + [(section.keyword,) for section in inner]
    for statement in statements:
        is_negated = statement.texts[0].lower() == "no" and len(statement.words) > 1
        typed = statement.texts[is_negated:]
        if [text.lower() for text in typed] == ["no"]:
            # It begins `node`, and never means it.
            faults.append(_fault(statement, 0, '"no" is not complete', "type the setting to remove after it"))
            continue
        meaning = understand(typed, keywords)
        if isinstance(meaning, Misunderstanding):
            if retired_setting(_keyword_of(settings_class), typed):
                continue
            remedy = _home_of(typed, settings_class, meaning) or meaning.remedy
            faults.append(_fault(statement, meaning.word + is_negated, meaning.problem, remedy))
            _read_guessed(inner, meaning, statement, faults)
            continue
        reader = _Reader(scope, statement, meaning.word_count + is_negated, faults)
        if meaning.candidate >= len(settings):
            reader.read_section(inner[meaning.candidate - len(settings)], is_negated)
        else:
            reader.read_setting(settings[meaning.candidate], is_negated)
    return scope


def _keyword_of(settings_class: type[Any]) -> str:
    """The keyword of a section; "" for the whole text."""
    return next((section.keyword for section in sections(Settings) if section.settings_class is settings_class), "")


def _fault(statement: Statement, word: int, problem: str, remedy: str) -> Fault:
    place = statement.words[min(word, len(statement.words) - 1)]
    return Fault(statement.line, place.column, problem, remedy)


class _Reader:
    """One statement whose keyword is understood; `word_count` words belong to the keyword."""

    def __init__(self, scope: Scope, statement: Statement, word_count: int, faults: list[Fault]) -> None:
        self._scope = scope
        self._statement = statement
        self._word_count = word_count
        self._values = statement.texts[word_count:]
        self._faults = faults

    def _complain(self, word: int, problem: str, remedy: str) -> None:
        self._faults.append(_fault(self._statement, word, problem, remedy))

    def read_setting(self, setting: Setting, is_negated: bool) -> None:
        """Note the value, or what is wrong with it."""
        if is_negated:
            self._read_negated(setting)
        else:
            self._read_value(setting)
        for child in self._statement.children:
            remedy = "remove the indentation, or move the line into a section"
            self._faults.append(_fault(child, 0, f"`{setting.keyword}` has no subsettings", remedy))

    def _read_value(self, setting: Setting) -> None:
        try:
            value = setting.kind.read(self._values)
        except ValueFault as fault:
            self._scope.wrong.add(setting.attribute)
            self._complain(self._word_count + fault.word, f"`{setting.keyword}`: {fault.problem}", fault.remedy)
            return
        if is_blank(setting, value):
            self._scope.wrong.add(setting.attribute)
            problem = f"`{setting.keyword}`: a value is missing"
            self._complain(self._word_count, problem, f"type `no {setting.keyword}` for the default")
        elif setting.is_many:
            self._add(setting, value)
        else:
            self._set_once(setting, value)

    def _read_negated(self, setting: Setting) -> None:
        """`no` turns a switch off, and gives any other setting its default."""
        if setting.is_many:
            problem = f"`no {setting.keyword}` has no effect"
            self._complain(0, problem, f"delete the line `{setting.syntax}` instead")
        elif self._values:
            self._complain(self._word_count, "no value may follow", f"type `no {setting.keyword}` alone")
        else:
            self._set_once(setting, False if setting.is_switch else setting.default)

    def _add(self, setting: Setting, value: Any) -> None:
        scope, attribute = self._scope, setting.attribute
        scope.values[attribute] = (*scope.values.get(attribute, ()), value)
        scope.lines.setdefault(attribute, []).append(self._statement.line)

    def _set_once(self, setting: Setting, value: Any) -> None:
        scope, attribute = self._scope, setting.attribute
        if attribute in scope.lines:
            problem = f"`{setting.keyword}` is present twice, first on line {scope.lines[attribute][0]}"
            self._complain(0, problem, "delete one of them")
            return
        scope.values[attribute] = value
        scope.lines[attribute] = [self._statement.line]

    def read_section(self, section: Section, is_negated: bool) -> None:
        """Read what stands under the line, whatever is wrong with the line itself."""
        statement = self._statement
        inner = read_scope(section.settings_class, statement.line, statement.children, self._faults)
        if is_negated:
            self._complain(0, f"`no {section.keyword}` has no effect", "delete the section, or the word no")
            return
        if section.name_kind is not None:
            self._read_name(section, inner)
        elif self._values:
            remedy = f"type `{section.keyword}` alone, and its settings indented under it"
            self._complain(self._word_count, f"section `{section.keyword}` takes no name", remedy)
        elif section.attribute in self._scope.lines:
            first = self._scope.lines[section.attribute][0]
            problem = f"section `{section.keyword}` is present twice, first on line {first}"
            self._complain(0, problem, "merge the two sections")
            return
        self._scope.lines.setdefault(section.attribute, []).append(statement.line)
        self._scope.inner.setdefault(section.attribute, []).append(inner)

    def _read_name(self, section: Section, inner: Scope) -> None:
        assert section.name_kind is not None
        try:
            inner.values["name"] = section.name_kind.read(self._values)
        except ValueFault as fault:
            inner.wrong.add("name")
            self._complain(self._word_count + fault.word, f"`{section.keyword}`: {fault.problem}", fault.remedy)


def _read_guessed(
    inner: Sequence[Section], meaning: Misunderstanding, statement: Statement, faults: list[Fault]
) -> None:
    """Find the faults under the line of a section whose keyword is misspelled."""
    for section in inner:
        if section.keyword == meaning.guess:
            read_scope(section.settings_class, statement.line, statement.children, faults)


def _home_of(typed: Sequence[str], settings_class: type[Any], meaning: Misunderstanding) -> str:
    """Where words that mean nothing here belong; "" when nowhere, or when a slip of the finger is likelier."""
    word = typed[0].lower()
    if meaning.word or word in _first_words(settings_class):
        return ""
    others = [(place, header) for place, header in _places() if place is not settings_class]
    homes = [(name, header) for place, header in others for name in _first_words(place)]
    guess = word if word in dict(homes) else nearest(word, dict(homes))
    if guess is None or (meaning.guess and guess != word):
        return ""
    question = "" if guess == word else f'did you mean "{guess}"? '
    headers = list(dict.fromkeys(header for name, header in homes if name == guess))
    if "" in headers:
        return f"{question}it is not a setting of this section: remove the indentation"
    return f"{question}it belongs in {alternatives(headers)}, indented"


def _places() -> list[tuple[type[Any], str]]:
    """Every settings class and the line it stands under."""
    found: list[tuple[type[Any], str]] = [(Settings, "")]
    for section in sections(Settings):
        name = f" {section.name_kind.placeholder}" if section.name_kind else ""
        found.append((section.settings_class, f"`{section.keyword}{name}`"))
    return found


def _first_words(settings_class: type[Any]) -> list[str]:
    names = [setting.words[0] for setting in declared(settings_class)]
    return names + [section.keyword for section in sections(settings_class)]
