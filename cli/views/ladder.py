"""`debug sip`: live messages as a ladder, one arrow a message.

    call 3c26@192.0.2.7
                     192.0.2.7:5060            appliance                 other peers
    12:00:00.001 w0 |---- INVITE sip:bob@.. -->|                        | udp
    12:00:00.002 w0 |                          |---- INVITE sip:.. ---->| udp 192.0.2.9:5060

The far end that speaks first stands left, every other one right of the appliance with its address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from cli.output import Item

LANE = 34
# `12:00:00.001 w0 `
TIME_LEN = 16
CALLS_MAX = 1000


def draw_ladder(items: Iterable[Item], arguments: Mapping[str, Any]) -> Iterator[str]:
    """An arrow for each message; with `full`, its text below."""
    yield "Showing live messages; press Ctrl-C to stop."
    callers: dict[str, str] = {}
    for shown, (kind, content) in enumerate(items):
        if kind == "result":
            yield _ending({"shown": shown, **content})
            return
        yield from _message(content, callers)
        if arguments.get("full"):
            yield from (f"    {line}" for line in str(content.get("data", "")).rstrip("\r\n").splitlines())


def _message(event: Mapping[str, Any], callers: dict[str, str]) -> Iterator[str]:
    call_id, remote = str(event.get("call_id", "")), str(event.get("remote", ""))
    if call_id not in callers:
        if len(callers) >= CALLS_MAX:
            callers.pop(next(iter(callers)))
        callers[call_id] = remote
        yield f"call {call_id}"
        yield f"{'':{TIME_LEN}}{remote:<{LANE + 1}}{'appliance':<{LANE + 1}}other peers"
    is_left = callers[call_id] == remote
    arrow = draw_arrow(label_of(str(event.get("start_line", ""))), _points_right(event, is_left))
    empty = " " * LANE
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


def draw_arrow(label: str, points_right: bool) -> str:
    """The label on an arrow as wide as a lane."""
    most = LANE - 8
    text = f" {label if len(label) <= most else label[: most - 2] + '..'} "
    shaft = text.center(LANE - 2, "-")
    return f"-{shaft}>" if points_right else f"<{shaft}-"


def clock_text(wall_time: float) -> str:
    """The time of day, to the millisecond."""
    return datetime.fromtimestamp(wall_time).strftime("%H:%M:%S.%f")[:-3]


def _ending(result: Mapping[str, Any]) -> str:
    """How many there were; a stream that was stopped does not say, so they were counted."""
    shown, missed = result["shown"], result.get("missed")
    ending = f", {missed} not shown (too many per second)" if missed else ""
    return f"{shown} message{'' if shown == 1 else 's'} shown{ending}."
