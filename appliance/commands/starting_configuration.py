"""What `signalbox run` starts with: checked before anything runs, with every fault said."""

from __future__ import annotations

from pathlib import Path

from appliance import clock
from appliance.catalogue.errors import ConfigError
from appliance.catalogue.settings import Settings
from appliance.commands.check import read_configuration
from appliance.configuration.text import parse_configuration
from appliance.management.errors import CommandFailed
from appliance.storage.commits import CommitStore, Start, starting


def starting_configuration(path: Path | None, state_dir: Path) -> tuple[Settings, Start]:
    """The settings to start with, and how they become the head. Raises CommandFailed."""
    text = read_configuration(path)[1] if path is not None else None
    store = CommitStore(state_dir / "configuration")
    start = starting(store, str(path), text, clock.wall_time())
    try:
        return parse_configuration(start.text), start
    except ConfigError as error:
        remedy = "start once with --config FILE and a corrected file"
        raise CommandFailed(f"The configuration in {state_dir} has faults: {error}; {remedy}.") from None
