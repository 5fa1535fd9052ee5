"""The door to systemd: what the supervisor tells the service manager (sd_notify(3)).

A datagram of lines `NAME=value` goes to the socket that $NOTIFY_SOCKET names. Without the variable nothing is sent: the
appliance runs in a terminal. $WATCHDOG_USEC is how long systemd waits for a sign of life before it restarts the
service.
"""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Final

# Signs of life within the time of the watchdog.
SIGNS: Final = 4
STATUS_LEN_MAX: Final = 500


class ServiceManager:
    """The service manager of this process. Times are monotonic seconds."""

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        """Takes its variables out of the environment: they are not for the processes that are started from here."""
        self._address = _address_of(environment.pop("NOTIFY_SOCKET", ""))
        interval_us = environment.pop("WATCHDOG_USEC", "")
        is_ours = environment.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._sign_interval_s = int(interval_us) / 1e6 / SIGNS if interval_us.isdecimal() and is_ours else 0.0
        self._sign_at = 0.0
        self._status = ""

    @property
    def is_there(self) -> bool:
        """Does systemd run this process?"""
        return bool(self._address)

    def cycle_done(self, sentence: str, now: float) -> None:
        """The supervisor has run a cycle: show its state, and a sign of life where one is due."""
        if sentence != self._status:
            self.tell_status(sentence)
        if self._sign_interval_s and now >= self._sign_at:
            self._sign_at = now + self._sign_interval_s
            self._send("WATCHDOG=1")

    def ready(self) -> None:
        """All workers take calls."""
        self._send("READY=1")

    def stopping(self) -> None:
        """The appliance stops."""
        self._send("STOPPING=1")

    def tell_status(self, sentence: str) -> None:
        """What `systemctl status` shows."""
        self._status = sentence
        self._send(f"STATUS={' '.join(sentence.split())[:STATUS_LEN_MAX]}")

    def _send(self, text: str) -> None:
        if self._address:
            # A service manager that is held up is not waited for.
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
                door.setblocking(False)
                door.sendto(text.encode(), self._address)


def _address_of(name: str) -> str:
    """The address of a socket: a path, or a name of the abstract namespace, which is written with an @."""
    return f"\0{name[1:]}" if name.startswith("@") else name
