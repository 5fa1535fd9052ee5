"""The configuration an appliance ran with last, kept in its state folder.

So that `signalbox subscriber` knows the domains and the database without being told the file.

Knows nothing of how the appliance is run.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from appliance.catalogue.settings import Settings
from appliance.management.check import read_configuration
from appliance.management.failure import CommandFailed

FILE_NAME = "last-configuration"


def keep_configuration(state_dir: Path, text: str) -> None:
    """Keep the text, unless an appliance runs on the folder: then its own stays. Raises CommandFailed."""
    if _is_running(state_dir):
        return
    path = state_dir / FILE_NAME
    unfinished = path.with_suffix(".new")
    try:
        unfinished.unlink(missing_ok=True)
        # A database URL in it may hold a password.
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        unfinished.rename(path)
    except OSError as fault:
        raise CommandFailed(f"The state folder {state_dir} cannot be written: {fault.strerror}.") from None


def last_configuration(state_dir: Path) -> Settings | None:
    """The settings an appliance ran with last on this folder; None when none ever ran. Raises CommandFailed."""
    path = state_dir / FILE_NAME
    return read_configuration(path)[0] if path.exists() else None


def _is_running(state_dir: Path) -> bool:
    try:
        lock = os.open(state_dir / "run" / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
