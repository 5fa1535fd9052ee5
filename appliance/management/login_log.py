"""Logins, failed ones, enables and logouts: a line in the log and an entry in the audit log, with the operator's place.

Bounded: so many failed ones a minute are noted, and the rest is counted, so that guessing does not crowd the audit
log out. A name that is no account is not written down: it may be a password typed at the wrong place.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from appliance.management.sessions import Session
from appliance.storage.system_journal import fields

NOTED_MAX: Final = 10
WINDOW_S: Final = 60.0
UNKNOWN: Final = "(unknown name)"

log = logging.getLogger("signalbox.management")

# user, place, command, result
Note = Callable[[str, str, str, str], None]


class LoginLog:
    """`note` writes an entry of the audit log."""

    def __init__(self, note: Note) -> None:
        self._note = note
        self._window_end = 0.0
        self._noted = 0
        self._left_out = 0

    def done(self, session: Session, what: str) -> None:
        """A login or an enable that was let in."""
        event = fields(what, user=session.user, session=session.number)
        log.info("%s of %s from %s (session %d)", what, session.user, session.place, session.number, extra=event)
        self._note(session.user, session.place, what, "done")

    def ended(self, session: Session, why: str) -> None:
        """The end of a session that was logged in, by the client or by the appliance, with its reason."""
        event = fields("logout", user=session.user, session=session.number)
        log.info("logout of %s from %s (session %d): %s", session.user, session.place, session.number, why, extra=event)
        self._note(session.user, session.place, "logout", why)

    def failed(self, session: Session, what: str, user: str, why: str, now: float) -> None:
        """One that was refused; `user` is the name of an account, or UNKNOWN."""
        if now >= self._window_end:
            self._window_end, self._noted = now + WINDOW_S, 0
        if self._noted >= NOTED_MAX:
            self._left_out += 1
            return
        more = f" ({self._left_out} more not logged)" if self._left_out else ""
        self._noted, self._left_out = self._noted + 1, 0
        event = fields(f"{what} failed", user=user, session=session.number)
        values = (what, user, session.place, session.number, more)
        log.warning("failed %s of %s from %s (session %d)%s", *values, extra=event)
        self._note(user, session.place, what, f"refused: {why}{more}")
