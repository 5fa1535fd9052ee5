"""The formats of what a state folder holds: STATE/formats, a line of JSON.

    {"version": "0.2.0", "formats": {"configuration": 1, "registrations": 2, "subscribers": 1}}

A version of Signalbox that changes how a part is stored raises its number in FORMATS, and reads the numbers below it.
It does not touch a folder that has a higher number: what a later version has written is refused, and stays as it is.
A folder without the file is of before it existed: all is of format 1.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from appliance.version import version_text

FILE_NAME: Final = "formats"
FORMATS: Final = {"configuration": 1, "registrations": 2, "subscribers": 1}


class NewerFormat(Exception):
    """A later version of Signalbox has written the folder; the message is a sentence for the operator."""


def take_folder(folder: Path, formats: Mapping[str, int] = FORMATS) -> str:
    """Note in the folder which formats are written from now on; a sentence when the note was damaged.

    Raises NewerFormat, and OSError when the note cannot be written.
    """
    path = folder / FILE_NAME
    wanted = {"version": version_text(), "formats": dict(formats)}
    noted, remark = _read(path)
    check_formats(noted, f"The state folder {folder}", formats)
    if noted != wanted:
        _write(path, wanted)
    return remark


def refuse_newer(folder: Path) -> None:
    """Only look at the note in a folder. Raises NewerFormat."""
    check_formats(_read(folder / FILE_NAME)[0], f"The state folder {folder}")


def check_formats(noted: Mapping[str, Any], what: str, formats: Mapping[str, int] = FORMATS) -> None:
    """Can this version read what was noted so? `what` begins the sentence. Raises NewerFormat."""
    kept = noted.get("formats", {})
    newer = [f"{part} in format {number}" for part, number in kept.items() if number > formats.get(part, 0)]
    if newer:
        version = noted.get("version", "of a later date")
        raise NewerFormat(
            f"{what} is of Signalbox {version}, which stores {', '.join(newer)}; this is Signalbox {version_text()}, "
            f"which cannot read that. Nothing was changed. Install Signalbox {version} or later."
        )


def _read(path: Path) -> tuple[dict[str, Any], str]:
    """What is noted, and a sentence when it cannot be read."""
    try:
        noted = json.loads(path.read_bytes())
        if isinstance(noted, dict) and all(isinstance(number, int) for number in noted["formats"].values()):
            return noted, ""
    except (FileNotFoundError, NotADirectoryError):
        return {}, ""
    except (ValueError, KeyError, AttributeError):
        pass
    return {}, f"{path} was damaged; it is written again, and the state is taken to be of this version."


def _write(path: Path, noted: Mapping[str, Any]) -> None:
    unfinished = path.with_suffix(".new")
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
        file.write(f"{json.dumps(noted)}\n")
        file.flush()
        os.fsync(file.fileno())
    # A power cut leaves the old note or the new one.
    unfinished.rename(path)
