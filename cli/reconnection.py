"""A lost connection on a terminal: it is said, opened again in a thread, and what was there is taken up.

Bounded: after some tries the next command has to open it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import sleep

from appliance.catalogue.command_declaration import Right
from cli.failure import Failed, LoginNeeded
from cli.monitor import Monitor
from cli.session import Session

PAUSE_S = 1.0
TRIES_MAX = 120

LOST = "% Connection to the appliance lost; reconnecting."
BACK = "% Connection to the appliance restored."
RIGHT_GONE = "% Privileged mode was not restored; type `enable`."
GIVEN_UP = "% The appliance does not answer; the next command reconnects."


class Reconnection:
    """`say` shows a line above the prompt."""

    def __init__(self, session: Session, monitor: Monitor, say: Callable[[str], None]) -> None:
        self._session = session
        self._monitor = monitor
        self._say = say

    def lost(self) -> None:
        """The connection has ended without a word."""
        if not self._session.is_over:
            self._say(LOST)
            threading.Thread(target=self._open_again, daemon=True).start()

    def _open_again(self) -> None:
        had_right = self._session.right
        for _ in range(TRIES_MAX):
            sleep(PAUSE_S)
            if self._session.is_over or self._is_open_again(had_right):
                return
        self._say(GIVEN_UP)

    def _is_open_again(self, had_right: Right) -> bool:
        """Is there nothing left to try?"""
        try:
            self._session.connect(may_ask=False)
            self._monitor.resume()
        except LoginNeeded as failure:
            self._say(failure.lines()[0])
            return True
        except Failed:
            return False
        self._say(BACK)
        if had_right is Right.ADMIN and self._session.right is Right.VIEW:
            self._say(RIGHT_GONE)
        return True
