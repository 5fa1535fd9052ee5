"""The lock of a state folder, for commands that work on it while no appliance does."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StateInUse(Exception):
    """An appliance runs on the state folder."""


@contextmanager
def held(state_dir: Path) -> Iterator[None]:
    """Keep an appliance from starting meanwhile. Raises StateInUse where one runs."""
    fd = os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise StateInUse(f"An appliance runs on the state folder {state_dir}.") from None
    try:
        yield
    finally:
        os.close(fd)
