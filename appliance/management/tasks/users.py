"""The operators that are connected, and the end of a session."""

from __future__ import annotations

from typing import Any, Final

from appliance import clock
from appliance.management.appliance_client import Call

NUMBER_MAX: Final = 10**9


async def show_users(call: Call) -> dict[str, Any]:
    now = clock.monotonic()
    return {
        "users": [
            {
                "number": session.number,
                "user": session.user or session.machine_user,
                "right": session.right,
                "terminal": session.terminal,
                "address": session.address,
                "connected_s": round(now - session.opened_at, 1),
                "idle_s": round(max(now - session.active_at, 0.0), 1),
                "is_self": session is call.session,
            }
            for session in call.client.sessions
        ]
    }


async def clear_session(call: Call) -> dict[str, Any]:
    number = call.args.integer("number", 1, NUMBER_MAX)
    call.client.sessions.end(number, f"The session was cleared by {call.session.user}.")
    return {"cleared": 1}


async def active(call: Call) -> dict[str, Any]:
    """The operator is at work in the shell: nothing else is asked for."""
    return {}
