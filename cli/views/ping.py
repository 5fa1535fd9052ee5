"""`ping sip` and `traceroute sip`: each answer as it comes, and the sum of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cli.output import Item


def draw_ping(items: Iterable[Item], arguments: Mapping[str, Any]) -> Iterator[str]:
    """A line for each answer, then how many came and how long they took."""
    yield f"Sending OPTIONS to {arguments['uri']}; press Ctrl-C to stop."
    answers: list[Mapping[str, Any]] = []
    for kind, content in items:
        if kind == "event":
            answers.append(content)
            yield _answer(content)
        else:
            yield _sum(content or summed_up(answers))


def summed_up(answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The result of pings that were stopped."""
    times = [answer.get("ms", 0) for answer in answers if answer.get("status")]
    if not times:
        return {"sent": len(answers), "received": 0}
    figures = {"min_ms": min(times), "avg_ms": sum(times) / len(times), "max_ms": max(times)}
    return {"sent": len(answers), "received": len(times), **figures}


def _answer(event: Mapping[str, Any]) -> str:
    number, status = event.get("n", "?"), event.get("status")
    if not status:
        return f"{number:>4}  no answer: {event.get('reason', 'timeout')}"
    return f"{number:>4}  {status} {event.get('reason', '')}  {event.get('ms', 0):.1f} ms"


def _sum(result: Mapping[str, Any]) -> str:
    sent, received = int(result.get("sent", 0)), int(result.get("received", 0))
    rate = 100 * received // sent if sent else 0
    times = "/".join(f"{result.get(name) or 0:.1f}" for name in ("min_ms", "avg_ms", "max_ms"))
    ending = f", round-trip min/avg/max = {times} ms" if received else ""
    return f"Success rate is {rate} percent ({received}/{sent}){ending}"


def draw_traceroute(items: Iterable[Item], arguments: Mapping[str, Any]) -> Iterator[str]:
    """A line for each hop; the last one answers for itself."""
    yield f"Tracing the route to {arguments['uri']} with OPTIONS; press Ctrl-C to stop."
    for kind, content in items:
        if kind == "event":
            server = f"  {content['server']}" if content.get("server") else ""
            yield f"{_answer(content)}{server}"
        elif content and not content.get("is_reached"):
            yield f"The destination was not reached within {content.get('hops', 0)} hops."
