"""The open connections of the control socket: listed, and ended by an operator, by time or with their account.

Knows nothing of sockets and clocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from appliance.catalogue.settings import Settings
from appliance.management.refusal import Refused
from appliance.management.sessions import Session, is_removed, look_up_rights, removal

End = Callable[[str], None]


class OpenSessions:
    """Sessions by number; each comes with the function that tells its client why it ends, and hangs up."""

    def __init__(self) -> None:
        self._last_number = 0
        self._open: dict[int, tuple[Session, End]] = {}

    def __iter__(self) -> Iterator[Session]:
        return iter([session for session, _ in self._open.values()])

    def add(self, session: Session, end: End, now: float) -> None:
        """Give a session its number."""
        self._last_number += 1
        session.number = self._last_number
        session.opened_at = session.active_at = now
        self._open[session.number] = (session, end)

    def remove(self, session: Session) -> None:
        """The client has gone."""
        self._open.pop(session.number, None)

    def end(self, number: int, why: str) -> Session:
        """End a session; returns it. Raises Refused."""
        if number not in self._open:
            raise Refused(f"There is no session {number}.", "see `show users`")
        session, end = self._open.pop(number)
        end(why)
        return session

    def tend(self, now: float, settings: Settings) -> None:
        """Look up the rights of all; end those that have lost their account, and those that are idle for too long."""
        idle_max_s = settings.exec_timeout_min * 60
        for session, _ in list(self._open.values()):
            look_up_rights(session, settings)
            if is_removed(session):
                self.end(session.number, removal(session))
            elif idle_max_s and not session.running and now - session.active_at >= idle_max_s:
                minutes = settings.exec_timeout_min
                self.end(session.number, f"The session was idle for {minutes} minute{'s'[: minutes > 1]}.")
