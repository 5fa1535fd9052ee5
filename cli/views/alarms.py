"""`show alarms`: what is wrong now, what it means, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cli.views.table import time_text

NO_ALARM = "No active alarms."


def draw_alarms(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """Each alarm with its cause, effect and action."""
    alarms = result.get("alarms", ())
    if not alarms:
        yield NO_ALARM
    for place, alarm in enumerate(alarms):
        if place:
            yield ""
        subject = f" ({alarm['subject']})" if alarm.get("subject") else ""
        yield f"{alarm.get('severity', '').upper()} {alarm.get('name', '')}{subject} since {time_text(alarm['since'])}"
        if alarm.get("acknowledged_by"):
            yield f"  acknowledged by {alarm['acknowledged_by']}"
        for heading in ("text", "cause", "effect", "action"):
            if alarm.get(heading):
                label = "summary" if heading == "text" else heading
                yield f"  {label.ljust(9)}{alarm[heading]}"


def draw_acknowledged(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """How many alarms were acknowledged."""
    count = result.get("acknowledged", 0)
    yield f"{count} alarm{'' if count == 1 else 's'} acknowledged."
