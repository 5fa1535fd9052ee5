"""`monitor events`: a line for each call or contact that changes.

    12:00:00.001 w0 call-started       alice@example.com -> bob@example.com  from udp 192.0.2.7:5060  call 3c26
    12:00:04.310 w0 call-answered      alice@example.com -> bob@example.com  200 by udp 192.0.2.9:5060  call 3c26
    12:00:05.000 w1 contact-refreshed  bob@example.com  sip:bob@192.0.2.9:5060  expires 3600 s  from 192.0.2.9:5060
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cli.output import Item
from cli.views.diagnostics import clock_text

KIND_LEN = len("contact-refreshed")


def draw_events(items: Iterable[Item], arguments: Mapping[str, Any]) -> Iterator[str]:
    """A line for each event, then how many there were."""
    yield "Showing live events; press Ctrl-C to stop."
    for shown, (kind, content) in enumerate(items):
        if kind == "result":
            yield _ending({"shown": shown, **content})
            return
        yield line_of(content)


def line_of(event: Mapping[str, Any]) -> str:
    """Time, worker, kind, whom it concerns, and what depends on the kind."""
    kind = str(event.get("event", ""))
    parts = _contact_parts(event) if kind.startswith("contact-") else _call_parts(event)
    begin = f"{clock_text(event.get('wall_time', 0))} w{event.get('worker', '?')} {kind:{KIND_LEN}}"
    return "  ".join([begin, *(part for part in parts if part)])


def _call_parts(event: Mapping[str, Any]) -> list[str]:
    kind, source, hop = event.get("event"), event.get("source"), event.get("hop")
    status, reason = event.get("status"), event.get("reason")
    parts = [f"{_address(event.get('from_uri'))} -> {_address(event.get('to_uri'))}"]
    if status:
        parts.append(f"{status} by {hop}" if hop else f"{status} {reason}".rstrip())
    elif reason:
        parts.append(str(reason))
    if kind in ("call-started", "call-ended"):
        parts.append(f"from {source}")
    return [*parts, f"call {event.get('call_id', '')}"]


def _contact_parts(event: Mapping[str, Any]) -> list[str]:
    is_removed = event.get("event") == "contact-removed"
    how = "by an operator" if event.get("is_by_operator") else f"from {event.get('source', '')}"
    lifetime = "" if is_removed else f"expires {event.get('expires_s', 0)} s"
    return [str(event.get("address", "")), str(event.get("contact", "")), lifetime, how]


def _address(uri: Any) -> str:
    """`sip:` says nothing new to an operator."""
    return str(uri or "unknown").removeprefix("sip:")


def _ending(result: Mapping[str, Any]) -> str:
    """A stream that was stopped has no total, so its events were counted."""
    shown, missed = result["shown"], result.get("missed")
    ending = f", {missed} not shown (too many per second)" if missed else ""
    return f"{shown} event{'' if shown == 1 else 's'} shown{ending}."
