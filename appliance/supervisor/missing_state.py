"""What a state folder with commits should hold as well, and does not: files were lost, or another folder was meant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from appliance.catalogue.settings import Settings
from appliance.storage.subscriber import database_path


def missing_state(settings: Settings, state_dir: Path, registrations_dir: Path) -> Iterator[str]:
    """A sentence for each: registrations, and the subscriber database where the folder is its place."""
    if not any(path.stat().st_size for path in registrations_dir.glob("*.journal")):
        yield (
            f"{registrations_dir} holds no registrations, although the appliance ran here before: phones that were "
            "registered are reached again when they register again."
        )
    is_asked = any(listener.authenticate for listener in settings.listeners)
    if is_asked and not settings.subscribers_url and not database_path(state_dir).exists():
        yield (
            f"The subscriber database {database_path(state_dir)} is not there, although the appliance ran here before: "
            "no phone can register until subscribers are added or imported."
        )
