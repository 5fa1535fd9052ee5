"""The open connections of the control socket: listed, and ended by an operator, by time or with their account.

Each client is notified when the hostname or the right of its session has changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from appliance.catalogue.settings import Settings
from appliance.management.errors import Refused
from appliance.management.sessions import Session, is_removed, look_up_rights, needs_secret, removal


class Client(Protocol):
    """The far end of a session."""

    def tell(self, **values: Any) -> None:
        """Send a line that answers no request."""

    def end(self, why: str) -> None:
        """Send the reason, and close the connection."""


def aliases_of(settings: Settings) -> dict[str, str]:
    """The words that stand for commands of the shell."""
    return {alias.name: alias.command for alias in settings.aliases if alias.command}


@dataclass(slots=True)
class _Open:
    session: Session
    client: Client
    told: dict[str, Any]


class OpenSessions:
    """Sessions by number, each with its client."""

    def __init__(self) -> None:
        self._last_number = 0
        self._open: dict[int, _Open] = {}

    def __iter__(self) -> Iterator[Session]:
        return iter([entry.session for entry in self._open.values()])

    def add(self, session: Session, client: Client, now: float) -> None:
        """Give a session its number."""
        self._last_number += 1
        session.number = self._last_number
        session.opened_at = session.active_at = now
        self._open[session.number] = _Open(session, client, {})

    def remove(self, session: Session) -> None:
        """The client has gone."""
        self._open.pop(session.number, None)

    def end(self, number: int, why: str) -> Session:
        """End a session; returns it. Raises Refused."""
        if number not in self._open:
            raise Refused(f"There is no session {number}.", "see `show users`")
        entry = self._open.pop(number)
        entry.client.end(why)
        return entry.session

    def tend(self, now: float, settings: Settings) -> None:
        """Look up the rights of all; end those that have lost their account, and those that are idle for too long."""
        idle_max_s = settings.exec_timeout_min * 60
        for session in self:
            look_up_rights(session, settings)
            if is_removed(session):
                self.end(session.number, removal(session, settings))
            elif idle_max_s and not session.running and now - session.active_at >= idle_max_s:
                minutes = settings.exec_timeout_min
                self.end(session.number, f"The session was idle for {minutes} minute{'s'[: minutes > 1]}.")
        self.tell_news(settings)

    def tell_news(self, settings: Settings) -> None:
        """Send each client what has changed since the last notification."""
        for entry in self._open.values():
            news = {
                "hostname": settings.hostname,
                "timezone": settings.timezone,
                "right": entry.session.right,
                "is_admin": entry.session.is_admin,
                "needs_secret": needs_secret(entry.session, settings),
                "aliases": aliases_of(settings),
            }
            if entry.told not in ({}, news):
                entry.client.tell(session=news)
            entry.told = news
