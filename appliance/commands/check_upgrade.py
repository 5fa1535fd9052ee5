"""`signalbox check-upgrade`: what a Debian package of another version would change here, before it is installed."""

from __future__ import annotations

import argparse
import json
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from appliance.catalogue.setting_declaration import declared, sections
from appliance.catalogue.settings import Settings
from appliance.commands.last_configuration import last_configuration
from appliance.commands.state_option import add_state, state_of
from appliance.configuration.statements import statements_of
from appliance.management.errors import CommandFailed
from appliance.storage.state_format import FORMATS
from appliance.version import version_text

if TYPE_CHECKING:
    from appliance.commands.command_line import Commands

FACTS: Final = "./usr/share/signalbox/facts.json"
FACTS_LEN_MAX: Final = 1 << 20
Facts = dict[str, Any]


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command line."""
    parser = commands.add_parser(
        "check-upgrade",
        help="show what a package of another version would change",
        description="Show what a package of another version would change: settings that are new or gone, formats of "
        "stored data, the way back. Nothing of the package is run. Exit status 1 when it should not be installed.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the Debian package")
    add_state(parser)
    parser.set_defaults(command=_check_upgrade)


def facts() -> Facts:
    """What a package says of its version: usr/share/signalbox/facts.json."""
    settings = [each.keyword for each in declared(Settings)]
    for section in sections(Settings):
        settings += [f"{section.keyword} {each.keyword}" for each in declared(section.settings_class)]
    return {"version": version_text(), "formats": dict(FORMATS), "settings": settings}


def _check_upgrade(options: argparse.Namespace) -> int:
    offered = read_facts(options.file)
    lines, is_possible = report(facts(), offered, _used(last_configuration(state_of(options))))
    print("\n".join(lines))
    return 0 if is_possible else 1


def read_facts(package: Path) -> Facts:
    """The facts in a package. Raises CommandFailed."""
    argv = ["dpkg-deb", "--fsys-tarfile", str(package)]
    try:
        with (
            subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as unpacking,
            tarfile.open(fileobj=unpacking.stdout, mode="r|") as archive,
        ):
            for entry in archive:
                if entry.name == FACTS and entry.isfile() and entry.size <= FACTS_LEN_MAX:
                    content = archive.extractfile(entry)
                    assert content is not None
                    found: Facts = json.loads(content.read())
                    return {name: found[name] for name in ("version", "formats", "settings")}
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError):
        pass
    raise CommandFailed(f"{package} is no Debian package of Signalbox, or of a version before `check-upgrade`.")


def _used(settings: Settings | None) -> set[str]:
    """The settings that the active configuration has, as `facts` names them."""
    keys = statements_of(settings) if settings is not None else {}
    return {f"{key[0].partition(' ')[0]} {key[1]}".strip() for key in keys if len(key) > 1}


def report(here: Facts, offered: Facts, used: set[str]) -> tuple[list[str], bool]:
    """What changes, a sentence each; and whether the package can be installed without loss."""
    lines = [f"Signalbox {here['version']} is installed; the package has {offered['version']}."]
    unreadable, raised = _format_changes(here["formats"], offered["formats"])
    gone = [name for name in here["settings"] if name not in offered["settings"]]
    lost = [name for name in gone if name in used]
    for part in unreadable:
        lines.append(f"It cannot read the {part} stored here, and would refuse to start. Restore a backup of its time.")
    for part, number in raised:
        lines.append(f"It stores {part} in format {number}: the way back is a backup made before the upgrade.")
    if not unreadable and not raised:
        lines.append("Stored data keep their formats: the way back is to install this version again.")
    new = [name for name in offered["settings"] if name not in here["settings"]]
    lines += [f"New settings: {', '.join(new)}."] if new else []
    lines += [f"Settings that are gone: {', '.join(gone)}."] if gone else []
    if lost:
        lines.append(f"The active configuration has {', '.join(lost)}: remove them first, or they are of no effect.")
    lines.append("The service is restarted once. Calls that are up and registrations stay.")
    return lines, not unreadable


def _format_changes(here: dict[str, int], offered: dict[str, int]) -> tuple[list[str], list[tuple[str, int]]]:
    unreadable = [part for part, number in here.items() if offered.get(part, 0) < number]
    raised = [(part, number) for part, number in offered.items() if number > here.get(part, 0)]
    return unreadable, raised


if __name__ == "__main__":
    print(json.dumps(facts(), indent=1))
