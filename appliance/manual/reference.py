"""docs/reference.md, made from the catalogue: every command, setting, counter and alarm.

`python -m appliance.manual.reference > docs/reference.md` writes it anew; a test fails when it lags.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from appliance.catalogue.alarms import ALARMS
from appliance.catalogue.counters import COUNTERS
from appliance.catalogue.setting_declaration import Section, Setting, declared, sections
from appliance.catalogue.settings import Settings
from appliance.configuration.text import write_value
from appliance.manual.command_reference import commands_part, results_part

TITLE = """\
# Reference

<!-- Made by `python -m appliance.manual.reference`; change the catalogue, not this page. -->

[Commands](#commands) of the shell · [configuration](#configuration): every setting · [counters](#counters) ·
[alarms](#alarms) · [results as JSON](#results-as-json). [cli.md](cli.md) is a tour of the shell.
"""

INTRODUCTION = """\
## Configuration

[configuration.md](configuration.md) says how a configuration is written, and shows one with every setting. The column
*effect* says what a change takes while an appliance runs: `live` nothing, `drain` that what goes away first finishes
what it has, `restart` that the workers are started anew, one after another, each after it has finished what it had, and
`start` that it waits for the next start of the appliance.
"""

GROUPS = {
    "traffic": "What came and went.",
    "drops": "Messages thrown away without an answer, by reason.",
    "refusals": "Requests this appliance itself answered with an error.",
    "registrations": "The registrar.",
    "authentication": "Challenges and credentials.",
    "calls": "Forwarded requests and what became of them.",
    "connections": "TCP connections.",
    "cluster": "Between the processes of the appliance.",
    "trouble": "Where the world failed.",
}


def write_reference() -> str:
    """The page, as Markdown."""
    settings = [INTRODUCTION, *_settings_part()]
    return "\n".join([TITLE, *commands_part(), *settings, *_counters_part(), *_alarms_part(), *results_part()])


def _settings_part() -> Iterator[str]:
    yield "### Settings without a section\n"
    yield from _table_of_settings(declared(Settings))
    for section in sections(Settings):
        yield from _section_part(section)


def _section_part(section: Section) -> Iterator[str]:
    name = f" {section.name_kind.placeholder}" if section.name_kind else ""
    yield f"### `{section.keyword}{name}`\n"
    note = f" {section.name_kind.placeholder} is {section.name_kind.range_text}." if section.name_kind else ""
    yield f"{section.help}{note}\n"
    yield from _table_of_settings(declared(section.settings_class))


def _table_of_settings(settings: Iterable[Setting]) -> Iterator[str]:
    yield "| setting | range | default | effect | what it does |"
    yield "|---|---|---|---|---|"
    for setting in settings:
        cells = [
            f"`{setting.syntax}`",
            setting.range_text,
            write_default(setting),
            setting.effect.value,
            f"{setting.help} ({setting.rfc})" if setting.rfc else setting.help,
        ]
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def write_default(setting: Setting) -> str:
    """The default in words."""
    value: Any = setting.default
    if setting.is_switch:
        return "on" if value else "off"
    if value in ("", ()):
        return "none"
    return f"`{write_value(setting, value)}`"


def _counters_part() -> Iterator[str]:
    yield "## Counters\n"
    yield "What `show counters` and `signalbox status` count since the appliance started, all workers together.\n"
    for group, help in GROUPS.items():
        yield f"### {group}\n"
        yield f"{help}\n"
        yield "| counter | what it counts |"
        yield "|---|---|"
        for counter in COUNTERS:
            if counter.group == group:
                yield f"| `{counter.name}` | {counter.help} |"
        yield ""


def _alarms_part() -> Iterator[str]:
    yield "## Alarms\n"
    yield "What `show alarms` shows while it is so, and `show alarms history` when it came and went.\n"
    yield "| alarm | severity | cause | effect | what to do |"
    yield "|---|---|---|---|---|"
    for alarm in ALARMS:
        cells = (f"`{alarm.name}`", alarm.severity, alarm.cause, alarm.effect, alarm.action)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


if __name__ == "__main__":
    print(write_reference(), end="")
