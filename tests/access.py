"""What other users of the machine can reach."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def is_open_to_all(path: str) -> bool:
    """Can a user without rights of its own run the file? Each folder above it has to let it through."""
    place = Path(os.path.abspath(path))
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in (place, *place.parents))
