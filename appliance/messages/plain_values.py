"""Typed values as the plain values of JSON, for the control socket and `--json`."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any


def plain(value: Any) -> Any:
    """Dataclasses as maps, within lists and maps as well.

    The underscore at the end of a name that is a Python keyword is left out, and so is what belongs to the envelope
    of a message (its keyword-only fields).
    """
    if is_dataclass(value):
        own = (field.name for field in fields(value) if not field.kw_only)
        return {name.rstrip("_"): plain(getattr(value, name)) for name in own}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return value
