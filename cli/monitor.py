"""`terminal monitor`: the log, printed above the prompt while the operator works on.

A thread waits for the lines. Knows nothing of how the log is written.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress

from cli.failure import Failed
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
