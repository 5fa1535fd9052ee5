"""`signalbox check`: checks a configuration file before the appliance starts."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from appliance import clock
from appliance.catalogue.errors import ConfigError, Fault
from appliance.catalogue.settings import Settings
from appliance.catalogue.time_zones import time_zones_of
from appliance.catalogue.warnings import warnings_of
from appliance.commands.state_option import add_state, state_of
from appliance.configuration.password_lines import without_passwords
from appliance.configuration.text import parse_configuration, retired_warnings
from appliance.management.errors import CommandFailed
from appliance.management.route_check import route_warnings
from appliance.own_machine import system_warnings
from appliance.tls_contexts import certificate_faults

if TYPE_CHECKING:
    from appliance.commands.command_line import Commands

FILE_LEN_MAX = 16 * 1024 * 1024


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command line."""
    parser = commands.add_parser(
        "check",
        help="check a configuration",
        description="Check a configuration. Shows each fault with its line and a correction.",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", required=True, help="the configuration")
    add_state(parser)
    parser.set_defaults(command=_check)


def _check(options: argparse.Namespace) -> int:
    print(check(options.config, state_of(options)))
    return 0


def read_configuration(path: Path | None) -> tuple[Settings, str]:
    """The settings of a file and its text, with keys in place of passwords; those of an empty one without a path.

    Raises CommandFailed: one sentence, or every fault of the text with its line.
    """
    text = _read_text(path) if path is not None else ""
    try:
        settings = parse_configuration(text)
        if zone := clock.unknown_time_zone(time_zones_of(settings)):
            raise ConfigError([_zone_fault(zone)])
        return settings, without_passwords(text)
    except ConfigError as error:
        raise CommandFailed(_faults_of(path, error.faults)) from None


def _faults_of(path: Path | None, faults: Sequence[Fault]) -> str:
    heading = f"{path} has {len(faults)} fault{'s' if len(faults) > 1 else ''}, and is not used:"
    return "\n".join([heading, *(f"  {fault}" for fault in faults)])


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            octets = file.read(FILE_LEN_MAX + 1)
    except OSError as fault:
        raise CommandFailed(f"The configuration {path} cannot be read: {fault.strerror}.") from None
    if len(octets) > FILE_LEN_MAX:
        raise CommandFailed(f"The configuration {path} is longer than {FILE_LEN_MAX} bytes.")
    try:
        return octets.decode()
    except UnicodeDecodeError as fault:
        line = octets[: fault.start].count(b"\n") + 1
        raise CommandFailed(f"The configuration {path} is not UTF-8 text: see line {line}.") from None


def check(path: Path, state_dir: Path | None = None) -> str:
    """A sentence that says the file is valid, and its warnings. Raises CommandFailed when it is not.

    `state_dir`: where the route tables are that it names; None: they are not looked at.
    """
    settings, text = read_configuration(path)
    # An appliance starts all the same: its other listeners can serve.
    if unusable := certificate_faults(settings):
        raise CommandFailed(_faults_of(path, unusable))
    listeners = len(settings.listeners)
    domains = ", ".join(settings.domains) or "none"
    sentence = f"{path} is valid: {listeners} listener{'s' if listeners > 1 else ''}, domains: {domains}."
    return "\n".join([sentence, *(f"Warning: {warning}" for warning in _warnings(settings, text, state_dir))])


def _warnings(settings: Settings, text: str, state_dir: Path | None) -> list[str]:
    routes = [] if state_dir is None else route_warnings(settings, state_dir)
    return [*retired_warnings(text), *warnings_of(settings), *system_warnings(settings), *routes]


def _zone_fault(zone: str) -> Fault:
    return Fault(0, 0, f"unknown time zone {zone}", f"see {clock.ZONES} for valid names")
