"""A service manager in the place of systemd: it keeps descriptors over a restart of the appliance (sd_notify(3))."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

from tests.live.appliance import Appliance

FIRST = 3


class ServiceManager:
    """Of one appliance."""

    def __init__(self, appliance: Appliance, folder: Path) -> None:
        self._appliance = appliance
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._door.bind(str(folder / "notify"))
        self._kept: dict[str, int] = {}
        appliance.service_environment = {"NOTIFY_SOCKET": str(folder / "notify")}

    def start(self) -> None:
        """Start the appliance with what is kept of the start before."""
        self._listen()
        if self._kept:
            names = ":".join(self._kept)
            ours = [f"/proc/{os.getpid()}/fd/{fd}" for fd in self._kept.values()]
            opened = " ".join(f"{FIRST + place}<>{path}" for place, path in enumerate(ours))
            script = f'exec {opened}; LISTEN_PID=$$ LISTEN_FDS={len(ours)} LISTEN_FDNAMES={names} exec "$@"'
            self._appliance.service = ["sh", "-c", script, "sh"]
        self._appliance.start()
        self._listen()

    def _listen(self) -> None:
        with suppress(BlockingIOError):
            while True:
                text, fds, _, _ = socket.recv_fds(self._door, 4096, 4)
                words = dict(line.partition("=")[::2] for line in text.decode().splitlines())
                name = words.get("FDNAME", "")
                if "FDSTOREREMOVE" in words and name in self._kept:
                    os.close(self._kept.pop(name))
                for fd in fds:
                    self._kept[name] = fd

    def close(self) -> None:
        self._door.close()
        for fd in self._kept.values():
            os.close(fd)
