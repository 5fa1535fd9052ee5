"""The last configuration of an appliance, read from its state folder.

So that `signalbox subscriber` knows the domains and the database without being told the file.
"""

from __future__ import annotations

from pathlib import Path

from appliance.catalogue.errors import ConfigError
from appliance.catalogue.settings import Settings
from appliance.configuration.text import parse_configuration
from appliance.management.errors import CommandFailed
from appliance.storage.commits import CommitStore


def last_configuration(state_dir: Path) -> Settings | None:
    """The settings of the last commit; None when there has never been one. Raises CommandFailed."""
    head = CommitStore(state_dir / "configuration").head
    if head is None:
        return None
    try:
        return parse_configuration(head.text)
    except ConfigError as error:
        raise CommandFailed(f"Commit {head.number} is from an incompatible version of Signalbox: {error}") from None
