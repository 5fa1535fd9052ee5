"""Work in threads while the prompt is shown: the log of `terminal monitor`, and reconnecting.

Bounded: after some attempts to reconnect, the next command has to open the connection.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import sleep

from appliance.catalogue.command_declaration import Right
from cli.errors import Failed, LoginNeeded
from cli.output import Item
from cli.session import Session


class Monitor:
    """The log on the terminal, on or off."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._stopped: threading.Event | None = None

    def turn(self, is_on: bool) -> None:
        """Turn it on or off. Raises Failed when it cannot be turned on."""
        if self._stopped is not None:
            self._stopped.set()
            self._stopped = None
        if is_on:
            self._session.connect()
            self._stopped = threading.Event()
            items = self._session.control.stream("terminal monitor", {})
            threading.Thread(target=_follow, args=(items, self._stopped), daemon=True).start()


    def resume(self) -> None:
        """Go on over a new connection, where it is on. Raises Failed."""
        if self._stopped is not None:
            self.turn(True)


def _follow(items: Iterator[Item], stopped: threading.Event) -> None:
    """Print each line until it is turned off or the connection ends; after it was turned off, the next line ends it."""
    with suppress(Failed):
        for kind, content in items:
            if stopped.is_set():
                return
            if kind == "event":
                print(content.get("line", ""), flush=True)


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
