"""Diagnostics: `debug sip`, `ping sip`, `traceroute sip`, `test route`, and the log.

`debug sip` is a ladder, one arrow for each message. The first remote end of a call stands left, every other one right
of the appliance with its address:

    call 3c26@192.0.2.7
                     192.0.2.7:5060            appliance                 other peers
    12:00:00.001 w0 |---- INVITE sip:bob@.. -->|                        | udp
    12:00:00.002 w0 |                          |---- INVITE sip:.. ---->| udp 192.0.2.9:5060
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from appliance.catalogue.results import ROUTE
from cli.output import Item
from cli.views.tables import draw_rows

# How wide a lane is, and the least that shows a method and a little of a URI.
LANE, LANE_LEAST = 34, 16
# What stands beside the lanes: three bars, and a blank with the transport and an IPv4 address and port.
BESIDE_LEN = 3 + len(" udp 192.0.2.100:50600")
# `12:00:00.001 w0 `
TIME_LEN = 16
CALLS_MAX = 1000
STAGES, TARGETS = ROUTE[0], ROUTE[1]


# -- debug sip -------------------------------------------------------------------------------------


def lane_for(columns: int) -> int:
    """How wide a lane is on a terminal of so many columns; 0 is any number."""
    return max(LANE_LEAST, min(LANE, (columns - TIME_LEN - BESIDE_LEN) // 2)) if columns else LANE


def draw_ladder(items: Iterable[Item], arguments: Mapping[str, Any], columns: int = 0) -> Iterator[str]:
    """An arrow for each message; with `full`, its text below."""
    lane = lane_for(columns)
    yield "Showing live messages; press Ctrl-C to stop."
    callers: dict[str, str] = {}
    for shown, (kind, content) in enumerate(items):
        if kind == "result":
            yield _ending({"shown": shown, **content})
            return
        yield from _message(content, callers, lane)
        if arguments.get("full"):
            yield from (f"    {line}" for line in str(content.get("data", "")).rstrip("\r\n").splitlines())


def _message(event: Mapping[str, Any], callers: dict[str, str], lane: int) -> Iterator[str]:
    call_id, remote = str(event.get("call_id", "")), str(event.get("remote", ""))
    if call_id not in callers:
        if len(callers) >= CALLS_MAX:
            callers.pop(next(iter(callers)))
        callers[call_id] = remote
        yield f"call {call_id}"
        yield f"{'':{TIME_LEN}}{remote:<{lane + 1}}{'appliance':<{lane + 1}}other peers"
    is_left = callers[call_id] == remote
    arrow = draw_arrow(label_of(str(event.get("start_line", ""))), _points_right(event, is_left), lane)
    empty = " " * lane
    lanes = f"|{arrow}|{empty}|" if is_left else f"|{empty}|{arrow}|"
    where = f"{event.get('transport', '')} {'' if is_left else remote}".strip()
    yield f"{clock_text(event.get('wall_time', 0))} w{event.get('worker', '?')} {lanes} {where}".rstrip()


def _points_right(event: Mapping[str, Any], is_left: bool) -> bool:
    """In from the left and out to the right point right."""
    return (event.get("direction") == "in") == is_left


def label_of(start_line: str) -> str:
    """`INVITE sip:bob@example.com`, `180 Ringing`: a start line without the version."""
    words = start_line.split()
    return " ".join(words[1:] if words[:1] == ["SIP/2.0"] else words[:-1] or words)


def draw_arrow(label: str, points_right: bool, lane: int = LANE) -> str:
    """The label on an arrow as wide as a lane."""
    most = lane - 8
    text = f" {label if len(label) <= most else label[: most - 2] + '..'} "
    shaft = text.center(lane - 2, "-")
    return f"-{shaft}>" if points_right else f"<{shaft}-"


def clock_text(wall_time: float) -> str:
    """The time of day, to the millisecond."""
    return datetime.fromtimestamp(wall_time).strftime("%H:%M:%S.%f")[:-3]


def _ending(result: Mapping[str, Any]) -> str:
    """How many there were; a stream that was stopped has no total, so they were counted."""
    shown, missed = result["shown"], result.get("missed")
    ending = f", {missed} not shown (too many per second)" if missed else ""
    return f"{shown} message{'' if shown == 1 else 's'} shown{ending}."


# -- ping and traceroute ---------------------------------------------------------------------------


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


# -- test route ------------------------------------------------------------------------------------


def draw_route(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """The stages in order, the targets, the outcome."""
    yield "STAGES"
    yield from draw_rows(STAGES.fields, result.get(STAGES.name, ()))
    yield ""
    yield "TARGETS"
    yield from draw_rows(TARGETS.fields, result.get(TARGETS.name, ()))
    yield ""
    yield str(result.get("outcome", ""))


# -- the log, and other streams --------------------------------------------------------------------


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
