"""Names of files for completion.

Knows nothing of what is in them.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

NAMES_MAX = 100


def file_names(start: str) -> list[str]:
    """The files and folders whose path begins with `start`; a folder ends with a slash."""
    folder, _, begin = start.rpartition("/")
    prefix = f"{folder}/" if "/" in start else ""
    names: list[str] = []
    with suppress(OSError):
        for path in sorted(Path(prefix or ".").expanduser().iterdir()):
            if path.name.startswith(begin) and not (path.name.startswith(".") and not begin):
                names.append(f"{prefix}{path.name}{'/' if path.is_dir() else ''}")
    return names[:NAMES_MAX]
