"""What a state folder that was used before should hold, and does not: files were lost, or another folder was meant."""

from __future__ import annotations

from pathlib import Path

from appliance.catalogue.settings import Settings
from appliance.storage.durable_registrations import is_missing
from appliance.storage.subscriber import database_path


def missing_registrations(folder: Path) -> str:
    """A sentence when registrations were stored in the folder and are not there; "" else."""
    if not is_missing(folder):
        return ""
    return (
        f"{folder} holds no registrations, although some were stored there: phones that were registered are reached "
        "again when they register again."
    )


def missing_database(settings: Settings, state_dir: Path) -> str:
    """A sentence when the subscriber database should be in the state folder and is not; "" else."""
    is_asked = any(listener.authenticate for listener in settings.listeners)
    if not is_asked or settings.subscribers_url or database_path(state_dir).exists():
        return ""
    return (
        f"The subscriber database {database_path(state_dir)} is not there, although the appliance ran here before: "
        "no phone can register until subscribers are added or imported."
    )
