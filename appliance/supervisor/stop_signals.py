"""Signals that stop an appliance, as something that can be waited for."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stop_signals() -> Iterator[socket.socket]:
    """A socket from which the numbers of stop signals can be read; signals do what they did before afterwards."""
    reading, writing = socket.socketpair()
    reading.setblocking(False)
    writing.setblocking(False)
    before_fd = signal.set_wakeup_fd(writing.fileno())
    before = {number: signal.signal(number, _only_wake_up) for number in STOP_SIGNALS}
    try:
        yield reading
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before_fd)
        reading.close()
        writing.close()


def _only_wake_up(number: int, frame: object) -> None:
    """The number is written to the wake-up socket by the interpreter; there is nothing else to do."""


def received(signals: socket.socket) -> bytes:
    """The numbers of the stop signals that came since."""
    try:
        return bytes(number for number in signals.recv(100) if number in STOP_SIGNALS)
    except BlockingIOError:
        return b""
