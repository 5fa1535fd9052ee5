"""The programs of the image as modules, for tests that run them here."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def program(name: str) -> Any:
    """A module of the image; its programs find each other as they do there, by the folder."""
    folder = str(ROOT / "packaging/image")
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(folder)
