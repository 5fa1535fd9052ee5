"""docs/reference.md, made from the catalogue: every command, setting, counter and alarm.

`python -m appliance.manual.reference > docs/reference.md` writes it anew; a test fails when it lags.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from appliance.catalogue.alarms import ALARMS
from appliance.catalogue.counters import COUNTERS, GROUPS
from appliance.catalogue.setting_declaration import Section, Setting, declared, sections
from appliance.catalogue.settings import Settings
from appliance.catalogue.value_types import helps_of
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
*applied* says when a change is applied while the appliance runs: immediately, after draining (removed items first
finish their calls), by rolling restart (the workers are drained and restarted one by one), or at the next start of the
appliance.
"""

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
    yield "| setting | range | default | applied | description |"
    yield "|---|---|---|---|---|"
    for setting in settings:
        cells = [
            f"`{setting.syntax}`",
            setting.range_text,
            write_default(setting),
            setting.effect.value,
            described_setting(setting),
        ]
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def described_setting(setting: Setting) -> str:
    """Its help with the RFC, then the help of each value of a choice."""
    values = [f"`{word}`: {help}" for word, help in helps_of(setting.kind)]
    return " ".join([f"{setting.help.rstrip('.')} ({setting.rfc})." if setting.rfc else setting.help, *values])


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
    yield "`show counters` and `signalbox status` show these totals of all workers since the appliance started.\n"
    for group, help in GROUPS.items():
        yield f"### {group}\n"
        yield f"{help}\n"
        yield "| counter | description |"
        yield "|---|---|"
        for counter in COUNTERS:
            if counter.group == group:
                yield f"| `{counter.name}` | {counter.help} |"
        yield ""


def _alarms_part() -> Iterator[str]:
    yield "## Alarms\n"
    yield "`show alarms` shows active alarms, `show alarms history` when each was raised and cleared.\n"
    yield "| alarm | severity | cause | effect | action |"
    yield "|---|---|---|---|---|"
    for alarm in ALARMS:
        cells = (f"`{alarm.name}`", alarm.severity, alarm.cause, alarm.effect, alarm.action)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


if __name__ == "__main__":
    print(write_reference(), end="")
