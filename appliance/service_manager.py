"""The door to systemd: what the supervisor tells the service manager (sd_notify(3)).

A datagram of lines `NAME=value` goes to the socket that $NOTIFY_SOCKET names. Without the variable nothing is sent: the
appliance runs in a terminal. $WATCHDOG_USEC is how long systemd waits for a sign of life before it restarts the
service. Descriptors that it was given to keep (FDSTORE=1) are there again after a restart of the service, from 3 on:
their number is $LISTEN_FDS, their names are $LISTEN_FDNAMES (sd_listen_fds_with_names(3)).
"""

from __future__ import annotations

import array
import os
import socket
from collections.abc import Iterable, Mapping, MutableMapping
from contextlib import suppress
from typing import Final

# Signs of life within the time of the watchdog.
SIGNS: Final = 4
STATUS_LEN_MAX: Final = 500
FIRST_KEPT: Final = 3
# As many as the unit says (FileDescriptorStoreMax).
KEPT_MAX: Final = 1024


class ServiceManager:
    """The service manager of this process. Times are monotonic seconds."""

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        """Takes its variables out of the environment: they are not for the processes that are started from here."""
        self._address = _address_of(environment.pop("NOTIFY_SOCKET", ""))
        self.kept = _kept_descriptors(environment)
        """Descriptors that the service gave to it before a restart, by name."""
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

    def keep(self, descriptors: Mapping[str, int]) -> None:
        """Have it keep these until the service is stopped, in the place of others of the same names."""
        for name, fd in descriptors.items():
            self.let_go([name])
            # An ICMP error at a socket is no reason to close it.
            self._send(f"FDSTORE=1\nFDPOLL=0\nFDNAME={name}", fd)

    def let_go(self, names: Iterable[str]) -> None:
        """Have it close what it keeps by these names."""
        for name in names:
            self._send(f"FDSTOREREMOVE=1\nFDNAME={name}")

    def take(self, prefix: str) -> dict[str, int]:
        """What it has kept by names that begin so; the descriptors are the caller's."""
        names = [name for name in self.kept if name.startswith(prefix)]
        return {name: self.kept.pop(name) for name in names}

    def stopping(self) -> None:
        """The appliance stops."""
        self._send("STOPPING=1")

    def tell_status(self, sentence: str) -> None:
        """What `systemctl status` shows."""
        self._status = sentence
        self._send(f"STATUS={' '.join(sentence.split())[:STATUS_LEN_MAX]}")

    def _send(self, text: str, *fds: int) -> None:
        if self._address:
            passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
            # A service manager that is held up is not waited for.
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
                door.setblocking(False)
                door.sendmsg([text.encode()], passed, 0, self._address)


def _kept_descriptors(environment: MutableMapping[str, str]) -> dict[str, int]:
    count, owner = environment.pop("LISTEN_FDS", ""), environment.pop("LISTEN_PID", "")
    names = environment.pop("LISTEN_FDNAMES", "").split(":")
    if owner != str(os.getpid()) or not count.isdecimal() or not len(names) == int(count) <= KEPT_MAX:
        return {}
    kept = {name: FIRST_KEPT + place for place, name in enumerate(names)}
    for fd in kept.values():
        os.set_inheritable(fd, False)
    return kept


def _address_of(name: str) -> str:
    """The address of a socket: a path, or a name of the abstract namespace, which is written with an @."""
    return f"\0{name[1:]}" if name.startswith("@") else name
