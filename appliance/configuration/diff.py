"""The difference of two configurations: as lines to show, and as changes with the effect of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from appliance.catalogue.setting_declaration import Effect, Section, Setting, declared, sections
from appliance.catalogue.settings import Settings
from appliance.configuration.statements import Key, statements_of
from appliance.configuration.text import INDENTATION, section_line, write_value


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that changes, in the words of the operator; `old` or `new` is "" where there is none."""

    keyword: str
    effect: Effect
    old: str
    new: str


def difference_lines(old: Settings, new: Settings) -> list[str]:
    """`- line` for what goes and `+ line` for what comes, under the lines of their sections."""
    before, after = statements_of(old), statements_of(new)
    changed = [key for key in _in_order(before, after) if before.get(key) != after.get(key)]
    lines: list[str] = []
    for section in dict.fromkeys(key[0] for key in changed):
        lines += _section_lines(section, [key for key in changed if key[0] == section], before, after)
    return lines


def _in_order(before: dict[Key, str], after: dict[Key, str]) -> Iterator[Key]:
    """Every key once, what stands in no section first."""
    keys = dict.fromkeys([*before, *after])
    return iter(sorted(keys, key=lambda key: key[0] != ""))


def _section_lines(section: str, keys: list[Key], before: dict[Key, str], after: dict[Key, str]) -> Iterator[str]:
    indentation = INDENTATION if section else ""
    if section and (section,) not in keys:
        yield f"  {section}"
    for key in keys:
        inner = indentation if len(key) > 1 else ""
        if key in before:
            yield f"- {inner}{before[key]}"
        if key in after:
            yield f"+ {inner}{after[key]}"


def changes(old: Settings, new: Settings) -> list[Change]:
    """Every setting that changes, in the order of the catalogue."""
    found = list(_changes_within("", old, new))
    for section in sections(Settings):
        found += _section_changes(section, getattr(old, section.attribute), getattr(new, section.attribute))
    return found


def effects_of(old: Settings, new: Settings) -> list[dict[str, str]]:
    """Every setting that changes, and when that takes effect, as plain values."""
    return [
        {"keyword": change.keyword, "effect": change.effect.value, "old": change.old, "new": change.new}
        for change in changes(old, new)
    ]


def needs_restart(old: Settings, new: Settings) -> bool:
    """Is there a change that workers obey only after a new start?"""
    return any(change.effect == Effect.RESTART for change in changes(old, new))


def _section_changes(section: Section, old: Any, new: Any) -> Iterator[Change]:
    if section.name_kind is None:
        yield from _changes_within(section.keyword, old, new)
        return
    before = {item.name: item for item in old}
    after = {item.name: item for item in new}
    for name in dict.fromkeys([*before, *after]):
        if name in before and name in after:
            yield from _changes_within(section_line(section, name), before[name], after[name])
        elif name in after:
            yield Change(section_line(section, name), section.effect, "", "added")
        else:
            yield Change(section_line(section, name), section.effect, "removed", "")


def _changes_within(line: str, old: Any, new: Any) -> Iterator[Change]:
    for setting in declared(type(old)):
        before, after = getattr(old, setting.attribute), getattr(new, setting.attribute)
        if before != after:
            keyword = f"{line} {setting.keyword}".strip()
            yield Change(keyword, setting.effect, _in_words(setting, before), _in_words(setting, after))


def _in_words(setting: Setting, value: Any) -> str:
    if setting.is_switch:
        return "on" if value else "off"
    if value in ("", ()):
        return "none"
    if setting.is_many:
        return ", ".join(write_value(setting, item) for item in value)
    return write_value(setting, value)
