"""The door to systemd: what the supervisor tells the service manager (sd_notify(3)).

A datagram of lines `NAME=value` goes to the socket that $NOTIFY_SOCKET names. Without the variable nothing is sent: the
appliance runs in a terminal. $WATCHDOG_USEC is how long systemd waits for a sign of life before it restarts the
service. Descriptors that it was given to keep (FDSTORE=1) are there again after a restart of the service, from 3 on:
their number is $LISTEN_FDS, their names are $LISTEN_FDNAMES (sd_listen_fds_with_names(3)).

The socket has a queue of the kernel (net.unix.max_dgram_qlen), which is full while systemd is held up. It is not waited
for: what is refused waits here, in order, and is sent again in each cycle.
"""

from __future__ import annotations

import array
import errno
import os
import socket
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Final

# Signs of life within the time of the watchdog.
SIGNS: Final = 4
STATUS_LEN_MAX: Final = 500
FIRST_KEPT: Final = 3
NO_DESCRIPTOR: Final = -1
# A full queue (unix(7)), a kernel without memory, too many descriptors in flight. Whatever else happens, systemd
# is not there, and another attempt would not find it.
REFUSALS: Final = (errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM, errno.ETOOMANYREFS)
# As many as the unit says (FileDescriptorStoreMax).
KEPT_MAX: Final = 1024
# Messages that wait: two for each descriptor that is kept, and a few others.
WAITING_MAX: Final = 2 * KEPT_MAX + 16
# When it is said that systemd takes nothing.
SILENCE_S: Final = 10.0


class ServiceManager:
    """The service manager of this process. Times are monotonic seconds."""

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        """Takes its variables out of the environment: they are not for the processes that are started from here."""
        self._socket = _NotifySocket(_address_of(environment.pop("NOTIFY_SOCKET", "")))
        self.kept = _kept_descriptors(environment)
        """Descriptors that the service gave to it before a restart, by name."""
        interval_us = environment.pop("WATCHDOG_USEC", "")
        is_ours = environment.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._sign_interval_s = int(interval_us) / 1e6 / SIGNS if interval_us.isdecimal() and is_ours else 0.0
        self._sign_at = 0.0
        self._status = ""
        self._waiting_since = 0.0
        self._is_silent = False

    @property
    def waiting(self) -> int:
        """Messages that systemd has not taken yet."""
        return self._socket.waiting

    @property
    def given_up(self) -> int:
        """Messages that it will never have: too many have waited."""
        return self._socket.given_up

    @property
    def is_there(self) -> bool:
        """Does systemd run this process?"""
        return bool(self._socket.address)

    def cycle_done(self, sentence: str, now: float) -> str:
        """The supervisor has run a cycle: show its state, a sign of life where one is due, and what was refused before.

        Returns a sentence for the log when systemd begins to take nothing, and when it takes all again; "" otherwise.
        """
        self._socket.send_waiting()
        if sentence != self._status:
            self.tell_status(sentence)
        if self._sign_interval_s and now >= self._sign_at:
            self._sign_at = now + self._sign_interval_s
            self._socket.send("WATCHDOG=1")
        return self._remark(now)

    def _remark(self, now: float) -> str:
        if not self.waiting:
            self._waiting_since = 0.0
            was_silent, self._is_silent = self._is_silent, False
            return "systemd has taken all that it was told." if was_silent else ""
        self._waiting_since = self._waiting_since or now
        if self._is_silent or now - self._waiting_since < SILENCE_S:
            return ""
        self._is_silent = True
        return f"systemd has not taken what it was told for {SILENCE_S:g} s: {self.waiting} messages wait."

    def ready(self) -> None:
        """All workers take calls."""
        self._socket.send("READY=1")

    def keep(self, descriptors: Mapping[str, int]) -> None:
        """Have it keep these until the service is stopped, in the place of others of the same names."""
        for name, fd in descriptors.items():
            self.let_go([name])
            self._socket.send(_stored(name), fd)

    def let_go(self, names: Iterable[str]) -> None:
        """Have it close what it keeps by these names."""
        for name in names:
            self._socket.forget(_stored(name))
            self._socket.send(f"FDSTOREREMOVE=1\nFDNAME={name}")

    def take(self, prefix: str) -> dict[str, int]:
        """What it has kept by names that begin so; the descriptors are the caller's."""
        names = [name for name in self.kept if name.startswith(prefix)]
        return {name: self.kept.pop(name) for name in names}

    def stopping(self) -> None:
        """The appliance stops."""
        self._socket.send("STOPPING=1")

    def tell_status(self, sentence: str) -> None:
        """What `systemctl status` shows."""
        self._status = sentence
        self._socket.send(f"STATUS={' '.join(sentence.split())[:STATUS_LEN_MAX]}")


class _NotifySocket:
    """The socket of the service manager, and the messages that it has not taken, by what they are about.

    A later message about the same takes the place of one that waits. `given_up`: those that found no place.
    """

    def __init__(self, address: str) -> None:
        """`address`: "" where there is none, and nothing is sent."""
        self.address = address
        self.given_up = 0
        self._waiting: dict[str, tuple[str, int]] = {}

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def send(self, text: str, fd: int = NO_DESCRIPTOR) -> None:
        """At once, or behind those that wait, with a descriptor of its own: the caller may close his."""
        if self.address and (self._waiting or not self._is_taken(text, fd)):
            self._keep_waiting(text, fd)

    def send_waiting(self) -> None:
        """As many as it takes, the oldest first."""
        for about, (text, fd) in list(self._waiting.items()):
            if not self._is_taken(text, fd):
                return
            self._close(self._waiting.pop(about))

    def forget(self, text: str) -> None:
        """Send no message about the same as this one."""
        if message := self._waiting.pop(_subject(text), None):
            self._close(message)

    def _is_taken(self, text: str, fd: int) -> bool:
        passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))] if fd != NO_DESCRIPTOR else []
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
                # A service manager that is held up is not waited for.
                door.setblocking(False)
                door.sendmsg([text.encode()], passed, 0, self.address)
        except OSError as fault:
            return fault.errno not in REFUSALS
        return True

    def _keep_waiting(self, text: str, fd: int) -> None:
        about = _subject(text)
        former = self._waiting.get(about)
        if former is None and self.waiting >= WAITING_MAX:
            self.given_up += 1
            return
        try:
            same = fd if fd == NO_DESCRIPTOR else os.dup(fd)
        except OSError:
            self.given_up += 1
            return
        if former is not None:
            self._close(former)
        self._waiting[about] = text, same

    @staticmethod
    def _close(message: tuple[str, int]) -> None:
        if message[1] != NO_DESCRIPTOR:
            os.close(message[1])


def _stored(name: str) -> str:
    # An ICMP error at a socket is no reason to close it.
    return f"FDSTORE=1\nFDPOLL=0\nFDNAME={name}"


def _subject(text: str) -> str:
    """What a message is about: its first variable, and the descriptor that it names."""
    return f"{text.partition('=')[0]} {text.partition('FDNAME=')[2]}"


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
