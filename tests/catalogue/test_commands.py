"""Every command is declared once and completely."""

from __future__ import annotations

from collections import Counter

import pytest

from appliance.catalogue.command_declaration import Command, Field, Mode, Right, Shape, result_schema
from appliance.catalogue.commands import BEGINNINGS, COMMANDS, PIPES, commands_of
from appliance.catalogue.setting_declaration import declared, sections
from appliance.catalogue.settings import Settings
from cli.modes import VERBS


def names(command: Command) -> str:
    return f"{command.name} {command.mode.name}"


def fields_within(fields: tuple[Field, ...]) -> list[Field]:
    return [inner for field in fields for inner in (field, *fields_within(field.fields))]


@pytest.mark.parametrize("command", COMMANDS, ids=names)
def test_a_command_has_help_and_its_parameters_have(command: Command) -> None:
    assert command.help.endswith(".") and len(command.help) < 100
    for parameter in command.parameters:
        assert parameter.help.endswith(".") or parameter.help.endswith(").")
        assert parameter.kind.range_text
        assert parameter.keyword or parameter.kind.placeholder
    arguments = [parameter.name for parameter in command.parameters]
    assert len(set(arguments)) == len(arguments)


@pytest.mark.parametrize("command", COMMANDS, ids=names)
def test_what_the_appliance_answers_is_described(command: Command) -> None:
    assert bool(command.do) == bool(command.result or command.events)
    for field in fields_within((*command.result, *command.events)):
        assert field.help.endswith("."), field.name
        assert (field.shape is Shape.ROWS) == bool(field.fields)


@pytest.mark.parametrize("command", COMMANDS, ids=names)
def test_optional_values_come_last(command: Command) -> None:
    placed = [parameter.is_optional for parameter in command.parameters if not parameter.keyword]
    assert placed == sorted(placed)
    assert all(parameter.is_optional for parameter in command.parameters if parameter.keyword)


def test_a_command_stands_once_in_a_mode() -> None:
    for mode in (Mode.EXEC, Mode.CONFIGURE):
        counted = Counter(command.name for command in commands_of(mode, Right.ADMIN))
        assert {name for name, count in counted.items() if count > 1} == set()


def test_words_that_begin_several_commands_have_help() -> None:
    beginnings = Counter(" ".join(c.words[:count]) for c in COMMANDS for count in range(1, len(c.words)))
    shared = {name for name, count in beginnings.items() if count > 1} - {command.name for command in COMMANDS}
    assert shared <= BEGINNINGS.keys()
    assert BEGINNINGS.keys() <= beginnings.keys()


def test_no_setting_begins_with_the_word_of_a_command() -> None:
    keywords = {section.keyword for section in sections(Settings)}
    for settings_class in (Settings, *(section.settings_class for section in sections(Settings))):
        keywords |= {setting.words[0] for setting in declared(settings_class)}
    commands = {command.words[0] for command in COMMANDS if command.mode is not Mode.EXEC}
    assert keywords & (commands | {"do", *VERBS}) == set()


def test_who_may_only_look_cannot_change_anything() -> None:
    looking = commands_of(Mode.EXEC, Right.VIEW)
    assert all(command.right is Right.VIEW for command in looking)
    assert "clear counters" not in {command.name for command in looking}
    assert "show version" in {command.name for command in looking}


def test_filters_have_help() -> None:
    assert all(help.endswith(".") for _, help in PIPES.values())


def test_a_result_is_described_by_json_schema() -> None:
    fields = (
        Field("total", Shape.INTEGER, "How many."),
        Field("rows", Shape.ROWS, "The rows.", fields=(Field("name", Shape.TEXT, "The name."),)),
        Field("words", Shape.TEXTS, "Words."),
        Field("more", Shape.ANY, "Whatever."),
    )
    assert result_schema(fields)["properties"] == {
        "total": {"type": "integer", "description": "How many."},
        "rows": {
            "type": "array",
            "description": "The rows.",
            "items": {"type": "object", "properties": {"name": {"type": "string", "description": "The name."}}},
        },
        "words": {"type": "array", "description": "Words.", "items": {"type": "string"}},
        "more": {"description": "Whatever."},
    }
