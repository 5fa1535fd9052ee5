"""The man pages that the catalogue makes: signalbox.conf(5), every setting, and signalbox-shell(1), every command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from appliance.catalogue.commands import COMMANDS, PIPES
from appliance.catalogue.setting_declaration import Setting, declared, sections
from appliance.catalogue.settings import Settings
from appliance.manual.command_reference import HEADINGS, described_command
from appliance.manual.man_page import entry, example, heading, part
from appliance.manual.reference import described_setting, write_default

LANGUAGE = (
    "A configuration is text, one setting per line. The settings of a section are indented under the line of the "
    "section. A line that begins with `!` is a comment. Settings that are not present have their defaults, so an empty "
    "file is valid.",
    "Keywords are not case-sensitive and can be abbreviated as long as they are unique. `no` turns a switch off and "
    "restores the default of any other setting. A value with spaces requires double quotes.",
)
EXAMPLE = (
    "hostname box",
    "domain example.com",
    "listener phones",
    "  address 192.0.2.10",
    "  authenticate",
    "!",
)
SERVICE = (
    "The service loads `/etc/signalbox/signalbox.conf`. What has changed in the file since it was loaded is committed "
    "by `systemctl reload signalbox` and by each start; changes that operators have committed in the shell stay. Those "
    "are kept in `/var/lib/signalbox`, not in the file: `show running-config` shows the active configuration.",
)
SHELL = (
    "The shell operates the appliance that runs on this machine. `?` shows help and Tab completes. Root and members "
    "of the group `signalbox` reach the appliance; an account that has the name of an operator of the configuration "
    "is that operator, others log in. `enable` gives administrators the right to change things.",
    "As a login shell it starts no other program. With `-c`, or when standard input is not a terminal, it runs "
    "commands without asking, and ends with status 1 when one fails.",
)


def configuration_page(version: str) -> str:
    """signalbox.conf(5)."""
    lines = heading("signalbox.conf", 5, version, "configuration of a Signalbox appliance")
    lines += [*part("Description", LANGUAGE), *example(EXAMPLE), *part("The file of the service", SERVICE)]
    lines += part("Settings without a section")
    lines += _settings(declared(Settings))
    for section in sections(Settings):
        kind = section.name_kind
        name = f"{section.keyword} {kind.placeholder}" if kind else section.keyword
        note = f" {kind.placeholder} is {kind.range_text}." if kind else ""
        lines += [*part(f"Section {name}", [f"{section.help}{note}"]), *_settings(declared(section.settings_class))]
    lines += [*part("See also", ["`signalbox`(1), `signalbox-shell`(1)"])]
    return "\n".join(lines) + "\n"


def _settings(settings: Iterable[Setting]) -> Iterator[str]:
    for setting in settings:
        facts = f"Value: {setting.range_text}. Default: {write_default(setting)}. Applied: {setting.effect.value}."
        yield from entry(setting.syntax, f"{described_setting(setting)} {facts}")


def shell_page(version: str) -> str:
    """signalbox-shell(1)."""
    lines = heading("signalbox-shell", 1, version, "shell of a Signalbox appliance")
    lines += part("Synopsis", ["`signalbox-shell` [`-c` COMMAND]... [`--json`] [`--state` DIR]"])
    lines += part("Description", SHELL)
    for title, (right, mode) in HEADINGS.items():
        lines += part(title)
        for command in COMMANDS:
            if command.mode is mode and right in (None, command.right):
                lines += entry(command.syntax, described_command(command))
    lines += part("Filters", ["After any command, following ` | `; several filters can be chained:"])
    for name, (argument, help) in PIPES.items():
        lines += entry(f"{name} {argument}".strip(), help)
    lines += part("See also", ["`signalbox`(1), `signalbox.conf`(5)"])
    return "\n".join(lines) + "\n"
