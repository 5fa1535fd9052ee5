"""What several nodes show: each under a heading with its name; for one that does not answer, the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cli.errors import refusal
from cli.output import Footer, Heading

Draw = Callable[[Mapping[str, Any]], Iterator[str]]


def draw_nodes(nodes: Mapping[str, Mapping[str, Any]], draw: Draw) -> Iterator[str]:
    """Each node as `draw` draws its result."""
    for place, (name, result) in enumerate(nodes.items()):
        if place:
            yield Heading("")
        yield Heading(f"Node {name}:")
        if has_failed(result):
            yield from map(Footer, refusal(result["error"]).lines())
            continue
        yield from draw(result)
        if result.get("cut"):
            yield Footer(str(result["cut"]))


def has_failed(result: Mapping[str, Any]) -> bool:
    """Has the node not shown it?"""
    return isinstance(result.get("error"), Mapping)
