"""The log, as it is kept and as it is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cli.output import Item


def draw_logging(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """The lines as they are."""
    yield from result.get("lines", ())


def draw_monitor(items: Iterable[Item], arguments: Mapping[str, Any]) -> Iterator[str]:
    """Each line as it comes."""
    for kind, content in items:
        if kind == "event":
            yield str(content.get("line", ""))


def draw_octets(items: Iterable[Item], arguments: Mapping[str, Any]) -> Iterator[str]:
    """Base64, as it came."""
    for kind, content in items:
        if kind == "event":
            yield str(content.get("data", ""))
