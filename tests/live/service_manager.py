"""A service manager in the place of systemd: it keeps descriptors over a restart of the appliance (sd_notify(3))."""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path

from tests.live.appliance import Appliance

FIRST = 3
MESSAGE_LEN = 4096
FDS_MAX = 250
PATIENCE_S = 60.0
END = b"END"
# Takes the descriptors from a socket, puts them where sd_listen_fds(3) says, and becomes the appliance.
BECOME = f"""
import fcntl, os, socket, sys
path, names, *argv = sys.argv[1:]
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
    door.connect(path)
    _, given, _, _ = socket.recv_fds(door, 1, {FDS_MAX})
above = {FIRST} + len(given)
moved = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, above) for fd in given]
for fd in given:
    os.close(fd)
for place, fd in enumerate(moved):
    os.dup2(fd, {FIRST} + place)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(given)), LISTEN_FDNAMES=names)
os.execvp(argv[0], argv)
"""


class ServiceManager:
    """Of one appliance."""

    def __init__(self, appliance: Appliance, folder: Path) -> None:
        self._appliance = appliance
        self._folder = folder
        self._kept: dict[str, int] = {}
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._door.bind(str(folder / "notify"))
        # It reads at all times, for the appliance does not wait for it.
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        appliance.service_environment = {"NOTIFY_SOCKET": str(folder / "notify")}

    def start(self) -> None:
        """Start the appliance with what is kept of the start before."""
        if kept := dict(self._kept):
            place = self._folder / "kept"
            self._appliance.service = [sys.executable, "-c", BECOME, str(place), ":".join(kept)]
            threading.Thread(target=_give, args=(_listening_at(place), list(kept.values())), daemon=True).start()
        self._appliance.start()

    def _listen(self) -> None:
        while True:
            text, fds, _, _ = socket.recv_fds(self._door, MESSAGE_LEN, FDS_MAX)
            if text == END:
                return
            words = dict(line.partition("=")[::2] for line in text.decode().splitlines())
            name = words.get("FDNAME", "")
            if "FDSTOREREMOVE" in words and name in self._kept:
                os.close(self._kept.pop(name))
            for fd in fds:
                self._kept[name] = fd

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
            door.sendto(END, str(self._folder / "notify"))
        self._reader.join()
        self._door.close()
        for fd in self._kept.values():
            os.close(fd)


def _listening_at(place: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listening.bind(str(place))
    listening.listen()
    listening.settimeout(PATIENCE_S)
    return listening


def _give(listening: socket.socket, fds: list[int]) -> None:
    """To the first who asks."""
    with listening:
        client, _ = listening.accept()
        with client:
            socket.send_fds(client, [b"."], fds)
