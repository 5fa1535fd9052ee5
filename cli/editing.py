"""What a line of configuration mode does to a draft, and which section the operator is in after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appliance.catalogue.setting_declaration import Section
from cli.draft import TOP, Draft, Place
from cli.setting_grammar import NAME, VALUE, Edit, Verb, Visit


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
    """The draft after a section was entered or taken away. Raises ValueError."""
    place = place_of(visit.section, arguments.get(NAME, ""))
    if visit.verb is Verb.SET:
        return draft.with_section(place) if visit.section.name_kind is not None else draft
    emptied = draft.without_section(place)
    is_reset = visit.verb is Verb.DEFAULT and visit.section.name_kind is not None
    return emptied.with_section(place) if is_reset else emptied
