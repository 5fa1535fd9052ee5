"""What `signalbox run` starts with: checked before anything runs, with every fault said.

Knows nothing of what runs by it.
"""

from __future__ import annotations

from pathlib import Path

from appliance import clock
from appliance.catalogue.configuration import parse_configuration
from appliance.catalogue.faults import ConfigError
from appliance.catalogue.settings import Settings
from appliance.commits import CommitStore, Start, starting
from appliance.management.check import read_configuration
from appliance.management.failure import CommandFailed


def starting_configuration(path: Path | None, state_dir: Path) -> tuple[Settings, Start]:
    """The settings to start with, and how they become the head. Raises CommandFailed."""
    text = read_configuration(path)[1] if path is not None else None
    store = CommitStore(state_dir / "configuration")
    start = starting(store, str(path), text, clock.wall_time())
    try:
        return parse_configuration(start.text), start
    except ConfigError as error:
        remedy = "start once with --config FILE, a file that has been mended"
        raise CommandFailed(f"The configuration in {state_dir} has faults: {error}; {remedy}.") from None
